"""Where the bucket is, from the environment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from bayerboard.lib import env


@dataclass(frozen=True)
class S3Address:
    """A bucket and its server, which browsers may know under another address than the site does."""

    bucket: str
    region: str
    # Of a server of one's own; Amazon's is known by the region.
    endpoint_url: str = ""
    public_url: str = ""
    # Without keys, boto3 looks where it always does: a role of the machine, for instance.
    access_key_id: str = ""
    secret_access_key: str = ""

    @classmethod
    def from_environment(cls) -> Self | None:
        """Return what the environment says; None where no bucket is named, and objects lie on the local disk."""
        key, secret = env.both("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
        address = cls(
            bucket=env.text("BAYERBOARD_S3_BUCKET", ""),
            region=env.text("BAYERBOARD_S3_REGION", "us-east-1"),
            endpoint_url=env.origin("BAYERBOARD_S3_ENDPOINT_URL"),
            public_url=env.origin("BAYERBOARD_S3_PUBLIC_URL"),
            access_key_id=key,
            secret_access_key=secret,
        )
        if address.bucket:
            return address
        if address.endpoint_url or address.public_url:
            raise env.SettingError("BAYERBOARD_S3_BUCKET is not set, but the address of an S3 server is.")
        return None

    def __repr__(self) -> str:
        return f"S3Address({self.bucket!r})"  # no secret in a traceback

    @property
    def site_url(self) -> str:
        """Where the site itself speaks to the server."""
        # With its region: the name without one sends browsers on to another host, which CORS does not allow.
        return self.endpoint_url or f"https://s3.{self.region}.amazonaws.com"

    @property
    def browser_url(self) -> str:
        """Where browsers do."""
        return self.public_url or self.site_url

    @property
    def has_path_style(self) -> bool:
        """Whether the bucket stands in the path: a server of one's own rarely has a host name for each bucket."""
        return bool(self.endpoint_url or self.public_url) or "." in self.bucket

    @property
    def browser_origin(self) -> str:
        """Scheme, host and port of the addresses that are signed for browsers."""
        scheme, _, host = self.browser_url.partition("://")
        return f"{scheme}://{host}" if self.has_path_style else f"{scheme}://{self.bucket}.{host}"
