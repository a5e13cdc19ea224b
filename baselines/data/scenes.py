"""Scenes at frame size: dead leaves, textured with the photographs that lie in scikit-image's wheel.

Occluding leaves with power-law radii have statistics of natural images: edges between calm regions and
heavy-tailed gradients at all scales (Lee, Mumford and Huang, "Occlusion models for natural images", 2001).
Nothing is downloaded, and no photograph serves two splits.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np
import skimage.data
from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageOps

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Colour = tuple[int, int, int]
    Box = tuple[int, int, int, int]  # left, top, right, bottom


@dataclass(frozen=True)
class Photograph:
    """A file of scikit-image's data folder.

    Attributes
    ----------
    file
        Its name.
    credit
        Where it comes from, as the documentation of `skimage.data` tells.
    crop
        The part to use.
    tint
        For a grey photograph: the colours of its shadows, middle tones and lights.
    """

    file: str
    credit: str
    crop: Box | None = None
    tint: tuple[Colour, Colour, Colour] | None = None


PHOTOGRAPHS = MappingProxyType(
    {
        "train": (
            # below the face, which is not for cutting up
            Photograph("astronaut.png", "NASA, public domain", crop=(0, 170, 512, 512)),
            Photograph("motorcycle_left.png", "Middlebury 2014 stereo benchmark (Scharstein et al.)"),
            Photograph("motorcycle_right.png", "Middlebury 2014 stereo benchmark (Scharstein et al.)"),
            Photograph("brick.png", "CC0Textures, CC0", tint=((54, 30, 24), (150, 90, 66), (226, 198, 170))),
        ),
        "development": (
            Photograph("coffee.png", "Rachel Michetti, Pikolo Espresso Bar, CC0"),
            Photograph("rocket.jpg", "SpaceX, public domain"),
            Photograph("ihc.png", "CMMI, no known copyright restrictions"),
            Photograph("grass.png", "linolafett, CC0", tint=((20, 30, 16), (92, 118, 58), (214, 218, 150))),
        ),
        "test": (
            Photograph("chelsea.png", "Stefan van der Walt, CC0"),
            # a disc in a black square
            Photograph("retina.jpg", "Wikimedia Commons, CC0", crop=(210, 210, 1200, 1200)),
            Photograph("hubble_deep_field.jpg", "NASA, public domain"),
            Photograph("gravel.png", "CC0Textures, CC0", tint=((30, 28, 30), (126, 120, 112), (228, 222, 210))),
        ),
    }
)
SPLITS = tuple(PHOTOGRAPHS)

# sRGB of everyday surfaces: the palettes that a scene's plain leaves and grey textures are tinted with.
PALETTES: tuple[tuple[Colour, ...], ...] = (
    ((62, 84, 58), (118, 138, 84), (196, 186, 140), (150, 108, 74), (226, 220, 202)),  # woodland
    ((52, 78, 104), (122, 156, 178), (206, 214, 212), (214, 178, 132), (178, 96, 66)),  # coast
    ((112, 62, 46), (184, 112, 76), (222, 176, 132), (94, 104, 92), (238, 226, 208)),  # terracotta
    ((70, 66, 92), (136, 120, 148), (204, 178, 176), (228, 206, 168), (88, 112, 110)),  # dusk
    ((58, 60, 62), (120, 120, 116), (186, 182, 172), (204, 146, 62), (66, 96, 112)),  # stone
    ((40, 92, 92), (104, 160, 148), (232, 214, 170), (226, 140, 98), (150, 64, 72)),  # market
)
SMALLEST_RADIUS = 0.008  # of the scene's shorter side, as all radii
LARGEST_RADIUS = 0.36
RADIUS_POWER = 2.0  # density of radii; 3 would be scale-invariant, less makes calmer scenes
OVERDRAW = 1.5  # area of all leaves over the scene's
CLUSTERS = 5
CLUSTERED = 0.75  # share of leaves that lie about a cluster, which leaves calm places elsewhere
CLUSTER_SPREAD = 0.2  # of the scene's shorter side
BACKDROP_LEAVES = 5
BACKDROP_RADII = (0.45, 0.8)
TEXTURED = 0.6  # share of leaves that show a photograph
# photograph's pixels per pixel of the scene: never above 1, which would alias
TEXTURE_SCALES = (0.4, 1.0)
SMALLEST_TEXTURED_PX = 14
SMALLEST_SHADOW_PX = 20
SHADE_SIZE = 64
DEEPEST_SHADOW_PX = 28
SHADOW_COLOUR = (12, 12, 18)
SHADOW_OPACITY = 0.5
OUTLINE_POINTS = 64


def compose_scene(height: int, width: int, split: str, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Compose one scene.

    Parameters
    ----------
    height, width
        Size in pixels.
    split
        ``train``, ``development`` or ``test``: whose photographs may be used.
    rng
        Where every choice comes from.

    Returns
    -------
    uint8 height×width×3, sRGB.
    """
    scene = _Scene(height, width, split, rng)
    shorter = min(height, width)
    for radius in rng.uniform(*BACKDROP_RADII, size=BACKDROP_LEAVES):
        scene.lay(radius * shorter, scene.anywhere())
    for radius in leaf_radii(height * width, shorter, rng):
        scene.lay(radius, scene.in_company())
    return np.asarray(scene.canvas)


