from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest
from django.template import Context, Template
from django.utils import timezone

from bayerboard.lib.templatetags import bayerboard_tags as tags
from scoring.manifest import FileSpec, Manifest
from scoring.protocol import Column, load_protocol

if TYPE_CHECKING:
    from pytest_django.fixtures import Settings

PSNR = Column(key="psnr", label="PSNR", direction="desc", precision=2, unit="dB")


def test_score_has_the_precision_of_its_column() -> None:
    assert tags.score(31.8651, PSNR) == "31.87"


@pytest.mark.parametrize("missing", [None, float("nan"), ""])
def test_score_that_is_missing_is_a_dash(missing: float | str | None) -> None:
    assert tags.score(missing, PSNR) == "–"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0036, "3.6 ms"),
        (0.9996, "1 s"),
        (0, "0 s"),
        (19.818, "19.8 s"),
        (1234.5, "1,234 s"),
        (-1.0, "–"),
        (float("inf"), "–"),
        (None, "–"),
        ("", "–"),
    ],
)
def test_seconds(value: float | str | None, text: str) -> None:
    assert tags.seconds(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0 bytes"),
        (1, "1 byte"),
        (999, "999 bytes"),
        (9_211, "9.2 KB"),
        (999_960, "1.0 MB"),
        (80_412_331, "80.4 MB"),
        (500_000_000, "500 MB"),
        (2_510_000_000, "2.5 GB"),
        (None, "–"),
    ],
)
def test_size(value: int | None, text: str) -> None:
    assert tags.size(value) == text


@pytest.mark.parametrize(("value", "text"), [(1e-06, "0.000001"), (1024.0, "1024"), (0.5, "0.5")])
def test_plain(value: float, text: str) -> None:
    assert tags.plain(value) == text


def test_shape() -> None:
    assert tags.shape((252, 252, 4)) == "252 × 252 × 4"


@pytest.mark.parametrize(("count", "text"), [(1, "1 image"), (0, "0 images"), (1200, "1,200 images")])
def test_plural(count: int, text: str) -> None:
    assert tags.plural(count, "image") == text


def test_get_of_a_missing_mapping_is_none() -> None:
    assert tags.get(None, "psnr") is None


def test_moment_names_the_time_zone_for_people_and_for_machines() -> None:
    html = tags.moment(datetime(2026, 3, 3, 22, 59, tzinfo=UTC), ZoneInfo("Europe/Zurich"))
    assert html == '<time datetime="2026-03-03T23:59:00+01:00">3 Mar 2026, 23:59 CET</time>'


def test_moment_takes_the_name_of_a_zone() -> None:
    assert "22:59 UTC" in tags.moment(datetime(2026, 3, 3, 22, 59, tzinfo=UTC), "UTC")


def test_moment_that_is_missing_is_a_dash() -> None:
    assert tags.moment(None) == "–"


def test_ago_just_now() -> None:
    assert tags.ago(timezone.now()) == "just now"


def test_ago_in_one_unit() -> None:
    assert tags.ago(timezone.now() - timedelta(hours=3, minutes=5)) == "3\N{NO-BREAK SPACE}hours ago"


def test_left_in_two_units() -> None:
    assert tags.left(timezone.now() + timedelta(days=2, hours=3, seconds=30)) == (
        "2\N{NO-BREAK SPACE}days, 3\N{NO-BREAK SPACE}hours"
    )


def test_markdown_shows_raw_html_as_text() -> None:
    assert "<script>" not in tags.markdown("<script>alert(1)</script>")


def test_markdown_makes_no_link_that_runs_something() -> None:
    assert "href" not in tags.markdown("[press](javascript:alert(1))")


def test_markdown_leaves_the_first_heading_to_the_page() -> None:
    assert tags.markdown("# Title\n\n### Deeper") == "<h2>Title</h2>\n<h3>Deeper</h3>\n"


def test_markdown_knows_tables() -> None:
    assert "<td>480</td>" in tags.markdown("|phase|tiles|\n|-|-|\n|dev|480|")


def test_markdown_of_nothing_is_empty() -> None:
    assert tags.markdown(None) == ""


def test_icon_is_silent_to_screen_readers(settings: Settings) -> None:
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = {**settings.STORAGES, "staticfiles": plain}
    html = Template("{% load bayerboard_tags %}{% icon 'check' %}").render(Context())
    assert 'aria-hidden="true"' in html
    assert "icons" in html


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (190_000, "0.19 M"),
        (1_940_000, "1.94 M"),
        (850, "850"),
        (12.5e9, "12.5 G"),
        (2e12, "2 T"),
        (0, "0"),
        (-1.0, "–"),
        (None, "–"),
        ("", "–"),
    ],
)
def test_amount(value: float | str | None, text: str) -> None:
    assert tags.amount(value) == text


@pytest.mark.parametrize(
    ("parameters", "macs", "text"),
    [
        (2e5, 12e9, "at most 0.2 M parameters and 12 G MACs per image"),
        (2e5, None, "at most 0.2 M parameters"),
        (None, 12e9, "at most 12 G MACs per image"),
    ],
)
def test_limits(parameters: float | None, macs: float | None, text: str) -> None:
    protocol = replace(load_protocol("aim22-s7"), max_parameters=parameters, max_macs=macs)
    assert tags.limits(protocol) == text


def manifest(*shapes: tuple[int, ...]) -> Manifest:
    return Manifest(tuple(FileSpec(f"{number}", shape, "uint16") for number, shape in enumerate(shapes)))


@pytest.mark.parametrize(
    ("protocol", "shapes", "text"),
    [
        ("aim22-s7", [], "252 × 252 × 4"),
        ("aim22-s7", [(252, 252, 4)], "252 × 252 × 4"),
        ("ntire24-raw-sr", [], "that of each reference × 4"),
        ("ntire24-raw-sr", [(0, 0, 4)], "that of each reference × 4"),
        ("ntire24-raw-sr", [(48, 64, 4), (48, 64, 4)], "48 × 64 × 4"),
        ("ntire24-raw-sr", [(96, 80, 4), (48, 64, 4)], "differs from image to image, 48 × 64 × 4 to 96 × 80 × 4"),
    ],
)
def test_expected_shape(protocol: str, shapes: list[tuple[int, ...]], text: str) -> None:
    assert tags.expected_shape(load_protocol(protocol), manifest(*shapes)) == text


@pytest.mark.parametrize(
    ("protocol", "labels"),
    [
        ("aim22-p20", ["SSIM", "PSNR"]),
        ("ntire26-unpaired-isp", ["PSNR", "SSIM", "ΔE2000"]),
        ("ntire25-raw-restoration", ["PSNR", "SSIM"]),
    ],
)
def test_headlines_tell_nothing_of_subsets(protocol: str, labels: list[str]) -> None:
    assert [column.label for column in tags.headlines(load_protocol(protocol).columns)] == labels
