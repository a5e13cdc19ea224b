"""Images in .npz, PNG and JPEG files: those that are read, and those that are refused."""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from scoring.archive import ArchiveError, Limits
from scoring.images import Decoded, decode, level_fault, read_header
from scoring.manifest import FileSpec
from scoring.pictures import MAX_PIXELS, open_picture
from scoring.protocol import Protocol, load_protocol
from tests.scoring.archives import npy_bytes
from tests.scoring.pictures import npz_bytes, npz_of, picture_bytes, png_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

RAW = np.random.default_rng(5).integers(0, 4096, (12, 14, 4), dtype=np.uint16)
PIXELS = np.random.default_rng(5).integers(0, 256, (12, 14, 3), dtype=np.uint8)
NPZ = load_protocol("ntire24-raw-sr")
JPG = load_protocol("ntire26-unpaired-isp")
PNG = Protocol.from_json({**JPG.to_json(), "container": "png"})


def read(data: bytes, protocol: Protocol, shape: tuple[int, ...] | None = None, **options: Any) -> Decoded:
    spec = FileSpec("6_0", shape or protocol.shape, protocol.dtype, protocol.container)
    return decode(data, spec, protocol, file=f"6_0{protocol.suffix}", **options)


def refusal(data: bytes, protocol: Protocol, shape: tuple[int, ...] | None = None, **options: Any) -> str:
    with pytest.raises(ArchiveError) as error:
        read(data, protocol, shape, **options)
    assert error.value.problem.message.startswith(f"6_0{protocol.suffix} ")
    return error.value.problem.code


# --- .npz ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("compressed", [False, True])
def test_a_npz_is_read_as_numpy_wrote_it(compressed: bool) -> None:
    decoded = read(npz_bytes(RAW, 4095, compressed=compressed), NPZ)

    np.testing.assert_array_equal(decoded.pixels, RAW)
    assert decoded.max_val == 4095.0


@pytest.mark.parametrize("max_val", [4095, 4095.0, np.uint16(4095), np.array([4095]), np.array([[4095.0]])])
def test_a_max_val_is_one_number_in_any_form(max_val: Any) -> None:
    assert read(npz_bytes(RAW, max_val), NPZ).max_val == 4095.0


@pytest.mark.parametrize(
    "max_val",
    [0, -1, 65536, np.nan, np.inf, True, "4095", 1j, np.array([1, 2]), np.zeros(0), np.array(None), np.zeros(5000)],
)
def test_any_other_max_val_is_refused(max_val: Any) -> None:
    assert refusal(npz_bytes(RAW, max_val), NPZ) == "max-val-invalid"


def test_a_max_val_that_is_no_npy_is_refused() -> None:
    members = {"raw.npy": npy_bytes(RAW), "max_val.npy": b"4095"}

    assert refusal(npz_of(members), NPZ) == "max-val-invalid"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"PK\x03\x04",
        npy_bytes(RAW),
        npz_bytes(RAW)[:-9],
        npz_bytes(RAW, extra=1),
        npz_of({"raw.npy": npy_bytes(RAW)}),
        npz_of({"raw.npy": npy_bytes(RAW), "../max_val.npy": npy_bytes(np.array(4095))}),
        npz_of({"raw.npy": npy_bytes(RAW), "max_val.npy": npy_bytes(np.array(4095))}, zipfile.ZIP_LZMA),
        npz_of({"raw.npy": bytes(9 << 20), "max_val.npy": npy_bytes(np.array(4095))}, zipfile.ZIP_DEFLATED),
    ],
    ids=["empty", "cut", "npy", "truncated", "third", "alone", "other path", "lzma", "bomb"],
)
def test_a_zip_that_is_not_just_the_two_is_refused(data: bytes) -> None:
    assert refusal(data, NPZ) == "npz-malformed"


def test_a_npz_whose_headers_differ_is_refused() -> None:
    data = bytearray(npz_bytes(RAW))
    data[30] ^= 1  # the first letter of raw.npy, in front of its data

    assert refusal(bytes(data), NPZ) == "npz-malformed"


def test_damage_in_the_image_is_the_npzs() -> None:
    data = bytearray(npz_bytes(RAW))
    data[200] ^= 1

    assert refusal(bytes(data), NPZ) == "npz-malformed"


def test_an_image_larger_than_the_limits_is_refused() -> None:
    assert refusal(npz_bytes(RAW), NPZ, limits=Limits(max_entry_bytes=1000)) == "npz-malformed"


def test_objects_in_a_npz_are_never_unpickled() -> None:
    assert refusal(npz_bytes(np.array([None])), NPZ) == "pickled-array"


@pytest.mark.parametrize(
    ("raw", "code"),
    [(RAW.astype(np.float32), "wrong-dtype"), (RAW[..., :3], "wrong-shape"), (RAW[0], "wrong-shape")],
)
def test_the_image_of_a_npz_is_the_protocols(raw: NDArray[Any], code: str) -> None:
    assert refusal(npz_bytes(raw), NPZ) == code


def test_the_shape_of_the_reference_is_expected_where_it_is_known() -> None:
    assert refusal(npz_bytes(RAW), NPZ, (12, 12, 4)) == "wrong-shape"


