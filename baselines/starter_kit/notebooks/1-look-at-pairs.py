# %% [markdown]
# # Look at the pairs
#
# An RGB photo, and the packed RAW that it was made from. This notebook loads both, packs and unpacks the Bayer pattern,
# and shows RAW as people can see it. It needs no GPU and takes a minute.

# %%
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from PIL import Image

from baselines.cfa import mosaic, pack, unpack
from baselines.tracks import TRACKS
from scoring.protocol import load_protocol
from scoring.render import difference_levels, heat_map, visualise

TRACK = "s7"
KIT = Path.cwd() if Path("sample").is_dir() else Path.cwd().parent
SAMPLE = KIT / "sample"
track = TRACKS[TRACK]
protocol = load_protocol(track.protocol)
names = sorted(file.stem for file in (SAMPLE / "train_rgb").glob("*.jpg"))
print(f"{track.title}: {len(names)} pairs: {', '.join(names)}")

# %% [markdown]
# ## One pair
#
# A tile is named `PHOTO_TILE`. The RAW is `uint16`; `protocol.white_level` is the level that the score counts as 1.

# %%
name = names[0]
rgb = np.asarray(Image.open(SAMPLE / "train_rgb" / f"{name}.jpg"))
raw = np.load(SAMPLE / "train_raw" / f"{name}.npy", allow_pickle=False)
print("RGB", rgb.shape, rgb.dtype, rgb.min(), "to", rgb.max())
print("RAW", raw.shape, raw.dtype, raw.min(), "to", raw.max(), "of", protocol.white_level)
assert raw.shape == track.packed_shape
assert raw.dtype == np.uint16

# %% [markdown]
# ## The Bayer pattern
#
# A sensor sees one colour at each pixel: R and G in even rows, G and B in odd ones. *Packed* means that the four
# positions of each 2×2 cell lie in four channels, in the order R, G, G, B. Packing loses nothing.

# %%
bayer = unpack(raw)
assert bayer.shape == (track.tile_size, track.tile_size)
assert (pack(bayer) == raw).all()
print("The first cell of the plane:")
print(bayer[:2, :2])

# %%
figure, axes = plt.subplots(1, 4, figsize=(12, 3.2))
for axis, channel, title in zip(
    axes, np.moveaxis(raw, 2, 0), ("R", "G in red rows", "G in blue rows", "B"), strict=True
):
    axis.imshow(channel, cmap="gray", vmin=0, vmax=protocol.white_level)
    axis.set_title(title)
    axis.axis("off")
plt.show()

# %% [markdown]
# ## RAW for the eye
#
# The organisers' visualisation: the mean of the two greens, twice the size by bilinear interpolation (the simplest
# demosaicing), gamma 1/2.2, and the tone curve 3x² − 2x³. Nothing is white-balanced, hence the green cast. No score
# depends on it.

# %%
figure, axes = plt.subplots(1, 3, figsize=(12, 4))
samples = (
    (rgb, "RGB, the input"),
    (visualise(raw, data_range=protocol.white_level), "RAW, the target"),
    (visualise(mosaic(rgb).astype(np.float64), data_range=255), "RGB behind a Bayer filter"),
)
for axis, (picture, title) in zip(axes, samples, strict=True):
    axis.imshow(picture)
    axis.set_title(title)
    axis.axis("off")
plt.show()

# %% [markdown]
# The third picture is the prediction of the dummy baseline *mosaic*: it undoes nothing of the camera's work. Where
# it is wrong, and by how much:

# %%
dummy = (mosaic(rgb) / 255 * protocol.white_level).astype(np.uint16)
levels = difference_levels(raw, dummy)
plt.imshow(heat_map(levels, top=float(np.percentile(levels, 99))))
plt.title(f"mosaic differs by {levels.mean():.0f} levels in the mean")
plt.axis("off")
plt.show()

# %% [markdown]
# ## Histograms
#
# RGB fills its range; RAW is linear in light and mostly dark. A method has to undo the tone curve, the gamma, the
# colour matrix and the white balance, in this order.

# %%
figure, (left, right) = plt.subplots(1, 2, figsize=(12, 3))
style = {"bins": 64, "histtype": "step"}
top = protocol.white_level
for channel, colour in enumerate(("tab:red", "tab:green", "tab:blue")):
    left.hist(rgb[..., channel].ravel(), range=(0, 255), color=colour, label="RGB"[channel], **style)
for channel, (colour, label) in enumerate(
    (("tab:red", "R"), ("tab:green", "G"), ("tab:olive", "G"), ("tab:blue", "B"))
):
    right.hist(
        raw[..., channel].ravel(), bins=64, range=(0, protocol.white_level), color=colour, histtype="step", label=label
    )
left.set_title("RGB, 8 bits")
right.set_title("RAW, levels")
left.legend()
right.legend()
plt.show()
for channel, label in enumerate(("R", "G", "G", "B")):
    median, high = np.percentile(raw[..., channel], (50, 99))
    print(f"{label}: median {median:.0f}, 99th percentile {high:.0f}")
