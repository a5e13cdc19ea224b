"""The inverse camera: from a display image to the packed RAW that a sensor would have stored.

The steps and their numbers are those of Brooks et al., "Unprocessing Images for Learned Raw Denoising"
(CVPR 2019; Apache-2.0), written from the formulas, with a lens, levels and a 10-bit quantiser
added. A camera has one fixed matrix; gains and noise change from photo to photo. These cameras are made up:
they are named after the track they serve and share its tile size and levels, not the phone's colours.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from baselines.cfa import mosaic

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Float = NDArray[np.float32]

# XYZ → camera of four real cameras, and linear sRGB → XYZ (Brooks et al.).
XYZ2CAM = np.array(
    [
        [[1.0234, -0.2969, -0.2266], [-0.5625, 1.6328, -0.0469], [-0.0703, 0.2188, 0.6406]],
        [[0.4913, -0.0541, -0.0202], [-0.613, 1.3513, 0.2906], [-0.1564, 0.2151, 0.7183]],
        [[0.838, -0.263, -0.0639], [-0.2887, 1.0725, 0.2496], [-0.0627, 0.1427, 0.5438]],
        [[0.6596, -0.2079, -0.0562], [-0.4782, 1.3016, 0.1933], [-0.097, 0.1581, 0.5181]],
    ]
)
RGB2XYZ = np.array(
    [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ]
)
GAMMA = 2.2
HIGHLIGHT = 0.9  # grey level above which gains are faded out, so that white stays white
MEAN_INVERSE_RGB_GAIN = 0.8
LEVELS_10BIT = 1023


@dataclass(frozen=True)
class Camera:
    """The properties of a camera that do not change from photo to photo.

    Attributes
    ----------
    name
        Short name.
    tile_size
        Height and width of an RGB tile in pixels.
    mix
        Weights of the four `XYZ2CAM` matrices.
    black_level, white_level
        Stored values of no light and of a full well: of 10 bits, or 12 in UltraISP's.
    red_gain, blue_gain
        Ranges of the white balance gains.
    shading
        Light that the lens loses towards the corner of the frame, in red, green and blue, 0..1.
    max_zoom
        How far the ISP may crop into the RGB: 0.02 makes up to 2 % of misalignment.
    """

    name: str
    tile_size: int
    mix: tuple[float, float, float, float]
    black_level: int
    white_level: int
    red_gain: tuple[float, float]
    blue_gain: tuple[float, float]
    shading: tuple[float, float, float]
    max_zoom: float


CAMERAS = MappingProxyType(
    {
        "s7": Camera(
            name="s7",
            tile_size=504,
            mix=(0.1, 0.1, 0.6, 0.2),
            black_level=0,
            white_level=1023,
            red_gain=(1.9, 2.2),
            blue_gain=(1.6, 1.9),
            shading=(0.24, 0.20, 0.22),
            max_zoom=0.0,
        ),
        "p20": Camera(
            name="p20",
            tile_size=496,
            mix=(0.2, 0.4, 0.1, 0.3),
            black_level=60,
            white_level=1020,
            red_gain=(2.1, 2.4),
            blue_gain=(1.5, 1.8),
            shading=(0.30, 0.26, 0.29),
            max_zoom=0.02,
        ),
        "mai22": Camera(
            name="mai22",
            tile_size=256,
            mix=(0.3, 0.1, 0.4, 0.2),
            black_level=0,
            white_level=4095,
            red_gain=(1.9, 2.3),
            blue_gain=(1.5, 1.8),
            shading=(0.10, 0.08, 0.09),
            max_zoom=0.0,
        ),
    }
)
# Another phone of the same maker, for the second test set: other colours and gains.
SECOND_CAMERAS = MappingProxyType(
    {
        "s7": replace(CAMERAS["s7"], mix=(0.3, 0.1, 0.3, 0.3), red_gain=(2.0, 2.4), blue_gain=(1.5, 1.8)),
        "p20": replace(CAMERAS["p20"], mix=(0.4, 0.2, 0.2, 0.2), red_gain=(1.9, 2.2), blue_gain=(1.6, 1.9)),
    }
)


@dataclass(frozen=True)
class Exposure:
    """The settings of one photo.

    Attributes
    ----------
    rgb_gain, red_gain, blue_gain
        Gains that the ISP multiplies with; the camera divides by them.
    shot, read
        Noise of a normalised signal x: its variance is ``shot * x + read``.
    """

    rgb_gain: float
    red_gain: float
    blue_gain: float
    shot: float
    read: float

    @property
    def gains(self) -> Float:
        """The camera's gains of red, green and blue, float32 (3,)."""
        return np.array([1 / self.red_gain, 1, 1 / self.blue_gain], np.float32) / np.float32(self.rgb_gain)