@pytest.mark.parametrize(("level", "fine"), [(4095.0, True), (1023.0, False)])
def test_a_submission_keeps_the_level_of_its_input(level: float, fine: bool) -> None:
    fault = level_fault(Decoded(RAW, level), Decoded(RAW, 4095.0), file="6_0.npz")

    assert (fault is None) == fine
    assert fine or (fault is not None and "4095" not in fault.message)


# --- PNG and JPEG -------------------------------------------------------------------------------------------------


def test_a_png_is_read_exactly() -> None:
    decoded = read(picture_bytes(PIXELS), PNG, (12, 14, 3))

    np.testing.assert_array_equal(decoded.pixels, PIXELS)
    assert (decoded.pixels.dtype.name, decoded.max_val) == ("uint8", None)


def test_a_jpeg_is_read_as_pillow_reads_it() -> None:
    data = picture_bytes(PIXELS, "jpg", quality=95)

    np.testing.assert_array_equal(read(data, JPG).pixels, np.asarray(Image.open(io.BytesIO(data))))


def test_a_rotation_in_the_metadata_is_ignored() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by 90°
    turned = picture_bytes(PIXELS, "jpg", quality=95, exif=exif)

    np.testing.assert_array_equal(read(turned, JPG).pixels, read(picture_bytes(PIXELS, "jpg", quality=95), JPG).pixels)


@pytest.mark.parametrize("mode", ["L", "RGBA", "P", "1", "LA", "I;16"])
def test_a_png_of_another_mode_is_refused(mode: str) -> None:
    data = picture_bytes(RAW[..., 0]) if mode == "I;16" else picture_bytes(PIXELS, mode=mode)

    assert refusal(data, PNG) == "wrong-picture-mode"


@pytest.mark.parametrize("mode", ["L", "CMYK"])
def test_a_jpeg_of_another_mode_is_refused(mode: str) -> None:
    assert refusal(picture_bytes(PIXELS, "jpg", mode=mode), JPG) == "wrong-picture-mode"


def test_a_png_of_16_bits_is_refused() -> None:
    """Pillow would read the upper half of every value."""
    data = png_of(2, 2, depth=16, data=bytes(2 * (1 + 2 * 3 * 2)))

    assert refusal(data, PNG) == "wrong-picture-mode"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x89PNG\r\n\x1a\n",
        picture_bytes(PIXELS, "jpg"),
        picture_bytes(PIXELS)[:60],
        picture_bytes(PIXELS)[:-30],
        png_of(14, 12, data=b"too short"),
        png_of(0, 0),
    ],
    ids=["empty", "signature", "jpeg", "cut in the header", "cut in the pixels", "too few pixels", "no pixels"],
)
def test_a_damaged_png_is_refused(data: bytes) -> None:
    assert refusal(data, PNG) == "picture-malformed"


@pytest.mark.parametrize("data", [picture_bytes(PIXELS), b"\xff\xd8\xff", picture_bytes(PIXELS, "jpg")[:-40]])
def test_a_damaged_jpeg_is_refused(data: bytes) -> None:
    assert refusal(data, JPG) == "picture-malformed"


@pytest.mark.parametrize(("width", "height"), [(MAX_PIXELS, 2), (1 << 30, 1 << 30), (1 << 14, 1 << 13), (8200, 8192)])
def test_a_bomb_is_refused_before_it_is_decoded(width: int, height: int) -> None:
    assert refusal(png_of(width, height), PNG) == "picture-too-large"


def test_the_announced_size_is_compared_before_the_pixels_are_decoded() -> None:
    """There are none."""
    assert refusal(png_of(4000, 4000), PNG, (12, 14, 3)) == "wrong-shape"


def test_opening_decodes_nothing() -> None:
    assert open_picture(png_of(14, 12), "png", (12, 14, 3), file="6_0.png").size == (14, 12)


# --- Headers alone ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "container", "expected"),
    [
        (npy_bytes(RAW), "npy", ((12, 14, 4), "uint16")),
        (npz_bytes(RAW), "npz", ((12, 14, 4), "uint16")),
        (picture_bytes(PIXELS), "png", ((12, 14, 3), "uint8")),
        (picture_bytes(PIXELS, "jpg"), "jpg", ((12, 14, 3), "uint8")),
    ],
)
def test_a_header_tells_shape_and_type(data: bytes, container: str, expected: tuple[Any, ...]) -> None:
    assert read_header(data, container, file="6_0") == expected


@pytest.mark.parametrize("container", ["npy", "npz", "png", "jpg"])
def test_a_header_that_is_none_is_refused(container: str) -> None:
    with pytest.raises(ArchiveError):
        read_header(b"?", container, file="6_0")


# --- Anything -----------------------------------------------------------------------------------------------------

GOOD = {"npz": npz_bytes(RAW), "png": picture_bytes(PIXELS), "jpg": picture_bytes(PIXELS, "jpg")}


@pytest.mark.parametrize("protocol", [NPZ, PNG, JPG], ids=["npz", "png", "jpg"])
@given(data=st.data())
def test_whatever_the_bytes_an_image_or_a_problem_comes_of_them(protocol: Protocol, data: st.DataObject) -> None:
    content = bytearray(GOOD[protocol.container])
    for _ in range(data.draw(st.integers(1, 6))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    end = data.draw(st.integers(0, len(content)) | st.just(len(content)))
    try:
        decoded = read(bytes(content[:end]), protocol)
    except ArchiveError:
        return
    assert decoded.pixels.ndim == 3
