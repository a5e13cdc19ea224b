"""The parts of MBISPLD: tone networks, encoders, dictionaries, lens shading, mosaic and demosaic."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from baselines.data.camera import HIGHLIGHT, RGB2XYZ, XYZ2CAM

ENCODED_SIZE = 128
FIRST_SHADE_BIAS = 3.0  # a sigmoid of 0.95: nearly nothing is darkened at first
FIRST_SIGMA = 2.0  # of the lens, in half sides of the photo
LEAST_GAIN = 0.1
LEAST_SHADE = 0.1


class ToneNet(nn.Module):
    """A tone curve of all three colours: 1×1 convolutions 3→32→32→32→3 added to the image; the identity at first."""

    def __init__(self) -> None:
        super().__init__()
        last = nn.Conv2d(32, 3, 1)
        nn.init.zeros_(last.weight)
        nn.init.zeros_(cast("Tensor", last.bias))
        self.curve = nn.Sequential(
            nn.Conv2d(3, 32, 1), nn.ReLU(), nn.Conv2d(32, 32, 1), nn.ReLU(), nn.Conv2d(32, 32, 1), nn.ReLU(), last
        )

    def forward(self, image: Tensor) -> Tensor:
        """Return N×3×H×W in 0..1."""
        toned: Tensor = image + self.curve(image)
        return toned.clamp(0, 1)


class Encoder(nn.Module):
    """Looks at a small copy of the image and mixes the atoms: N×3×H×W → N×atoms, not negative, of sum 1."""

    def __init__(self, atoms: int) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(3, 32, 3, stride=2, padding=1),
            nn.ReLU(),
            nn.Conv2d(32, 64, 3, stride=2, padding=1),
            nn.ReLU(),
            nn.Conv2d(64, 128, 3, stride=2, padding=1),
            nn.ReLU(),
        )
        self.mix = nn.Sequential(nn.Linear(128, 64), nn.ReLU(), nn.Linear(64, atoms))

    def forward(self, image: Tensor) -> Tensor:
        """Return the weights."""
        small = functional.interpolate(image, size=(ENCODED_SIZE, ENCODED_SIZE), mode="bilinear", align_corners=False)
        return torch.softmax(self.mix(self.features(small).mean(dim=(2, 3))), dim=1)


class ColourDictionary(nn.Module):
    """Matrices from linear sRGB to the camera's colours; every row sums to 1, so that white stays white."""

    def __init__(self, atoms: int) -> None:
        super().__init__()
        known = torch.tensor(XYZ2CAM @ RGB2XYZ, dtype=torch.float32)
        known = known / known.sum(dim=2, keepdim=True)
        mixes = torch.softmax(torch.randn(max(atoms - len(known), 0), len(known)), dim=1)
        self.matrices = nn.Parameter(torch.cat([known, torch.einsum("an,nij->aij", mixes, known)])[:atoms])

    def atoms(self) -> Tensor:
        """Return the atoms, atoms×3×3."""
        return self.matrices / self.matrices.sum(dim=2, keepdim=True)

    def forward(self, weights: Tensor) -> Tensor:
        """Mix the atoms: N×atoms → N×3×3."""
        return (weights[:, :, None, None] * self.atoms()[None]).sum(dim=1)


class GainDictionary(nn.Module):
    """White balance: atoms of three gains, those of all colours together, of red and of blue."""

    def __init__(self, atoms: int) -> None:
        super().__init__()
        self.triples = nn.Parameter(torch.rand(atoms, 3) + 1)

    def atoms(self) -> Tensor:
        """Return the atoms, atoms×3; a gain is positive."""
        return self.triples.clamp(min=LEAST_GAIN)

    def gains(self, weights: Tensor) -> Tensor:
        """Mix the atoms: N×atoms → gains of red, green and blue, N×3×1×1."""
        mixed = weights @ self.atoms()
        every, red, blue = mixed[:, 0], mixed[:, 1], mixed[:, 2]
        return torch.stack([every * red, every, every * blue], dim=1)[:, :, None, None]

    def multiply(self, image: Tensor, weights: Tensor) -> Tensor:
        """Multiply with the gains."""
        return image * self.gains(weights)

    def undo(self, image: Tensor, weights: Tensor) -> Tensor:
        """Divide by the gains, but where a pixel is nearly white (Brooks et al.)."""
        inverse = 1 / self.gains(weights)
        grey = image.mean(dim=1, keepdim=True)
        mask = ((grey - HIGHLIGHT).clamp(min=0) / (1 - HIGHLIGHT)) ** 2
        return image * torch.maximum(mask + (1 - mask) * inverse, inverse)


