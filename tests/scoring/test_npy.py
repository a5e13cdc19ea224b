"""The parser of .npy files: numpy's, those of other programs, and files that must not be read."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy
from numpy.lib import format as npy_format

from scoring.npy import MAGIC, MAX_DIMENSIONS, MAX_HEADER_BYTES, NpyError, decode_array, parse_header
from tests.scoring.archives import npy_bytes, npy_with_header

PLAIN = "{'descr': '<u2', 'fortran_order': False, 'shape': (2, 3, 4), }"


def code_of(data: bytes) -> str:
    with pytest.raises(NpyError) as error:
        parse_header(data)
    return error.value.code


@given(
    st_numpy.arrays(
        dtype=st.one_of(
            st_numpy.integer_dtypes(endianness="?"),
            st_numpy.unsigned_integer_dtypes(endianness="?"),
            st_numpy.floating_dtypes(endianness="?"),
            st_numpy.boolean_dtypes(),
        ),
        shape=st_numpy.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=5),
    ),
    st.booleans(),
)
def test_reads_what_numpy_writes(array: np.ndarray[Any, Any], fortran: bool) -> None:
    data = npy_bytes(np.asfortranarray(array) if fortran else array)

    decoded = decode_array(data, parse_header(data))

    np.testing.assert_array_equal(decoded, array)
    assert decoded.dtype == array.dtype.newbyteorder("=")
    assert decoded.flags.c_contiguous


@pytest.mark.parametrize("version", [(1, 0), (2, 0), (3, 0)])
def test_reads_every_version_of_the_format(version: tuple[int, int]) -> None:
    array = np.arange(24, dtype=np.uint16).reshape(2, 3, 4)
    buffer = io.BytesIO()
    npy_format.write_array(buffer, array, version=version)

    np.testing.assert_array_equal(decode_array(buffer.getvalue(), parse_header(buffer.getvalue())), array)


@pytest.mark.parametrize(
    "header",
    [
        PLAIN,
        "{'shape':(2,3,4),'fortran_order':False,'descr':'<u2'}",
        '{"descr": "<u2", "fortran_order": False, "shape": (2, 3, 4)}',
        "{ 'descr' : '<u2' ,\n 'fortran_order' : False , 'shape' : ( 2 , 3 , 4 , ) , }  \n",
    ],
)
def test_reads_what_other_programs_write(header: str) -> None:
    parsed = parse_header(npy_with_header(header))

    assert (parsed.dtype, parsed.fortran_order, parsed.shape) == (np.dtype("<u2"), False, (2, 3, 4))


@pytest.mark.parametrize(("text", "shape"), [("()", ()), ("( )", ()), ("(5,)", (5,)), ("(5, 6)", (5, 6))])
def test_reads_shapes_of_any_length(text: str, shape: tuple[int, ...]) -> None:
    header = f"{{'descr': '<u2', 'fortran_order': False, 'shape': {text}, }}"

    assert parse_header(npy_with_header(header)).shape == shape


@pytest.mark.parametrize(
    "header",
    [
        "",
        "{}",
        "{",
        PLAIN[:-1],
        PLAIN[1:],
        PLAIN + "x",
        PLAIN.replace("descr", "dtype"),
        PLAIN.replace("'fortran_order': False, ", ""),
        PLAIN.replace("False", "0"),
        PLAIN.replace("False", "__import__('os').abort()"),
        PLAIN.replace("(2, 3, 4)", "[2, 3, 4]"),
        PLAIN.replace("(2, 3, 4)", "(2, -3, 4)"),
        PLAIN.replace("(2, 3, 4)", "(2, , 4)"),
        PLAIN.replace("(2, 3, 4)", "(2 3)"),
        PLAIN.replace("(2, 3, 4)", "(5)"),
        PLAIN.replace("(2, 3, 4)", "(2, 3, 1e9)"),
        PLAIN.replace("(2, 3, 4)", "(1" + "0" * 18 + ",)"),
        PLAIN.replace("(2, 3, 4)", "(" + "1, " * (MAX_DIMENSIONS + 1) + ")"),
        PLAIN.replace("(2, 3, 4)", "'<u2'"),
        PLAIN.replace("'<u2'", "True"),
        PLAIN.replace("'<u2'", "'<u3'"),
        PLAIN.replace("}", "'descr': '<u4', }"),
        PLAIN.replace("<u2", "<u\xb2"),
    ],
)
def test_refuses_a_header_that_is_not_the_grammar(header: str) -> None:
    assert code_of(npy_with_header(header)) == "npy-malformed"


@pytest.mark.parametrize("size", [0, 5, 6, 7, 8, 9, 20])
def test_refuses_a_file_that_ends_inside_its_header(size: int) -> None:
    assert code_of(npy_with_header(PLAIN)[:size]) == "npy-malformed"


def test_refuses_an_unknown_version() -> None:
    assert code_of(npy_with_header(PLAIN, version=(4, 0))) == "npy-malformed"


def test_refuses_a_long_header_before_looking_at_it() -> None:
    announced = (MAX_HEADER_BYTES + 1).to_bytes(4, "little")

    assert code_of(MAGIC + b"\x02\x00" + announced) == "npy-header-too-long"


@pytest.mark.parametrize("descr", ["|O", "O", "|O8"])
def test_knows_pickled_objects_without_touching_them(descr: str) -> None:
    data = npy_with_header(PLAIN.replace("<u2", descr), b"cos\nabort\n(tR.")
    header = parse_header(data)

    assert header.is_pickled
    with pytest.raises(NpyError, match="pickled-array"):
        decode_array(data, header)


@pytest.mark.parametrize("descr", ["'<U5'", "'|S5'", "'<M8[ns]'", "[('a', '<u2'), ('b', '<f4')]"])
def test_other_types_are_read_by_name_only(descr: str) -> None:
    data = npy_with_header(PLAIN.replace("'<u2'", descr))
    header = parse_header(data)

    assert (header.dtype, header.data_bytes, header.dtype_name) == (None, None, descr.strip("'"))
    with pytest.raises(NpyError, match="npy-malformed"):
        decode_array(data, header)


@pytest.mark.parametrize("surplus", [-2, -1, 1])
def test_the_values_must_be_just_as_many_as_announced(surplus: int) -> None:
    data = npy_with_header(PLAIN, bytes(2 * 3 * 4 * 2 + surplus))

    with pytest.raises(NpyError, match="npy-wrong-length"):
        decode_array(data, parse_header(data))


def test_a_huge_announcement_takes_no_memory() -> None:
    data = npy_with_header(PLAIN.replace("(2, 3, 4)", f"({'9' * 18}, {'9' * 18})"))

    with pytest.raises(NpyError, match="npy-wrong-length"):
        decode_array(data, parse_header(data))


def is_refused_or_plain(data: bytes) -> bool:
    """Return whether a header is refused with our error, or is of plain numbers in a shape that makes sense."""
    try:
        header = parse_header(data)
    except NpyError:
        return True
    return (header.dtype is None or header.dtype.kind in "biufc") and all(side >= 0 for side in header.shape)


@given(st.binary(max_size=300))
@example(npy_with_header(PLAIN))
def test_any_bytes_are_a_header_or_an_npy_error(data: bytes) -> None:
    assert is_refused_or_plain(data)


@given(st.text(alphabet="{}[]()'\":, \n0123456789<>|=ufOdescrfortan_hpTlsFe", max_size=120))
def test_any_text_for_a_header_is_one_or_an_npy_error(text: str) -> None:
    assert is_refused_or_plain(npy_with_header(text))


@given(st.data())
def test_a_changed_file_is_read_as_numpy_reads_it_or_refused(data: st.DataObject) -> None:
    changed = bytearray(npy_bytes(np.arange(6, dtype="<u2").reshape(3, 2)))
    for _ in range(data.draw(st.integers(1, 4))):
        changed[data.draw(st.integers(0, len(changed) - 1))] = data.draw(st.integers(0, 255))
    try:
        header = parse_header(bytes(changed))
        array = decode_array(bytes(changed), header)
    except NpyError:
        return

    np.testing.assert_array_equal(array, np.load(io.BytesIO(bytes(changed)), allow_pickle=False))
