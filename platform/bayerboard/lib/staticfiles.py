"""Static files with hashed names, where `collectstatic` has run; under their own names where it has not."""

from __future__ import annotations

from typing import Any

from whitenoise.storage import CompressedManifestStaticFilesStorage


class StaticFiles(CompressedManifestStaticFilesStorage):  # type: ignore[misc]  # WhiteNoise has no annotations
    """WhiteNoise's storage, which would otherwise answer every page with an error before the first `collectstatic`."""

    manifest_strict = False
    # Scripts import each other by name: those names get their hashes, too.
    support_js_module_import_aggregation = True

    def hashed_name(self, name: str, content: Any = None, filename: str | None = None) -> str:
        try:
            return str(super().hashed_name(name, content, filename))
        except ValueError:
            if content is not None or filename is not None:
                raise  # collectstatic itself: a style sheet names a file that does not exist
            return name
