"""Names in an archive: folders, junk, slips, surplus files, readmes."""

from __future__ import annotations

import io
import zipfile

import pytest

from scoring.archive import ZipArchive
from scoring.layout import MAX_LISTED_FOLDERS, MAX_LISTED_IGNORED, Layout, arrange
from scoring.manifest import Manifest


def layout_of(manifest: Manifest, *names: str) -> Layout:
    """Return the layout of an archive of empty files."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name in names:
            archive.writestr(name, b"")
    with ZipArchive(stream) as opened:
        return arrange(opened, manifest)


def problems(layout: Layout) -> list[tuple[str, str | None]]:
    return [(found.code, found.file) for found in layout.errors]


def ignored(layout: Layout) -> list[str | None]:
    return [found.file for found in layout.warnings if found.code == "file-ignored"]


IMAGES = ("6_0.npy", "6_2.npy", "6_10.npy")
README = "readme.txt"


@pytest.mark.parametrize("folder", ["", "submission/", "Meine Einsendung/", "提交/"])
def test_images_lie_at_the_top_or_in_one_folder(folder: str, manifest: Manifest) -> None:
    layout = layout_of(manifest, *(folder + name for name in (*IMAGES, README)))

    assert (problems(layout), layout.warnings) == ([], [])
    assert [entry.path for entry in layout.members.values()] == [folder + name for name in IMAGES]


def test_members_are_in_the_manifests_order(manifest: Manifest) -> None:
    assert list(layout_of(manifest, *reversed(IMAGES), README).members) == ["6_0", "6_2", "6_10"]


def test_folders_may_have_entries_of_their_own(manifest: Manifest) -> None:
    layout = layout_of(manifest, "s/", "s/empty/", *(f"s/{name}" for name in (*IMAGES, README)))

    assert (problems(layout), layout.warnings) == ([], [])


def test_the_readme_may_lie_beside_the_folder(manifest: Manifest) -> None:
    layout = layout_of(manifest, README, *(f"s/{name}" for name in IMAGES))

    assert (problems(layout), layout.warnings) == ([], [])


@pytest.mark.parametrize("name", ["readme.txt", "README", "Readme.md", "README_team.TXT", "readme"])
def test_a_readme_is_any_file_whose_name_begins_so(name: str, manifest: Manifest) -> None:
    layout = layout_of(manifest, *IMAGES, name)

    assert layout.readme is not None
    assert layout.readme.path == name


def test_of_several_readmes_the_text_nearest_to_the_top_counts(manifest: Manifest) -> None:
    layout = layout_of(manifest, *IMAGES, "README.pdf", "code/readme.txt", "readme.txt", "readme10.txt")

    assert layout.readme is not None
    assert layout.readme.path == "readme.txt"
    assert ignored(layout) == ["README.pdf", "code/readme.txt", "readme10.txt"]


def test_a_missing_readme_is_a_warning(manifest: Manifest) -> None:
    layout = layout_of(manifest, *IMAGES)

    assert [warning.code for warning in layout.warnings] == ["readme-missing"]
    assert layout.errors == []


@pytest.mark.parametrize(
    "name",
    [
        "__MACOSX/s/._6_0.npy",
        "__MACOSX/6_0.npy",
        "s/.DS_Store",
        "Thumbs.db",
        "s/desktop.ini",
        "s/._readme.txt",
    ],
)
def test_what_operating_systems_add_is_ignored_with_a_warning(name: str, manifest: Manifest) -> None:
    layout = layout_of(manifest, *IMAGES, README, name)

    assert problems(layout) == []
    assert [(warning.code, warning.file) for warning in layout.warnings] == [("junk-ignored", name)]


def test_junk_is_one_warning_with_a_count(manifest: Manifest) -> None:
    junk = [f"__MACOSX/._{name}" for name in IMAGES]

    (warning,) = layout_of(manifest, *IMAGES, README, *junk).warnings
    assert "such files: 3" in warning.message


@pytest.mark.parametrize(
    "name",
    [
        "6_2.NPY",
        "6_2.Npy",
        "6_02.npy",
        "006_002.npy",
        "6-2.npy",
        "6__2.npy",
        "6 2.npy",
        "6_2 .npy",
        "6_2.npy.npy",
        "6_2",
    ],
)
def test_a_slip_in_a_name_is_answered_with_the_likely_name(name: str, manifest: Manifest) -> None:
    layout = layout_of(manifest, "6_0.npy", name, "6_10.npy", README)

    assert problems(layout) == [("image-misnamed", name)]
    assert "rename it to 6_2.npy" in layout.errors[0].hint


@pytest.mark.parametrize("name", ["6_2.png", "6_2.npz", "6_2.mat", "06-2.tiff", "6_2.npy.gz"])
def test_an_image_in_another_format_is_said_to_be_one(name: str, manifest: Manifest) -> None:
    layout = layout_of(manifest, "6_0.npy", name, "6_10.npy", README)

    assert problems(layout) == [("wrong-format", name)]


@pytest.mark.parametrize("name", ["6_3.npy", "7_2.npy", "6_20.npy", "pred_6_2.npy"])
def test_a_name_that_is_no_slip_is_surplus_and_the_image_is_missing(name: str, manifest: Manifest) -> None:
    layout = layout_of(manifest, "6_0.npy", name, "6_10.npy", README)

    assert problems(layout) == [("image-surplus", name), ("image-missing", "6_2.npy")]


def test_a_slip_is_not_guessed_when_the_image_is_there(manifest: Manifest) -> None:
    layout = layout_of(manifest, *IMAGES, "06_02.npy", README)

    assert problems(layout) == [("image-surplus", "06_02.npy")]


def test_one_image_is_guessed_for_one_file_only(manifest: Manifest) -> None:
    layout = layout_of(manifest, "6_0.npy", "6_02.npy", "06_2.npy", "6_10.npy", README)

    assert problems(layout) == [("image-misnamed", "6_02.npy"), ("image-surplus", "06_2.npy")]


def test_an_ambiguous_slip_is_not_guessed(protocol: object, manifest: Manifest) -> None:
    files = manifest.files
    ambiguous = Manifest((*files, type(files[0])("6_02", files[0].shape, files[0].dtype)))

    layout = layout_of(ambiguous, "6_0.npy", "6-2.npy", "6_10.npy", README)

    assert problems(layout) == [
        ("image-surplus", "6-2.npy"),
        ("image-missing", "6_2.npy"),
        ("image-missing", "6_02.npy"),
    ]


def test_all_missing_images_are_listed_in_natural_order(manifest: Manifest) -> None:
    assert problems(layout_of(manifest, README)) == [("image-missing", name) for name in IMAGES]


def test_a_picture_beside_its_image_is_ignored(manifest: Manifest) -> None:
    layout = layout_of(manifest, *IMAGES, "6_0.png", README)

    assert problems(layout) == []
    assert ignored(layout) == ["6_0.png"]


def test_an_archive_beside_all_images_is_ignored(manifest: Manifest) -> None:
    layout = layout_of(manifest, *IMAGES, "code.zip", README)

    assert problems(layout) == []
    assert ignored(layout) == ["code.zip"]


def test_many_ignored_files_are_counted(manifest: Manifest) -> None:
    layout = layout_of(manifest, *IMAGES, README, *(f"{n}.log" for n in range(MAX_LISTED_IGNORED + 2)))

    assert len(ignored(layout)) == MAX_LISTED_IGNORED
    assert "2 more files" in layout.warnings[-1].message


def test_images_in_several_folders_are_matched_all_the_same(manifest: Manifest) -> None:
    layout = layout_of(manifest, "a/6_0.npy", "b/6_2.npy", "6_10.npy", README)

    assert problems(layout) == [("several-folders", None)]
    assert "“(top)”, “a”, “b”" in layout.errors[0].message
    assert len(layout.members) == 3


def test_many_folders_are_not_all_named(manifest: Manifest) -> None:
    surplus = [f"f{number}/6_0.npy" for number in range(MAX_LISTED_FOLDERS + 1)]

    layout = layout_of(manifest, *IMAGES, README, *surplus)

    (error,) = [error for error in layout.errors if error.code == "several-folders"]
    assert error.message.endswith("“f3”, ….")


def test_an_image_in_two_folders_is_there_twice(manifest: Manifest) -> None:
    layout = layout_of(manifest, *IMAGES, "again/6_2.npy", README)

    assert ("image-twice", "6_2.npy") in problems(layout)


@pytest.mark.parametrize(
    "path",
    ["../6_0.npy", "s/../6_0.npy", "/6_0.npy", "//host/6_0.npy", "s\\6_0.npy", "C:/6_0.npy", "c:6_0.npy", "../"],
)
def test_unsafe_paths_are_refused(path: str, manifest: Manifest) -> None:
    layout = layout_of(manifest, *IMAGES, README, path)

    assert problems(layout) == [("unsafe-path", path)]


@pytest.mark.parametrize("path", ["s../6_9.txt", "..s/x", "s/...", "ab:c"])
def test_dots_in_names_are_no_unsafe_path(path: str, manifest: Manifest) -> None:
    assert problems(layout_of(manifest, *IMAGES, README, path)) == []


def test_an_image_that_was_refused_for_its_path_is_not_missing_too(manifest: Manifest) -> None:
    layout = layout_of(manifest, "../6_0.npy", "6_2.npy", "6_10.npy", README)

    assert problems(layout) == [("unsafe-path", "../6_0.npy")]


def test_an_archive_of_folders_has_no_files(manifest: Manifest) -> None:
    assert problems(layout_of(manifest, "submission/")) == [("archive-no-files", None)]