def random_exposure(camera: Camera, rng: np.random.Generator) -> Exposure:
    """Draw a photo's gains and noise as Brooks et al. do, with two differences.

    The shot noise stays below 0.0015 (published: up to 0.012), since these are daylight photos, and 1 / rgb_gain,
    normal about 0.8, is kept within 0.6..1.0.
    """
    shot = float(np.exp(rng.uniform(np.log(1e-4), np.log(1.5e-3))))
    read = float(np.exp(2.18 * np.log(shot) + 1.20 + rng.normal(0, 0.26)))
    rgb_gain = 1 / float(np.clip(rng.normal(MEAN_INVERSE_RGB_GAIN, 0.1), 0.6, 1.0))
    return Exposure(
        rgb_gain=rgb_gain,
        red_gain=float(rng.uniform(*camera.red_gain)),
        blue_gain=float(rng.uniform(*camera.blue_gain)),
        shot=shot,
        read=read,
    )


def rgb_to_camera(camera: Camera) -> NDArray[np.float64]:
    """Return the 3×3 matrix from linear sRGB to the camera's colours; its rows sum to 1."""
    weights = np.array(camera.mix)
    matrix = np.tensordot(weights / weights.sum(), XYZ2CAM, axes=1) @ RGB2XYZ
    normalised: NDArray[np.float64] = matrix / matrix.sum(axis=1, keepdims=True)
    return normalised


def apply_matrix(image: Float, matrix: NDArray[Any]) -> Float:
    """Multiply every pixel of H×W×3 with a 3×3 matrix; float32."""
    red, green, blue = (image[..., channel] for channel in range(3))
    rows = matrix.astype(np.float32)
    return np.stack([row[0] * red + row[1] * green + row[2] * blue for row in rows], axis=-1)


def inverse_tone(image: Float) -> Float:
    """Undo the tone curve 3x² − 2x³ of a display image in 0..1."""
    return np.float32(0.5) - np.sin(np.arcsin(1 - 2 * np.clip(image, 0, 1)) / 3)


def inverse_gamma(image: Float) -> Float:
    """Undo the display gamma of an image in 0..1."""
    linear: Float = np.maximum(image, np.float32(1e-8)) ** np.float32(GAMMA)
    return linear


def inverse_gains(image: Float, exposure: Exposure) -> Float:
    """Undo white balance and exposure of a linear image, sparing the highlights.

    Where a pixel is nearly white no gain is applied: a saturated white would turn into a coloured grey.
    """
    gains = exposure.gains
    grey = image.mean(axis=-1, keepdims=True)
    mask: Float = (np.maximum(grey - np.float32(HIGHLIGHT), 0) / np.float32(1 - HIGHLIGHT)) ** 2
    return image * np.maximum(mask + (1 - mask) * gains, gains)


