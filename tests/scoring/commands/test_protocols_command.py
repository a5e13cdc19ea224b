"""``python -m scoring protocols``: a list, an explanation, an organiser's mistakes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from scoring.cli import main
from scoring.protocol import Protocol, available_protocols, load_protocol
from scoring.protocol_text import explain

SHIPPED = Path(__file__).resolve().parents[3] / "scoring" / "protocols"


def test_the_list_has_a_line_for_each(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["protocols"]) == 0

    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == available_protocols()
    assert lines[1].endswith("AIM 2022 Reversed ISP, Track 1: Samsung S7")


def test_the_list_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["protocols", "--json", "-"]) == 0

    data = json.loads(capsys.readouterr().out)
    assert [Protocol.from_json(item).name for item in data] == available_protocols()


def test_one_as_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["protocols", "aim22-p20", "--json", str(tmp_path / "p.json")]) == 0

    assert json.loads((tmp_path / "p.json").read_text()) == load_protocol("aim22-p20").to_json()
    assert capsys.readouterr().out.startswith("aim22-p20: ")


def test_one_as_json_alone(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["protocols", "aim22-p20", "--json", "-"]) == 0

    assert json.loads(capsys.readouterr().out)["name"] == "aim22-p20"


def test_an_organisers_own_file_is_explained(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "mine.toml").write_text((SHIPPED / "aim22-s7.toml").read_text("utf-8"), "utf-8")

    assert main(["protocols", str(tmp_path / "mine.toml")]) == 0
    assert "252 × 252 pixels" in capsys.readouterr().out


def test_its_mistakes_are_listed_with_their_lines(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = (SHIPPED / "aim22-s7.toml").read_text("utf-8").replace("= 1024", "= -1")
    (tmp_path / "mine.toml").write_text(text, "utf-8")

    assert main(["protocols", str(tmp_path / "mine.toml")]) == 1
    assert [line.split(": ")[-2] for line in capsys.readouterr().err.splitlines()] == ["max_value", "level_scale"]


def test_a_name_that_does_not_exist(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["protocols", "aim23"]) == 1
    assert "there is no protocol 'aim23'" in capsys.readouterr().err


# --- In plain words -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "sentences"),
    [
        (
            "aim22-s7",
            [
                "Every image is 252 × 252 pixels with 4 channels, in .npy files (numpy.save); values are uint16",
                "1024 counts as 1.0, and 1024 is the largest allowed",
                "ssim: SSIM, the mean over the channels (taps 13, sigma 1.5, crop_px 5, sample_covariance False)",
                "1. PSNR [dB] is the mean of psnr over all images; higher is better; values within 1e-06 are equal",
                "Images are tiles of photos",
            ],
        ),
        ("ntire24-raw-sr", ["the height and width of its reference, and 4 channels", "the max_val of its reference"]),
        (
            "ntire25-raw-restoration",
            ["PSNR, blur [dB] is the mean of psnr over the images of blur", "subsets.json in the reference set says"],
        ),
        ("mai22-learned-isp", ["Score is 2^(2·psnr) / (1.10e12 · runtime_ms)", "Note: Unverified: the score"]),
        ("ntire26-unpaired-isp", ["ΔE2000 is the mean of delta_e over all images; lower is better"]),
    ],
)
def test_an_explanation_says_what_matters(name: str, sentences: list[str]) -> None:
    text = " ".join(explain(load_protocol(name)).split())

    for sentence in sentences:
        assert " ".join(sentence.split()) in text


def test_limits_channels_and_names_of_subsets_are_explained() -> None:
    data = load_protocol("ntire25-raw-from-srgb").to_json()
    protocol = Protocol.from_json(
        {
            **data,
            "max_parameters": 200_000,
            "subset_pattern": "^(?P<subset>known|unknown)",
            "metrics": ["psnr", "ssim", "psnr_red"],
            "parameters": {"psnr_red": {"metric": "psnr", "channel": 0}},
        }
    )

    text = " ".join(explain(protocol).split())

    assert "Eligible with at most 200,000 parameters" in text
    assert "identical images (of channel 0 alone)" in text
    assert "its name says which one an image belongs to" in text