class Shading(nn.Module):
    """The lens: a Gaussian in the coordinates of the whole photo, times a small network's factor for each pixel."""

    def __init__(self) -> None:
        super().__init__()
        self.sigma = nn.Parameter(torch.full((2,), FIRST_SIGMA))
        self.attend, self.attend_inverse = _attention(), _attention()

    def gaussian(self, place: Tensor, height: int, width: int) -> Tensor:
        """Return the lens's transmission, N×1×H×W, 1 in the middle of the photo."""
        down = torch.arange(height, device=place.device).float().add(0.5) / height
        across = torch.arange(width, device=place.device).float().add(0.5) / width
        v = place[:, 0:1] + (place[:, 1:2] - place[:, 0:1]) * down[None]  # N×H
        u = place[:, 2:3] + (place[:, 3:4] - place[:, 2:3]) * across[None]  # N×W
        exponent = (v / self.sigma[0])[:, None, :, None] ** 2 + (u / self.sigma[1])[:, None, None, :] ** 2
        return torch.exp(-exponent / 2)

    def darken(self, image: Tensor, place: Tensor) -> Tensor:
        """Apply the lens."""
        lens = self.gaussian(place, image.shape[2], image.shape[3])
        return image * lens * torch.sigmoid(self.attend(image))

    def brighten(self, image: Tensor, place: Tensor) -> Tensor:
        """Undo the lens; a sigmoid alone could not brighten, its inverse can."""
        lens = self.gaussian(place, image.shape[2], image.shape[3])
        shade = LEAST_SHADE + (1 - LEAST_SHADE) * torch.sigmoid(self.attend_inverse(image))
        return image / (shade * lens)


def _attention() -> nn.Sequential:
    last = nn.Conv2d(32, 1, 1)
    nn.init.constant_(cast("Tensor", last.bias), FIRST_SHADE_BIAS)
    return nn.Sequential(nn.Conv2d(3, 32, 1), nn.ReLU(), nn.Conv2d(32, 32, 1), nn.ReLU(), last)


def apply_matrices(matrices: Tensor, image: Tensor) -> Tensor:
    """Multiply every pixel of N×3×H×W with its image's matrix, N×3×3."""
    return torch.einsum("nij,njhw->nihw", matrices, image)


def inverse_of(matrices: Tensor) -> Tensor:
    """Invert N×3×3 by its cofactors, which every export format knows."""
    a, b, c = matrices[:, 0], matrices[:, 1], matrices[:, 2]
    cofactors = torch.stack([_cross(b, c), _cross(c, a), _cross(a, b)], dim=2)
    determinant = (a * cofactors[:, :, 0]).sum(dim=1)
    return cofactors / determinant[:, None, None]


def _cross(a: Tensor, b: Tensor) -> Tensor:
    rows = [a[:, i] * b[:, j] - a[:, j] * b[:, i] for i, j in ((1, 2), (2, 0), (0, 1))]
    return torch.stack(rows, dim=1)


def mosaic(image: Tensor) -> Tensor:
    """Sample N×3×H×W behind an RGGB filter: N×4×H/2×W/2."""
    red, green, blue = image[:, 0], image[:, 1], image[:, 2]
    return torch.stack([red[:, ::2, ::2], green[:, ::2, 1::2], green[:, 1::2, ::2], blue[:, 1::2, 1::2]], dim=1)


def demosaic(packed: Tensor) -> Tensor:
    """Interpolate packed RGGB N×4×H/2×W/2 bilinearly to N×3×H×W; every sample keeps its place and value."""
    red, green1, green2, blue = packed.chunk(4, dim=1)
    none = torch.zeros_like(red)
    planes = [
        functional.pixel_shuffle(torch.cat(samples, dim=1), 2)
        for samples in ((red, none, none, none), (none, green1, green2, none), (none, none, none, blue))
    ]
    cross = torch.tensor([[0.0, 1.0, 0.0], [1.0, 4.0, 1.0], [0.0, 1.0, 0.0]], device=packed.device) / 4
    square = torch.tensor([[1.0, 2.0, 1.0], [2.0, 4.0, 2.0], [1.0, 2.0, 1.0]], device=packed.device) / 4
    kernels = torch.stack([square, cross, square])[:, None]
    padded = functional.pad(torch.cat(planes, dim=1), (1, 1, 1, 1), mode="reflect")
    return functional.conv2d(padded, kernels.to(packed.dtype), groups=3)
