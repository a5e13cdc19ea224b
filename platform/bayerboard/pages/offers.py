"""A baseline as a track offers it for download."""

from __future__ import annotations

from dataclasses import dataclass

from baselines.catalogue import METHODS, Method
from baselines.download import build_download, download_name, download_sha256


@dataclass(frozen=True)
class Offer:
    """A method, and the zip with its code, card and README: the same bytes every time."""

    method: Method

    @property
    def filename(self) -> str:
        return download_name(self.method.name)

    @property
    def card(self) -> str:
        """Return the method's card, without its title: the page has one."""
        return self.method.card.read_text(encoding="utf-8").partition("\n")[2]

    @property
    def archive(self) -> bytes:
        return build_download(self.method.name)

    @property
    def size_bytes(self) -> int:
        return len(self.archive)

    @property
    def sha256(self) -> str:
        return download_sha256(self.method.name)


def offers(names: list[str]) -> list[Offer]:
    """Return the offers of the named methods, in the catalogue's order; names that it lacks are left out."""
    return [Offer(method) for method in METHODS if method.name in names]
