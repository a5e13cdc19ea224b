"""Objects in an S3 bucket, of Amazon or of any server that speaks the same protocol."""

from __future__ import annotations

import logging
import tempfile
import threading
from contextlib import contextmanager
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import boto3  # type: ignore[import-untyped]
from boto3.exceptions import Boto3Error  # type: ignore[import-untyped]
from boto3.s3.transfer import TransferConfig  # type: ignore[import-untyped]
from botocore.config import Config  # type: ignore[import-untyped]
from botocore.exceptions import BotoCoreError, ClientError  # type: ignore[import-untyped]
from django.conf import settings
from django.utils.http import content_disposition_header

from bayerboard.lib.storage.copies import CopyCache
from bayerboard.lib.storage.files import children, raises_storage_full, remove_old
from bayerboard.lib.storage.interface import (
    ObjectStore,
    Part,
    PartsGone,
    StorageUnavailable,
    StoredObject,
    check_key,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence
    from datetime import datetime

    from bayerboard.lib.storage.s3_address import S3Address

logger = logging.getLogger(__name__)

# What a request may wait for, all tries together: well below a lease, and below a proxy's patience.
CONNECT_TIMEOUT_S, READ_TIMEOUT_S, TRIES = 3, 15, 3
# A connection that breaks in the middle of a long download is no reason to start the job again.
DOWNLOAD_TRIES = 3
DOWNLOAD_URL_EXPIRES_S = 300
CHUNK_BYTES = 2**20
# What is read once or twice in its life; references and inputs are read for every submission.
ONCE = "archives/"
# Threads make one upload faster; two are enough for a worker, and bound what it holds in memory.
TRANSFER = TransferConfig(multipart_chunksize=16 * 2**20, max_concurrency=2)
_making = threading.Lock()


def s3_client(address: S3Address, url: str) -> Any:
    """Return the client for one of the address's two servers; the same for all threads and all requests."""
    with _making:  # boto3 cannot make two at a time
        return _client(url, address.has_path_style, address.region, address.access_key_id, address.secret_access_key)


@cache
def _client(url: str, has_path_style: bool, region: str, access_key_id: str, secret_access_key: str) -> Any:
    return boto3.session.Session().client(
        "s3",
        region_name=region,
        endpoint_url=url,
        aws_access_key_id=access_key_id or None,
        aws_secret_access_key=secret_access_key or None,
        config=Config(
            signature_version="s3v4",
            connect_timeout=CONNECT_TIMEOUT_S,
            read_timeout=READ_TIMEOUT_S,
            retries={"mode": "standard", "total_max_attempts": TRIES},
            s3={"addressing_style": "path" if has_path_style else "virtual"},
            # Other servers than Amazon's do not know the newest checksums.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        ),
    )


class S3Store(ObjectStore):
    """Objects in a bucket. Signed addresses are given to browsers and never logged."""

    def __init__(self, address: S3Address) -> None:
        self.address = address
        self.bucket = address.bucket

    @property
    def _client(self) -> Any:
        return s3_client(self.address, self.address.site_url)

    def _call(self, operation: str, key: str, **arguments: Any) -> Any:
        with translate_failures(operation, key):
            return getattr(self._client, operation)(Bucket=self.bucket, Key=check_key(key), **arguments)

    # --- Whole objects ---

    def put(self, key: str, source: Path) -> None:
        size_bytes = source.stat().st_size
        with translate_failures("put", key):
            self._client.upload_file(str(source), self.bucket, check_key(key), Config=TRANSFER)
        if self.size_bytes(key) != size_bytes:
            self.delete(key)
            raise StorageUnavailable(f"put {key}: the size is not that of the file")

    def open(self, key: str) -> BinaryIO:
        # A copy, and not ranged requests: not every server answers a range with a part.
        copy = tempfile.TemporaryFile(dir=_scratch())  # noqa: SIM115  # the caller closes it
        try:
            self._download(key, copy)
        except BaseException:
            copy.close()
            raise
        return copy

    @contextmanager
    def local_copy(self, key: str, on_chunk: Callable[[], object] | None = None) -> Iterator[Path]:
        if check_key(key).startswith(ONCE):
            with tempfile.NamedTemporaryFile(dir=_scratch(), prefix="copy-") as copy:
                self._download(key, copy, on_chunk)
                yield Path(copy.name)
        else:
            cache = CopyCache(_copies(), settings.COPIES_AT_MOST_BYTES)
            with cache.copy(key, lambda target: self._download(key, target, on_chunk)) as path:
                yield path

    def _download(self, key: str, target: Any, on_chunk: Callable[[], object] | None = None) -> None:
        """Write the whole object; from its beginning again where the connection breaks."""
        for tries_left in reversed(range(DOWNLOAD_TRIES)):
            target.seek(0)
            target.truncate()
            answer = self._call("get_object", key)
            try:
                with translate_failures("get_object", key), raises_storage_full():
                    self._copy_body(answer, target, on_chunk)
                    target.flush()
            except StorageUnavailable:
                if not tries_left:
                    raise
                continue
            if target.tell() == answer["ContentLength"]:
                target.seek(0)
                return
        raise StorageUnavailable(f"get_object {key}: the size is not the announced one")

    @staticmethod
    def _copy_body(answer: Any, target: Any, on_chunk: Callable[[], object] | None) -> None:
        for chunk in iter(partial(answer["Body"].read, CHUNK_BYTES), b""):
            target.write(chunk)
            if on_chunk is not None:
                on_chunk()

    def size_bytes(self, key: str) -> int:
        return int(self._call("head_object", key)["ContentLength"])

    def exists(self, key: str) -> bool:
        try:
            self._call("head_object", key)
        except FileNotFoundError:
            return False
        return True

    def delete(self, key: str) -> None:
        try:
            self._call("delete_object", key)
        except FileNotFoundError:
            return

    def objects(self, prefix: str) -> Iterator[StoredObject]:
        with translate_failures("list_objects_v2", prefix):
            pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix)
            for page in pages:
                for item in page.get("Contents", []):
                    yield StoredObject(item["Key"], item["Size"], item["LastModified"])

    def _sign(self, operation: str, expires_s: int, **parameters: Any) -> str:
        client = s3_client(self.address, self.address.browser_url)
        parameters["Bucket"] = self.bucket
        return str(client.generate_presigned_url(operation, Params=parameters, ExpiresIn=expires_s))

    def download_url(self, key: str, filename: str, content_type: str) -> str:
        return self._sign(
            "get_object",
            DOWNLOAD_URL_EXPIRES_S,
            Key=check_key(key),
            ResponseContentDisposition=content_disposition_header(True, filename),
            ResponseContentType=content_type,
        )

    # --- Parts ---

    def open_parts(self, key: str, size_bytes: int, part_size_bytes: int) -> str:
        return str(self._call("create_multipart_upload", key)["UploadId"])

    def part_url(self, key: str, parts_id: str, number: int, size_bytes: int, expires_s: int) -> str:
        # The length is signed with the rest: a part of another size is refused by the storage itself.
        return self._sign(
            "upload_part",
            expires_s,
            Key=check_key(key),
            UploadId=parts_id,
            PartNumber=number,
            ContentLength=size_bytes,
        )

    def list_parts(self, key: str, parts_id: str) -> list[Part]:
        with translate_failures("list_parts", key):
            pages = self._client.get_paginator("list_parts").paginate(
                Bucket=self.bucket, Key=check_key(key), UploadId=parts_id
            )
            return [
                Part(item["PartNumber"], item["Size"], item["ETag"]) for page in pages for item in page.get("Parts", [])
            ]

    def complete_parts(self, key: str, parts_id: str, parts: Sequence[Part]) -> None:
        listed = [{"PartNumber": part.number, "ETag": part.etag} for part in parts]
        self._call("complete_multipart_upload", key, UploadId=parts_id, MultipartUpload={"Parts": listed})

    def abort_parts(self, key: str, parts_id: str) -> None:
        try:
            self._call("abort_multipart_upload", key, UploadId=parts_id)
        except PartsGone:
            return

    def clear_leftovers(self, before: datetime, keep: Collection[str]) -> int:
        """Abort what nobody knows of; a rule of the bucket's life cycle does the same where it cannot be listed."""
        found = [(key, parts_id) for key, parts_id in self._begun(before) if parts_id not in keep]
        for key, parts_id in found:
            self.abort_parts(key, parts_id)
        # Copies and forms that a killed process left on this machine's own disk.
        unnamed = [path for path in children(_copies()) if path.name.startswith(".")]
        return len(found) + sum(remove_old(path, before) for path in [*children(_scratch()), *unnamed])

    def _begun(self, before: datetime) -> list[tuple[str, str]]:
        try:
            with translate_failures("list_multipart_uploads", self.bucket):
                pages = self._client.get_paginator("list_multipart_uploads").paginate(Bucket=self.bucket)
                uploads = [item for page in pages for item in page.get("Uploads", [])]
        except PartsGone:
            return []  # what some servers answer when there are none
        return [(item["Key"], item["UploadId"]) for item in uploads if item["Initiated"] < before]


def _scratch() -> Path:
    """Return the folder for copies that are not kept, on the disk that is meant for large files."""
    folder: Path = settings.UPLOAD_DIR
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder


def _copies() -> Path:
    """Return the folder of the copies that are kept."""
    folder: Path = settings.STORAGE_DIR / "copies"
    return folder


GONE = frozenset({"NoSuchKey", "404", "NotFound"})
PARTS_GONE = frozenset({"NoSuchUpload"})


@contextmanager
def translate_failures(operation: str, key: str) -> Iterator[None]:
    """Turn what boto3 raises into our exceptions; their text holds no address, which may be a signed one."""
    try:
        yield
    except ClientError as error:
        code = str(error.response.get("Error", {}).get("Code", ""))
        if code in PARTS_GONE:
            raise PartsGone(key) from error
        if code in GONE:
            raise FileNotFoundError(key) from error
        raise StorageUnavailable(f"{operation} {key}: {code}") from error
    except (BotoCoreError, Boto3Error) as error:
        raise StorageUnavailable(f"{operation} {key}: {type(error).__name__}") from error