def leaf_radii(area: int, shorter: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Draw the radii of a scene's leaves in pixels, in the order in which they are laid.

    Radii follow a power law between the smallest and the largest, until the leaves' area is `OVERDRAW` times
    the scene's. Large leaves tend to be laid first, so that small ones are not all buried.
    """
    low, high = SMALLEST_RADIUS * shorter, LARGEST_RADIUS * shorter
    power = 1 - RADIUS_POWER
    count = int(OVERDRAW * area / (math.pi * low**2))  # more than enough: as if all were the smallest
    uniform = rng.uniform(size=count)
    radii = (low**power + uniform * (high**power - low**power)) ** (1 / power)
    radii = radii[: np.searchsorted(np.cumsum(math.pi * radii**2), OVERDRAW * area)]
    order = np.argsort(-radii * rng.lognormal(0, 0.8, size=radii.size))
    chosen: NDArray[np.float64] = radii[order]
    return chosen


@cache
def load_photograph(photo: Photograph) -> Image.Image:
    """Load a photograph from scikit-image's wheel: RGB, or grey where it is to be tinted."""
    with Image.open(Path(skimage.data.__file__).parent / photo.file) as file:
        image = file.convert("L" if photo.tint else "RGB")
    return image.crop(photo.crop) if photo.crop else image


class _Scene:
    """A canvas, the light that falls on it, and the material of its leaves."""

    def __init__(self, height: int, width: int, split: str, rng: np.random.Generator) -> None:
        self.rng = rng
        self.palette = PALETTES[int(rng.integers(len(PALETTES)))]
        self.light = float(rng.uniform(0, 2 * math.pi))
        self.shades = [_shade(self.light, strength) for strength in (0.12, 0.25, 0.4)]
        self.textures = self._textures(split)
        self.canvas = Image.new("RGB", (width, height), self._colour())
        self.clusters = [self.anywhere() for _ in range(CLUSTERS)]

    def anywhere(self) -> tuple[float, float]:
        """Return an (x, y) of the canvas."""
        return self.rng.uniform(0, self.canvas.width), self.rng.uniform(0, self.canvas.height)

    def in_company(self) -> tuple[float, float]:
        """Return an (x, y), most often near one of the clusters."""
        if self.rng.uniform() > CLUSTERED:
            return self.anywhere()
        x, y = self.clusters[int(self.rng.integers(CLUSTERS))]
        spread = CLUSTER_SPREAD * min(self.canvas.size)
        return x + self.rng.normal(0, spread), y + self.rng.normal(0, spread)

    def lay(self, radius: float, centre: tuple[float, float]) -> None:
        """Lay one leaf, with its shadow, on the leaves before it."""
        outline = _outline(self.rng) * radius + centre
        if radius >= SMALLEST_SHADOW_PX:
            self._cast_shadow(outline, radius)
        box = self._clip(outline)
        if box is None:
            return
        leaf = self._fill(radius, centre, box)
        leaf = ImageChops.multiply(leaf, self._shade_leaf(radius, centre, box))
        mask = Image.new("L", leaf.size)
        ImageDraw.Draw(mask).polygon([tuple(point) for point in outline - box[:2]], fill=255)
        self.canvas.paste(leaf, box[:2], mask)

    def _fill(self, radius: float, centre: tuple[float, float], box: Box) -> Image.Image:
        """Return the leaf's surface inside the box: a patch of a photograph, or a plain colour."""
        if radius < SMALLEST_TEXTURED_PX or self.rng.uniform() > TEXTURED:
            return Image.new("RGB", (box[2] - box[0], box[3] - box[1]), self._colour())
        texture = self.textures[int(self.rng.integers(len(self.textures)))]
        # a large leaf enlarges the photograph until it fits in
        scale = min(self.rng.uniform(*TEXTURE_SCALES), 0.48 * min(texture.size) / radius)
        reach = radius * scale
        x = self.rng.uniform(reach, texture.width - reach)
        y = self.rng.uniform(reach, texture.height - reach)
        return _sample(texture, (x, y), scale, self.rng.uniform(-0.5, 0.5), centre, box)

    def _shade_leaf(self, radius: float, centre: tuple[float, float], box: Box) -> Image.Image:
        shade = self.shades[int(self.rng.integers(len(self.shades)))]
        middle = SHADE_SIZE / 2
        scale = 0.8 * middle / radius  # the rest is room for the box's margin
        part = [middle + scale * (box[side] - centre[side % 2]) for side in range(4)]
        left, top, right, bottom = np.clip(part, 0, SHADE_SIZE)
        return shade.resize((box[2] - box[0], box[3] - box[1]), Image.Resampling.BILINEAR, (left, top, right, bottom))

    def _cast_shadow(self, outline: NDArray[np.float64], radius: float) -> None:
        depth = min(0.12 * radius, DEEPEST_SHADOW_PX) * self.rng.uniform(0.5, 1.2)
        # a deep shadow is soft: it can be drawn small and enlarged
        reduction = max(1, int(depth / 4))
        shadow = outline - depth * np.array([math.cos(self.light), math.sin(self.light)])
        box = self._clip(shadow, 2 * depth + reduction)
        if box is None:
            return
        size = (box[2] - box[0], box[3] - box[1])
        small = Image.new("L", (-(-size[0] // reduction), -(-size[1] // reduction)))
        points = (shadow - box[:2]) / reduction
        ImageDraw.Draw(small).polygon([tuple(point) for point in points], fill=int(255 * SHADOW_OPACITY))
        small = small.filter(ImageFilter.GaussianBlur(float(0.7 * depth / reduction)))
        self.canvas.paste(SHADOW_COLOUR, box[:2], small.resize(size, Image.Resampling.BILINEAR))

    def _clip(self, outline: NDArray[np.float64], margin: float = 1) -> Box | None:
        """Return the part of the canvas that the outline's bounding box covers, if any."""
        left, top = (math.floor(side) for side in outline.min(axis=0) - margin)
        right, bottom = (math.ceil(side) for side in outline.max(axis=0) + margin)
        box = (max(left, 0), max(top, 0), min(right, self.canvas.width), min(bottom, self.canvas.height))
        return box if box[0] < box[2] and box[1] < box[3] else None

    def _colour(self) -> Colour:
        """Return a colour of the palette, a little varied."""
        return self._vary(self.palette[int(self.rng.integers(len(self.palette)))])

    def _vary(self, colour: Colour) -> Colour:
        varied = np.array(colour) * self.rng.lognormal(0, 0.12) + self.rng.normal(0, 5, 3)
        red, green, blue = np.clip(varied, 0, 255)
        return int(red), int(green), int(blue)

    def _textures(self, split: str) -> list[Image.Image]:
        textures = []
        for photo in PHOTOGRAPHS[split]:
            image = load_photograph(photo)
            if photo.tint:
                black, middle, white = photo.tint
                image = ImageOps.colorize(image, black=black, mid=self._vary(middle), white=white)
            textures.append(image)
        return textures


def _outline(rng: np.random.Generator) -> NDArray[np.float64]:
    """Return a leaf's outline inside the unit disc: an ellipse, a blob, a pointed leaf or a rounded box."""
    angle = np.linspace(0, 2 * math.pi, OUTLINE_POINTS, endpoint=False)
    kind = rng.integers(4)
    aspect = rng.uniform(0.55, 1)
    if kind == 0:
        x, y = np.cos(angle), aspect * np.sin(angle)
    elif kind == 1:
        waves = sum(rng.normal(0, 0.16 / k) * np.cos(k * angle + rng.uniform(0, 6.3)) for k in (2, 3, 4, 5))
        x, y = (1 + waves) * np.cos(angle), (1 + waves) * np.sin(angle)
    elif kind == 2:
        x, y = np.cos(angle), 0.5 * aspect * np.sin(angle) * np.abs(np.sin(angle)) ** 0.6
    else:
        power = rng.uniform(0.3, 0.6)
        x = np.sign(np.cos(angle)) * np.abs(np.cos(angle)) ** power
        y = aspect * np.sign(np.sin(angle)) * np.abs(np.sin(angle)) ** power
    points = np.stack([x, y], axis=-1)
    points /= np.hypot(x, y).max()
    turn = rng.uniform(0, 2 * math.pi)
    rotation = np.array([[math.cos(turn), math.sin(turn)], [-math.sin(turn), math.cos(turn)]])
    turned: NDArray[np.float64] = points @ rotation
    return turned


def _shade(light: float, strength: float) -> Image.Image:
    """Return a smooth gradient, bright on the side of the light: 1 down to 1 − strength."""
    axis = np.linspace(-1, 1, SHADE_SIZE)
    toward = axis[None, :] * math.cos(light) + axis[:, None] * math.sin(light)
    level = 1 - strength * (0.5 - 0.5 * np.clip(toward, -1, 1)) ** 1.5
    return Image.fromarray(np.rint(255 * level).astype(np.uint8)).convert("RGB")


def _sample(
    texture: Image.Image,
    at: tuple[float, float],
    scale: float,
    turn: float,
    centre: tuple[float, float],
    box: Box,
) -> Image.Image:
    """Cut the box out of a texture that is scaled, turned and laid so that `at` comes to `centre`."""
    cos, sin = scale * math.cos(turn), scale * math.sin(turn)
    dx, dy = box[0] - centre[0], box[1] - centre[1]
    matrix = (cos, sin, at[0] + cos * dx + sin * dy, -sin, cos, at[1] - sin * dx + cos * dy)
    size = (box[2] - box[0], box[3] - box[1])
    return texture.transform(size, Image.Transform.AFFINE, matrix, Image.Resampling.BILINEAR)
