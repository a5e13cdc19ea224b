from __future__ import annotations

import pytest
import torch

from baselines.data.camera import CAMERAS, rgb_to_camera
from baselines.data.frames import FULL_GRID
from baselines.learning.network import example_inputs
from baselines.mbispld.atoms import describe
from baselines.mbispld.model import Mbispld, build

LIT = 0.02  # a sigmoid of the first bias takes 5 % of the light, twice


@pytest.fixture
def network() -> Mbispld:
    torch.manual_seed(0)
    return build("s7").eval()


@pytest.fixture
def smooth() -> torch.Tensor:
    """Return an RGB N×3×64×64 of slow waves, neither black nor white."""
    waves = torch.sin(torch.linspace(0, 3, 64))
    return (
        0.4
        + 0.15
        * torch.stack([waves[None, :] * waves[:, None], waves[None, :].expand(64, 64), waves[:, None].expand(64, 64)])[
            None
        ]
    )


def test_tone_networks_are_the_identity_at_first(network: Mbispld, smooth: torch.Tensor) -> None:
    assert torch.equal(network.reverse_tone(smooth), smooth)


def test_rgb_comes_back_from_its_raw(network: Mbispld, smooth: torch.Tensor) -> None:
    _, place = example_inputs("s7", size=64)
    weights = torch.full((1, 8), 1 / 8)

    raw = network.reverse(smooth, place, weights, weights).result
    rgb = network.develop(raw, place, weights, weights).result

    assert (rgb - smooth).abs()[..., 2:-2, 2:-2].max() < 0.05


def test_raw_comes_back_from_its_rgb(network: Mbispld, smooth: torch.Tensor) -> None:
    _, place = example_inputs("s7", size=64)
    weights = torch.full((1, 8), 1 / 8)
    raw = network.reverse(smooth, place, weights, weights).result

    again = network.reverse(network.develop(raw, place, weights, weights).result, place, weights, weights).result

    assert (again - raw).abs()[..., 1:-1, 1:-1].max() < LIT


def test_white_stays_white_in_every_atom(network: Mbispld) -> None:
    assert torch.allclose(network.colours.atoms().sum(dim=2), torch.ones(8, 3), atol=1e-6)


def test_first_atoms_are_the_cameras_of_unprocessing(network: Mbispld) -> None:
    known = network.colours.atoms()[:4].detach()

    mixed = torch.einsum("a,aij->ij", torch.tensor(CAMERAS["s7"].mix), known)

    assert torch.allclose(mixed, torch.tensor(rgb_to_camera(CAMERAS["s7"]), dtype=torch.float32), atol=0.05)


def test_gains_are_positive_whatever_is_learned(network: Mbispld) -> None:
    with torch.no_grad():
        network.gains.triples.sub_(5)

    assert bool((network.gains.atoms() > 0).all())


def test_encoders_mix_convexly(network: Mbispld, smooth: torch.Tensor) -> None:
    weights = network.reverse_colour(smooth)

    assert bool((weights >= 0).all())
    assert weights.sum().item() == pytest.approx(1)


def test_lens_is_one_over_the_whole_photo(network: Mbispld) -> None:
    left, right = (torch.from_numpy(FULL_GRID.place(name))[None] for name in ("1_0", "1_1"))

    tiles = [network.shading.gaussian(place, 64, 64)[0, 0] for place in (left, right)]

    step = (tiles[0][:, -1] - tiles[0][:, -2]).mean()
    assert (tiles[1][:, 0] - tiles[0][:, -1]).mean().item() == pytest.approx(step.item(), rel=0.05)
    assert tiles[0][0, 0] < tiles[1][0, -1]  # the corner is darker


def test_levels_of_the_camera_are_kept() -> None:
    network = build("p20")
    levels = torch.tensor([60.0, 1020.0])

    assert network.light_of(levels).tolist() == pytest.approx([0, 1])


def test_nothing_is_black_at_the_black_level() -> None:
    tiles, place = example_inputs("p20", size=32)

    raw = build("p20")(torch.zeros_like(tiles), place)

    assert raw.min().item() * 1024 == pytest.approx(60, abs=0.1)


def test_atoms_can_be_read(network: Mbispld) -> None:
    text = describe(network)

    assert "white balance atoms" in text
    assert text.count(" / ") == 16
