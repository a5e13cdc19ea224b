"""Makes the S3 bucket that the settings name, and sets its rules: who may send from a browser, what is cleared."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError  # type: ignore[import-untyped]  # botocore has no annotations
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from bayerboard.lib.storage import object_store
from bayerboard.lib.storage.s3 import S3Store, s3_client

if TYPE_CHECKING:
    from argparse import ArgumentParser

ALREADY_THERE = frozenset({"BucketAlreadyOwnedByYou", "BucketAlreadyExists"})
# Servers that know nothing of a rule say so in different words; rclone takes it for another wish to make the bucket.
NOT_THERE = ALREADY_THERE | {"NotImplemented", "MethodNotAllowed", "XNotImplemented"}


class Command(BaseCommand):
    """`manage.py prepare_bucket`; to run it again changes nothing."""

    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take none: the settings say all of it."""

    def handle(self, *args: Any, **options: Any) -> None:
        store = object_store()
        if not isinstance(store, S3Store):
            raise CommandError("BAYERBOARD_S3_BUCKET is not set: objects lie in a folder, which needs no preparation.")
        client, bucket = s3_client(store.address, store.address.site_url), store.address.bucket
        try:
            client.create_bucket(Bucket=bucket)
            self.stdout.write(f"Made the bucket {bucket}.")
        except ClientError as error:
            if code_of(error) not in ALREADY_THERE:
                raise CommandError(f"The bucket {bucket} cannot be made: {code_of(error)}.") from None
            self.stdout.write(f"The bucket {bucket} is there.")
        self._set("CORS", client.put_bucket_cors, bucket, CORSConfiguration=cors(settings.CSRF_TRUSTED_ORIGINS))
        self._set("life cycle", client.put_bucket_lifecycle_configuration, bucket, LifecycleConfiguration=LIFECYCLE)

    def _set(self, what: str, call: Any, bucket: str, **rules: Any) -> None:
        try:
            call(Bucket=bucket, **rules)
        except ClientError as error:
            if code_of(error) not in NOT_THERE:
                raise CommandError(f"The rules for {what} cannot be set: {code_of(error)}.") from None
            self.stdout.write(f"This server has no rules for {what} ({code_of(error)}); see docs/operations.md.")
        else:
            self.stdout.write(f"Set the rules for {what}.")


def cors(origins: list[str]) -> dict[str, Any]:
    """Let browsers send parts from the site's pages, and read the ETag that comes back."""
    rule = {
        "AllowedOrigins": origins or ["http://localhost:8000"],
        "AllowedMethods": ["PUT"],
        "AllowedHeaders": ["*"],
        "ExposeHeaders": ["ETag"],
        "MaxAgeSeconds": 3600,
    }
    return {"CORSRules": [rule]}


# Bayerboard clears what was given up by itself; this is for what it never heard of again.
LIFECYCLE = {
    "Rules": [
        {
            "ID": "forget-unfinished-uploads",
            "Status": "Enabled",
            "Filter": {"Prefix": ""},
            "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 2},
        }
    ]
}


def code_of(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", "")) or "no code"