def shading_map(camera: Camera, height: int, width: int) -> Float:
    """Return the share of the light that the lens leaves at every pixel of a full frame.

    Returns
    -------
    float32 H×W×3: 1 in the centre, ``1 - camera.shading`` in the corners, falling with the squared radius.
    """
    rows = np.linspace(-1, 1, height)[:, None, None]
    columns = np.linspace(-1, 1, width)[None, :, None]
    aspect = width / height
    radius = (rows**2 + (aspect * columns) ** 2) / (1 + aspect**2)
    remaining: NDArray[np.float64] = 1 - radius * np.array(camera.shading)
    return remaining.astype(np.float32)


def unprocess(image: Float, camera: Camera, exposure: Exposure) -> Float:
    """Turn a display image into the linear light that reached the sensor.

    Parameters
    ----------
    image
        float H×W×3, sRGB in 0..1.
    camera, exposure
        The camera and the photo's gains.

    Returns
    -------
    float32 H×W×3 in 0..1, linear, in the camera's colours, not yet mosaicked.
    """
    linear = inverse_gamma(inverse_tone(image.astype(np.float32, copy=False)))
    camera_rgb = apply_matrix(linear, rgb_to_camera(camera))
    light: Float = np.clip(inverse_gains(camera_rgb, exposure), 0, 1)
    return light


def add_noise(signal: Float, shot: float, read: float, rng: np.random.Generator) -> Float:
    """Add shot and read noise to a normalised linear signal: variance ``shot * signal + read``."""
    deviation: Float = np.sqrt(np.maximum(signal, 0) * np.float32(shot) + np.float32(read))
    return signal + deviation * rng.standard_normal(signal.shape, dtype=np.float32)


def quantise(signal: Float, camera: Camera) -> NDArray[np.uint16]:
    """Store a normalised signal between the camera's black and white level.

    Returns
    -------
    uint16 of the same shape. Noise may reach below the black level but not below 0; the white level is
    where the well is full.
    """
    levels = camera.black_level + signal * np.float32(camera.white_level - camera.black_level)
    stored: NDArray[np.uint16] = np.clip(np.rint(levels), 0, camera.white_level).astype(np.uint16)
    return stored


def normalise(packed_raw: NDArray[np.uint16], camera: Camera) -> Float:
    """Undo `quantise`: float32, 0 at the black level and 1 at the white level; may be a little below 0."""
    span = np.float32(camera.white_level - camera.black_level)
    return (packed_raw.astype(np.float32) - np.float32(camera.black_level)) / span


def expose(
    image: Float,
    camera: Camera,
    exposure: Exposure,
    rng: np.random.Generator,
    shading: Float | None = None,
) -> NDArray[np.uint16]:
    """Take a photo: display image → linear light → lens → mosaic → noise → 10-bit levels.

    Parameters
    ----------
    image
        float H×W×3 with even sides, sRGB in 0..1.
    camera, exposure
        The camera and the photo's gains and noise.
    rng
        Source of the noise.
    shading
        The lens's `shading_map` of these pixels; none for a single tile, whose place in its frame is unknown.

    Returns
    -------
    uint16 H/2×W/2×4, packed RAW in R, G, G, B order, 0..1023.
    """
    light = unprocess(image, camera, exposure)
    if shading is not None:
        light = light * shading
    return quantise(add_noise(mosaic(light), exposure.shot, exposure.read, rng), camera)


def reference_from_rgb(rgb: NDArray[np.uint8], track: str, seed: int) -> NDArray[np.uint16]:
    """Make a packed-RAW reference for any RGB tile, by the track's camera model.

    Parameters
    ----------
    rgb
        uint8 H×W×3 with even sides, sRGB.
    track
        ``s7`` or ``p20``.
    seed
        Gains and noise; the same seed makes the same reference.

    Returns
    -------
    uint16 H/2×W/2×4 in R, G, G, B order, 0..1023. It is synthetic: a score against it compares with no
    published figure.
    """
    camera = CAMERAS[track]
    rng = np.random.default_rng(seed)
    exposure = random_exposure(camera, rng)
    return expose(rgb.astype(np.float32) / np.float32(255), camera, exposure, rng)
