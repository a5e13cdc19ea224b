"""Which entry of an archive is which image: decided by the directory alone, nothing is read."""

from __future__ import annotations

import unicodedata
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from scoring.manifest import natural_key
from scoring.naming import (
    folded,
    is_image,
    is_junk,
    is_nested_archive,
    is_readme,
    likely_stem,
)
from scoring.problems import Problem, problem

if TYPE_CHECKING:
    from collections.abc import Iterable

    from scoring.archive import Entry, ZipArchive
    from scoring.manifest import Manifest

MAX_LISTED_IGNORED = 20
MAX_LISTED_FOLDERS = 5


@dataclass
class Layout:
    """The images by their stems, the readme, and the errors and warnings about the names."""

    members: dict[str, Entry] = field(default_factory=dict)
    readme: Entry | None = None
    errors: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)


def arrange(archive: ZipArchive, manifest: Manifest) -> Layout:
    """Match the entries of an archive with the images of a manifest, by name."""
    layout = Layout()
    files = _safe_files(archive, layout)
    if not files and not layout.errors:
        layout.errors.append(archive.fault("archive-no-files"))
        return layout
    _refuse_unreadable(files, layout)
    files = _without_junk(files, layout)
    layout.readme = min((file for file in files if is_readme(file.name)), key=_readme_order, default=None)
    if layout.readme is None:
        layout.warnings.append(archive.fault("readme-missing"))
    others = _take_exact_matches([file for file in files if file is not layout.readme], manifest, layout)
    suffix = manifest.files[0].suffix
    _refuse_ambiguous(files, layout)
    _check_folders(archive, [file for file in files if is_image(file.name, suffix)], layout)
    # An image that was refused for its path or kind is not missing as well.
    accounted_for = {entry.name.removesuffix(suffix) for entry in archive.entries if not _is_ordinary(entry)}
    accounted_for.update(layout.members)
    missing = [spec.name for spec in manifest.files if spec.name not in accounted_for]
    ignored = _explain_others(others, missing, suffix, layout)
    layout.errors += [problem("image-missing", file=stem + suffix) for stem in missing]
    layout.warnings += [problem("file-ignored", file=file.path) for file in ignored[:MAX_LISTED_IGNORED]]
    if len(ignored) > MAX_LISTED_IGNORED:
        layout.warnings.append(archive.fault("more-files-ignored", count=len(ignored) - MAX_LISTED_IGNORED))
    return layout


def _safe_files(archive: ZipArchive, layout: Layout) -> list[Entry]:
    """Return the ordinary files with ordinary paths; the others become errors."""
    files = []
    for entry in archive.entries:
        if entry.is_unsafe:
            layout.errors.append(problem("unsafe-path", file=entry.info.orig_filename))
        elif entry.is_special:
            layout.errors.append(problem("symlink", file=entry.path))
        elif not entry.is_folder:
            files.append(entry)
    return files


def _is_ordinary(entry: Entry) -> bool:
    return not (entry.is_unsafe or entry.is_special)


def _refuse_unreadable(files: list[Entry], layout: Layout) -> None:
    """Refuse the archive with one error, not one for each of its hundreds of files."""
    for code, unreadable in (
        ("archive-encrypted", [file for file in files if file.is_encrypted]),
        ("unsupported-compression", [file for file in files if not file.is_supported]),
    ):
        if unreadable:
            layout.errors.append(problem(code, file=unreadable[0].path, count=len(unreadable)))


def _without_junk(files: list[Entry], layout: Layout) -> list[Entry]:
    junk = [file for file in files if is_junk(file.path)]
    if junk:
        layout.warnings.append(problem("junk-ignored", file=junk[0].path, count=len(junk)))
    return [file for file in files if not is_junk(file.path)]


def _readme_order(file: Entry) -> tuple[bool, int, str]:
    """Return the text file first, then the one nearest to the top."""
    return not file.name.lower().endswith(".txt"), file.path.count("/"), file.path.casefold()


def _take_exact_matches(files: Iterable[Entry], manifest: Manifest, layout: Layout) -> list[Entry]:
    """Fill in the members; returns the files whose names are no image's."""
    expected = {spec.name + spec.suffix: spec.name for spec in manifest.files}
    found: defaultdict[str, list[Entry]] = defaultdict(list)
    others = []
    for file in files:
        if file.name in expected:
            found[expected[file.name]].append(file)
        else:
            others.append(file)
    # In the manifest's order, which is that of every list of problems.
    for file_name, stem in expected.items():
        if stem in found:
            layout.members[stem] = found[stem][0]
            if len(found[stem]) > 1:
                layout.errors.append(problem("image-twice", file=file_name, count=len(found[stem])))
    return others


def _refuse_ambiguous(files: Iterable[Entry], layout: Layout) -> None:
    """Refuse paths that are one and the same to some systems: which of the files counts would be a matter of luck."""
    by_path: defaultdict[str, list[Entry]] = defaultdict(list)
    for file in files:
        by_path[unicodedata.normalize("NFC", file.path).casefold()].append(file)
    for first, *others in by_path.values():
        # One name twice is image-twice where it is an image's, and harmless where it is not.
        other = next((file.path for file in others if file.path != first.path), None)
        if other is not None:
            layout.errors.append(problem("names-collide", file=other, other=first.path))


def _check_folders(archive: ZipArchive, images: list[Entry], layout: Layout) -> None:
    folders = Counter(image.folder for image in images)
    if len(folders) > 1:
        shown = [f"“{folder or '(top)'}”" for folder in sorted(folders, key=natural_key)]
        if len(shown) > MAX_LISTED_FOLDERS:
            shown[MAX_LISTED_FOLDERS:] = ["…"]
        layout.errors.append(archive.fault("several-folders", folders=", ".join(shown)))
    elif any("/" in folder for folder in folders):
        layout.errors.append(problem("nested-folder", file=images[0].path))


def _explain_others(others: list[Entry], missing: list[str], suffix: str, layout: Layout) -> list[Entry]:
    """Report files whose names are no image's, and take from ``missing`` the images that one of them explains.

    Returns the files that do no harm.
    """
    wanted: defaultdict[str, list[str]] = defaultdict(list)
    for stem in missing:
        wanted[folded(stem)].append(stem)
    ignored = []
    for file in others:
        meant = wanted.get(likely_stem(file.name), [])
        if len(meant) == 1:
            stem = meant.pop()
            missing.remove(stem)
            has_other_suffix = "." in file.name and not is_image(file.name, suffix)
            code = "wrong-format" if has_other_suffix else "image-misnamed"
            layout.errors.append(problem(code, file=file.path, expected=stem + suffix, suffix=suffix))
        elif is_image(file.name, suffix):
            layout.errors.append(problem("image-surplus", file=file.path))
        elif missing and is_nested_archive(file.name):
            layout.errors.append(problem("nested-archive", file=file.path))
        else:
            ignored.append(file)
    return ignored
