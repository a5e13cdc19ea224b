"""The networks are the published ones: sizes, orders of channels, and where each value comes from."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from baselines.cfa import mosaic as mosaic_of
from baselines.data.isp import demosaic as demosaic_of
from baselines.learned_isp import model as learned_isp
from baselines.learning.network import WHOLE_TILE, count_macs, count_parameters, example_inputs, receptive_field
from baselines.mbispld import model as mbispld
from baselines.mbispld.layers import demosaic, inverse_of, mosaic
from baselines.unet import model as unet

FHD_TILES = 1088 * 1920 / 256**2


def test_unet_has_the_published_number_of_parameters() -> None:
    assert count_parameters(unet.build("s7")) == 1_861_764


def test_learned_isp_has_the_published_number_of_parameters() -> None:
    assert count_parameters(learned_isp.build("mai22")) == 6_805


def test_learned_isp_has_the_published_number_of_macs() -> None:
    assert count_macs(learned_isp.build, "mai22") * FHD_TILES == pytest.approx(6.2e9, rel=0.01)


def test_mbispld_is_small() -> None:
    assert 4e5 < count_parameters(mbispld.build("s7")) < 6e5


def test_tone_network_of_mbispld_has_the_published_widths() -> None:
    assert count_parameters(mbispld.build("s7").reverse_tone) == 2_339


@pytest.mark.parametrize(("track", "half"), [("s7", 252), ("p20", 248)])
def test_unet_predicts_the_tracks_shape(track: str, half: int) -> None:
    with torch.device("meta"):
        assert unet.build(track)(*example_inputs(track, device="meta")).shape == (1, 4, half, half)


def test_unet_takes_the_even_pixels_of_the_full_resolution() -> None:
    torch.manual_seed(0)
    network, (rgb, place) = unet.build("s7"), example_inputs("s7", size=16)
    rgb = torch.rand_like(rgb)
    full: list[torch.Tensor] = []
    network.head.register_forward_hook(lambda _layer, _inputs, output: full.append(output))

    half = network(rgb, place)

    nearest = torch.nn.functional.interpolate(full[0], size=(8, 8))  # as the starter kit has it
    assert torch.equal(half, nearest.clamp(0, 1))


def test_receptive_field_of_unet() -> None:
    assert receptive_field(unet.build("s7"), "s7") == 44


def test_receptive_field_of_what_looks_at_the_whole_tile() -> None:
    assert receptive_field(learned_isp.build("mai22"), "mai22") == WHOLE_TILE


def test_depth_to_space_has_tensorflows_order() -> None:
    channels = torch.arange(12.0).reshape(1, 12, 1, 1)

    spread = learned_isp.depth_to_space(channels)

    # tf.nn.depth_to_space of the channels 0..11: pixel (dy, dx) has 3·(2·dy + dx) + colour
    assert spread[0].permute(1, 2, 0).tolist() == [[[0, 1, 2], [3, 4, 5]], [[6, 7, 8], [9, 10, 11]]]


def test_learned_isp_reads_the_files_order_of_channels() -> None:
    network = learned_isp.build("mai22")
    seen: list[torch.Tensor] = []
    network.conv1.register_forward_pre_hook(lambda _layer, inputs: seen.append(inputs[0]))
    blue, second_green, red, first_green = 4096.0, 2048.0, 1024.0, 512.0

    network(torch.tensor([blue, second_green, red, first_green]).reshape(1, 4, 1, 1).repeat(1, 1, 8, 8))

    assert seen[0][0, :, 0, 0].tolist() == [0.25, 0.125, 0.5, 1.0]  # R, Gr, Gb, B


@pytest.mark.parametrize("colour", [0, 1, 2])
def test_mosaic_of_a_network_is_the_packages(colour: int) -> None:
    rgb = np.zeros((8, 8, 3), np.float32)
    rgb[..., colour] = np.random.default_rng(colour).uniform(size=(8, 8))

    packed = mosaic(torch.from_numpy(rgb).permute(2, 0, 1)[None])

    assert np.array_equal(packed[0].permute(1, 2, 0).numpy(), mosaic_of(rgb))


def test_demosaic_of_a_network_is_the_packages() -> None:
    packed = np.random.default_rng(0).uniform(size=(8, 10, 4)).astype(np.float32)

    rgb = demosaic(torch.from_numpy(packed).permute(2, 0, 1)[None])

    assert np.allclose(rgb[0].permute(1, 2, 0).numpy(), demosaic_of(packed), atol=1e-6)


def test_inverse_by_cofactors() -> None:
    matrices = torch.tensor([[[1.2, -0.2, 0.0], [-0.3, 1.5, -0.2], [0.1, -0.4, 1.3]]])

    assert torch.allclose(matrices @ inverse_of(matrices), torch.eye(3), atol=1e-6)
