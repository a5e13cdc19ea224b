"""Every protocol that ships, on data made for it: from the files to the columns."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from scoring.check import check_archive
from scoring.engine import score_archive
from scoring.manifest import Manifest
from scoring.metrics.delta_e import delta_e
from scoring.metrics.psnr import psnr
from scoring.metrics.ssim import ssim
from scoring.problems import ReferenceInvalid, SubmissionRejected
from scoring.protocol import Protocol, load_protocol
from scoring.protocol_text import explain
from scoring.reference import SUBSETS_FILE, Reference
from tests.scoring.archives import npy_bytes, write_submission
from tests.scoring.pictures import npz_bytes, picture_bytes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from scoring.report import ScoreReport

SHIPPED = Path(__file__).resolve().parents[2] / "scoring" / "protocols"
WANG: dict[str, Any] = {"taps": 11}
README = "runtime per frame [s] : 0.0068\nCPU[1] / GPU[0] : 0\nExtra Data [1] / No Extra Data [0] : 0\nOther : a test\n"


def image(protocol: Protocol, seed: int, shape: tuple[int, ...] | None = None) -> NDArray[Any]:
    """Return a ramp with noise, up to the largest value."""
    shape = shape or (24, 30, protocol.channels) if 0 in protocol.shape else protocol.shape
    ramp = np.linspace(0, 0.9, shape[0] * shape[1] * shape[2]).reshape(shape)
    noise = np.random.default_rng(seed).uniform(0, 0.1, shape)
    largest = 4095 if protocol.level_scale is None else protocol.max_value
    return np.asarray((ramp + noise) * largest).astype(protocol.dtype)


def zipped(path: Path, files: Mapping[str, bytes], readme: str | None = README) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
        if readme is not None:
            archive.writestr("readme.txt", readme)
    return path


def scored(tmp_path: Path, protocol: Protocol, truth: Mapping[str, bytes], sent: Mapping[str, bytes]) -> ScoreReport:
    reference_zip = zipped(tmp_path / "truth.zip", truth, None)
    submission = zipped(tmp_path / "sent.zip", sent)
    with Reference.open(reference_zip, protocol) as reference:
        return score_archive(submission, reference, protocol)


def rejected(tmp_path: Path, protocol: Protocol, truth: Mapping[str, bytes], sent: Mapping[str, bytes]) -> list[str]:
    with pytest.raises(SubmissionRejected) as rejection:
        scored(tmp_path, protocol, truth, sent)
    return [error.code for error in rejection.value.errors]


@pytest.mark.parametrize("path", sorted(SHIPPED.glob("*.toml")), ids=lambda path: path.stem)
def test_no_line_is_longer_than_people_read(path: Path) -> None:
    assert max(map(len, explain(load_protocol(path.stem)).splitlines())) <= 100


@pytest.mark.parametrize("name", ["aim22-s7", "aim22-p20"])
def test_aim_2022(tmp_path: Path, name: str) -> None:
    protocol = load_protocol(name)
    truth, sent = image(protocol, 1), image(protocol, 2)

    report = scored(tmp_path, protocol, {"6_0.npy": npy_bytes(truth)}, {"6_0.npy": npy_bytes(sent)})

    assert report.metrics == pytest.approx(
        {"psnr": psnr(truth, sent, data_range=1024), "ssim": ssim(truth, sent, data_range=1024)}, abs=1e-6
    )


def test_mai_2022_learned_isp(tmp_path: Path) -> None:
    protocol = load_protocol("mai22-learned-isp")
    truth, sent = image(protocol, 1), image(protocol, 2)

    report = scored(tmp_path, protocol, {"0.png": picture_bytes(truth)}, {"0.png": picture_bytes(sent)})

    expected = psnr(truth, sent, data_range=255)
    assert report.metrics["psnr"] == pytest.approx(expected, abs=1e-6)
    assert report.metrics["ssim"] == pytest.approx(ssim(truth, sent, data_range=255, **WANG), abs=1e-6)
    assert report.metrics["score"] == pytest.approx(2 ** (2 * expected) / (1.10e12 * 6.8))


def test_mai_2022_of_identical_pictures_has_no_score(tmp_path: Path) -> None:
    protocol = load_protocol("mai22-learned-isp")
    files = {"0.png": picture_bytes(image(protocol, 1))}

    report = scored(tmp_path, protocol, files, files)

    assert report.metrics.keys() == {"psnr", "ssim"}
    assert [warning.code for warning in report.warnings] == ["column-undefined"]


def test_ntire_2024_raw_super_resolution(tmp_path: Path) -> None:
    """Every file has a level and a shape of its own."""
    protocol = load_protocol("ntire24-raw-sr")
    truth = {"a": image(protocol, 1, (24, 30, 4)), "b": image(protocol, 2, (40, 20, 4))}
    sent = {"a": image(protocol, 3, (24, 30, 4)), "b": image(protocol, 4, (40, 20, 4))}
    levels = {"a": 4095, "b": 16383}

    report = scored(
        tmp_path,
        protocol,
        {f"{name}.npz": npz_bytes(array, levels[name]) for name, array in truth.items()},
        {f"{name}.npz": npz_bytes(array, float(levels[name]), compressed=True) for name, array in sent.items()},
    )

    for scores in report.images:
        pair = truth[scores.name], sent[scores.name]
        assert scores.values["psnr"] == pytest.approx(psnr(*pair, data_range=levels[scores.name]), abs=1e-6)
        assert scores.values["ssim"] == pytest.approx(ssim(*pair, data_range=levels[scores.name]), abs=1e-6)


def test_ntire_2024_keeps_the_level_of_the_input(tmp_path: Path) -> None:
    protocol = load_protocol("ntire24-raw-sr")
    array = image(protocol, 1)

    codes = rejected(tmp_path, protocol, {"a.npz": npz_bytes(array, 4095)}, {"a.npz": npz_bytes(array, 8191)})

    assert codes == ["max-val-differs"]


def test_ntire_2024_holds_no_value_above_its_level(tmp_path: Path) -> None:
    protocol = load_protocol("ntire24-raw-sr")
    array = image(protocol, 1)
    above = array.copy()
    above[0, 0, 0] = 4096

    codes = rejected(tmp_path, protocol, {"a.npz": npz_bytes(array, 4095)}, {"a.npz": npz_bytes(above, 4095)})

    assert codes == ["value-above-max"]


@pytest.mark.parametrize(
    ("raw", "code"),
    [(np.zeros((24, 28, 4), np.uint16), "wrong-shape"), (np.full((24, 30, 4), 0.5, np.float32), "looks-normalised")],
)
def test_ntire_2024_is_checked_before_it_is_scored(tmp_path: Path, raw: NDArray[Any], code: str) -> None:
    protocol = load_protocol("ntire24-raw-sr")

    assert rejected(tmp_path, protocol, {"a.npz": npz_bytes(image(protocol, 1))}, {"a.npz": npz_bytes(raw)}) == [code]


def subset_files(protocol: Protocol, seed: int) -> dict[str, bytes]:
    return {f"{n}.npy": npy_bytes(image(protocol, seed + n)) for n in range(len(protocol.subsets))}


@pytest.mark.parametrize("name", ["ntire25-raw-restoration", "ntire25-raw-from-srgb"])
def test_ntire_2025_has_columns_for_its_subsets(tmp_path: Path, name: str) -> None:
    protocol = load_protocol(name)
    told = {f"{n}": subset for n, subset in enumerate(protocol.subsets)}
    truth = {**subset_files(protocol, 0), SUBSETS_FILE: json.dumps(told).encode()}

    report = scored(tmp_path, protocol, truth, subset_files(protocol, 10))

    values = {f"{metric}_{told[i.name]}": value for i in report.images for metric, value in i.values.items()}
    assert {key: report.metrics[key] for key in values} == values
    assert report.metrics["psnr"] == pytest.approx(np.mean([i.values["psnr"] for i in report.images]))
    first = psnr(image(protocol, 0), image(protocol, 10), data_range=4095)
    assert report.images[0].values["psnr"] == pytest.approx(first, abs=1e-6)


def test_ntire_2025_efficient_is_a_line_more(tmp_path: Path) -> None:
    protocol = Protocol.from_json({**load_protocol("ntire25-raw-from-srgb").to_json(), "max_parameters": 200_000})
    truth = {**subset_files(protocol, 0), SUBSETS_FILE: b'{"0": "known", "1": "unknown"}'}
    sent = subset_files(protocol, 10)
    readmes = {True: "Parameters [M] : 0.19\n", False: "Parameters : 1,940,000\n", None: "Other : nothing\n"}

    found = {}
    with Reference.open(zipped(tmp_path / "truth.zip", truth, None), protocol) as reference:
        for key, readme in readmes.items():
            found[key] = score_archive(zipped(tmp_path / "sent.zip", sent, readme), reference, protocol).to_json()

    assert {key: data["eligible"] for key, data in found.items()} == {True: True, False: False, None: False}


def test_ntire_2026_unpaired_isp(tmp_path: Path) -> None:
    protocol = load_protocol("ntire26-unpaired-isp")
    truth = image(protocol, 1)
    sent = np.asarray(np.linspace(0, 255, 24 * 30 * 3).reshape(24, 30, 3)).astype(np.uint8)
    jpeg = picture_bytes(sent, "jpg", quality=95)

    report = scored(tmp_path, protocol, {"0.png": picture_bytes(truth)}, {"0.jpg": jpeg})

    (tmp_path / "0.jpg").write_bytes(jpeg)
    with Reference.open(tmp_path, protocol) as decoded:
        read_back = decoded.load("0")
    assert report.metrics == pytest.approx(
        {
            "psnr": psnr(truth, read_back, data_range=255),
            "ssim": ssim(truth, read_back, data_range=255, **WANG),
            "delta_e": delta_e(truth, read_back, data_range=255),
        },
        abs=1e-6,
    )


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (picture_bytes(np.zeros((24, 31, 3), np.uint8), "jpg"), "wrong-shape"),
        (picture_bytes(np.zeros((24, 30), np.uint8), "jpg"), "wrong-picture-mode"),
        (b"no picture", "picture-malformed"),
    ],
)
def test_ntire_2026_is_checked_before_it_is_scored(tmp_path: Path, sent: bytes, code: str) -> None:
    protocol = load_protocol("ntire26-unpaired-isp")
    truth = {"0.png": picture_bytes(image(protocol, 1))}

    assert rejected(tmp_path, protocol, truth, {"0.jpg": sent}) == [code]


def test_a_picture_of_the_other_kind_is_said_to_be(tmp_path: Path) -> None:
    protocol = load_protocol("ntire26-unpaired-isp")
    png = {"0.png": picture_bytes(image(protocol, 1))}

    assert rejected(tmp_path, protocol, png, png) == ["wrong-format"]


# --- References and manifests of these ----------------------------------------------------------------------------


def test_a_reference_tells_the_shapes_that_the_protocol_leaves_open(tmp_path: Path) -> None:
    protocol = load_protocol("ntire24-raw-sr")
    files = {"a.npz": npz_bytes(image(protocol, 1, (24, 30, 4))), "b.npz": npz_bytes(image(protocol, 1, (16, 20, 4)))}

    with Reference.open(zipped(tmp_path / "truth.zip", files, None), protocol) as reference:
        manifest, private = reference.manifest(), reference.private_manifest()

    assert [spec.shape for spec in manifest.files] == [(24, 30, 4), (16, 20, 4)]
    assert [described["max_val"] for described in private] == [4095.0, 4095.0]
    assert Manifest.from_json(manifest.to_json()) == manifest


def test_a_public_manifest_need_not_know_them() -> None:
    manifest = Manifest.for_names(["a"], load_protocol("ntire24-raw-sr"))

    assert manifest.to_json() == {"files": [{"name": "a", "shape": [0, 0, 4], "dtype": "uint16", "container": "npz"}]}
    assert Manifest.from_json(manifest.to_json()) == manifest


def test_the_private_manifest_has_the_subsets(tmp_path: Path) -> None:
    protocol = load_protocol("ntire25-raw-from-srgb")
    folder = tmp_path / "truth"
    folder.mkdir()
    for name, content in subset_files(protocol, 0).items():
        (folder / name).write_bytes(content)
    (folder / SUBSETS_FILE).write_text('{"0": "known", "1": "unknown"}')

    with Reference.open(folder, protocol) as reference:
        assert [described["subset"] for described in reference.private_manifest()] == ["known", "unknown"]


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        (b'{"0": "known"}', "1: is of no subset of the protocol (known, unknown)"),
        (b'{"0": "known", "1": ["known"]}', "1: is of no subset"),
        (b'{"0": "known", "1": "known"}', "no image is of the subset unknown"),
        (b"{", "subsets.json: not JSON"),
        (b"[" * 100_000, "subsets.json: not JSON"),
        (b"[]", "subsets.json: must be an object"),
        (None, "0: is of no subset"),
    ],
)
def test_images_without_a_subset_are_the_organisers_fault(tmp_path: Path, told: bytes | None, reason: str) -> None:
    protocol = load_protocol("ntire25-raw-from-srgb")
    files = subset_files(protocol, 0) | ({} if told is None else {SUBSETS_FILE: told})

    with pytest.raises(ReferenceInvalid) as error:
        Reference.open(zipped(tmp_path / "truth.zip", files, None), protocol)
    assert reason in str(error.value)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (npz_bytes(np.zeros((10, 24, 4), np.uint16)), "is uint16 of shape (10, 24, 4), not uint16 of its reference's"),
        (npz_bytes(np.zeros((24, 24, 3), np.uint16)), "is uint16 of shape (24, 24, 3)"),
        (npz_bytes(np.zeros((24, 24, 4), np.int16)), "is int16"),
        (b"?", "npz-malformed"),
    ],
)
def test_a_reference_that_no_metric_can_use_is_refused(tmp_path: Path, content: bytes, reason: str) -> None:
    protocol = load_protocol("ntire24-raw-sr")

    with pytest.raises(ReferenceInvalid) as error:
        Reference.open(zipped(tmp_path / "truth.zip", {"a.npz": content}, None), protocol)
    assert reason in str(error.value)


def test_a_reference_above_its_own_level_is_refused(tmp_path: Path) -> None:
    protocol = load_protocol("ntire24-raw-sr")
    path = zipped(tmp_path / "truth.zip", {"a.npz": npz_bytes(np.full((24, 24, 4), 1024, np.uint16), 1023)}, None)

    with Reference.open(path, protocol) as reference, pytest.raises(ReferenceInvalid, match="above 1023"):
        reference.load("a")


def test_a_png_and_a_jpeg_of_one_name_are_one_too_many(tmp_path: Path) -> None:
    protocol = load_protocol("ntire26-unpaired-isp")
    for name in ("0.png", "0.jpg"):
        (tmp_path / name).write_bytes(picture_bytes(image(protocol, 1), name[2:]))

    with pytest.raises(ReferenceInvalid, match="'0' is named twice"):
        Reference.open(tmp_path, protocol)


def test_a_level_per_file_needs_a_file_that_has_one() -> None:
    with pytest.raises(ValueError, match="the reference has no max_val"):
        load_protocol("ntire24-raw-sr").data_range(None)


def test_a_metric_may_see_one_channel(tmp_path: Path) -> None:
    data = load_protocol("aim22-s7").to_json()
    protocol = Protocol.from_json(
        {
            **data,
            "metrics": ["psnr", "ssim", "psnr_red"],
            "parameters": {"psnr_red": {"metric": "psnr", "channel": 0}},
        }
    )
    truth, sent = image(protocol, 1), image(protocol, 2)
    archive = write_submission(tmp_path / "sent.zip", {"6_0": sent})
    np.save(tmp_path / "6_0.npy", truth)

    with Reference.open(tmp_path, protocol) as reference:
        report = score_archive(archive, reference, protocol)

    assert report.metrics["psnr_red"] == psnr(truth[..., 0], sent[..., 0], data_range=1024)


@pytest.mark.parametrize(
    ("shape", "codes"),
    [((9, 5, 4), []), ((9, 5, 3), ["wrong-shape"]), ((9, 5), ["wrong-shape"]), ((0, 5, 4), ["wrong-shape"])],
)
def test_a_check_without_shapes_still_looks_at_the_channels(
    tmp_path: Path, shape: tuple[int, ...], codes: list[str]
) -> None:
    protocol = load_protocol("ntire24-raw-sr")
    archive = zipped(tmp_path / "sent.zip", {"a.npz": npz_bytes(np.zeros(shape, np.uint16))})

    report = check_archive(archive, Manifest.for_names(["a"], protocol), protocol)

    assert [error.code for error in report.errors] == codes
