from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from baselines.errors import InputError
from baselines.inputs import MAX_TILE_BYTES, decode_jpg, natural_key, open_tiles
from baselines.tracks import TRACKS
from tests.baselines.conftest import save_tile

if TYPE_CHECKING:
    from pathlib import Path

S7 = TRACKS["s7"]


def zip_of(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path


def jpg(size: tuple[int, int] = (504, 504), mode: str = "RGB", form: str = "JPEG") -> bytes:
    buffer = io.BytesIO()
    Image.new(mode, size).save(buffer, form)
    return buffer.getvalue()


def test_numbers_in_names_count() -> None:
    assert sorted(["10_0", "6_10", "6_2", "a"], key=natural_key) == ["6_2", "6_10", "10_0", "a"]


def test_folder_is_read_in_natural_order(tiles: Path) -> None:
    with open_tiles(tiles, S7) as source:
        assert source.names == ("6_2", "6_10", "10_0")


def test_tile_is_rgb_bytes(tiles: Path) -> None:
    with open_tiles(tiles, S7) as source:
        rgb = source.load("6_2")

    assert rgb.shape == (504, 504, 3)
    assert rgb.dtype == np.uint8


def test_zip_gives_the_same_pixels(tiles: Path, tmp_path: Path) -> None:
    archive = zip_of(tmp_path / "t.zip", {f"top/{file.name}": file.read_bytes() for file in tiles.iterdir()})

    with open_tiles(tiles, S7) as folder, open_tiles(archive, S7) as zipped:
        assert zipped.names == folder.names
        assert np.array_equal(zipped.load("10_0"), folder.load("10_0"))


def test_clutter_in_a_zip_is_passed_over(tmp_path: Path) -> None:
    members = {"1_0.jpg": jpg(), "__MACOSX/1_0.jpg": b"x", "._1_0.jpg": b"x", "a/.DS_Store": b"x", "notes.txt": b"x"}

    with open_tiles(zip_of(tmp_path / "t.zip", members), S7) as source:
        assert source.names == ("1_0",)


def test_clutter_in_a_folder_is_passed_over(tiles: Path) -> None:
    (tiles / "._6_2.jpg").write_bytes(b"x")
    (tiles / "folder.jpg").mkdir()
    (tiles / "readme.txt").write_bytes(b"x")

    with open_tiles(tiles, S7) as source:
        assert len(source.names) == 3


def test_capital_suffix_is_read(tmp_path: Path) -> None:
    save_tile(tmp_path / "tiles" / "1_0.JPG")

    with open_tiles(tmp_path / "tiles", S7) as source:
        assert source.load("1_0").shape == (504, 504, 3)


def test_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"has no \.jpg file"), open_tiles(tmp_path, S7):
        pass


def test_empty_zip_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"has no \.jpg file"), open_tiles(zip_of(tmp_path / "t.zip", {}), S7):
        pass


def test_missing_input_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="There is no folder or zip"), open_tiles(tmp_path / "nowhere", S7):
        pass


def test_other_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "tiles.tar").write_bytes(b"no zip")

    with pytest.raises(InputError, match="neither a folder"), open_tiles(tmp_path / "tiles.tar", S7):
        pass


def test_two_tiles_of_one_name_are_refused(tmp_path: Path) -> None:
    archive = zip_of(tmp_path / "t.zip", {"a/1_0.jpg": jpg(), "b/1_0.jpg": jpg()})

    with pytest.raises(InputError, match=r"two tiles called 1_0: a/1_0.jpg and b/1_0.jpg"), open_tiles(archive, S7):
        pass


def test_wrong_size_names_file_and_sizes() -> None:
    with pytest.raises(InputError, match=r"1_0.jpg is 496×504 pixels; track s7 has 504×504"):
        decode_jpg(jpg((496, 504)), "1_0.jpg", S7)


def test_another_format_is_refused() -> None:
    with pytest.raises(InputError, match=r"1_0.jpg is not a JPG"):
        decode_jpg(jpg(form="PNG"), "1_0.jpg", S7)


def test_grey_jpg_is_refused() -> None:
    with pytest.raises(InputError, match="mode L"):
        decode_jpg(jpg(mode="L"), "1_0.jpg", S7)


def test_truncated_jpg_names_its_file(tiles: Path) -> None:
    data = (tiles / "6_2.jpg").read_bytes()

    with pytest.raises(InputError, match=r"6_2.jpg cannot be decoded"):
        decode_jpg(data[: len(data) // 2], "6_2.jpg", S7)


@pytest.mark.parametrize("side", [12_000, 30_000])
def test_a_header_that_claims_a_huge_image_is_refused(side: int) -> None:
    data = jpg((8, 8))
    frame = data.index(b"\xff\xc0") + 5  # height and width follow marker, length and precision
    huge = data[:frame] + side.to_bytes(2) * 2 + data[frame + 4 :]

    with pytest.raises(InputError, match=r"1_0.jpg"):
        decode_jpg(huge, "1_0.jpg", S7)


def test_huge_file_is_not_read_whole(tmp_path: Path) -> None:
    archive = tmp_path / "t.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as writer:
        writer.writestr("1_0.jpg", bytes(MAX_TILE_BYTES + 1))

    with open_tiles(archive, S7) as source, pytest.raises(InputError, match=r"1_0.jpg is larger than 8 MiB"):
        source.load("1_0")


def test_damaged_entry_names_its_file(tmp_path: Path) -> None:
    archive = zip_of(tmp_path / "t.zip", {"1_0.jpg": jpg()})
    data = bytearray(archive.read_bytes())
    data[200] ^= 0xFF  # stored, so that only the checksum can tell
    archive.write_bytes(data)

    with open_tiles(archive, S7) as source, pytest.raises(InputError, match=r"1_0.jpg cannot be read from the zip"):
        source.load("1_0")


def test_encrypted_entry_names_its_file(tmp_path: Path) -> None:
    archive = zip_of(tmp_path / "t.zip", {"1_0.jpg": jpg()})
    data = bytearray(archive.read_bytes())
    data[6] |= 1  # the flag in the entry's header, and in the directory's
    data[data.index(b"PK\x01\x02") + 8] |= 1
    archive.write_bytes(data)

    with open_tiles(archive, S7) as source, pytest.raises(InputError, match=r"1_0.jpg .*encrypted"):
        source.load("1_0")


def test_leading_zeros_do_not_count() -> None:
    assert sorted(["a10", "a009", "a0", "a00011"], key=natural_key) == ["a0", "a009", "a10", "a00011"]


def test_endless_digits_can_be_sorted() -> None:
    assert sorted(["1" * 5000, "2"], key=natural_key)[0] == "2"
