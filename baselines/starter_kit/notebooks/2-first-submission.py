# %% [markdown]
# # Your first submission
#
# Train the U-Net baseline for a few steps, predict, check the zip, score it locally, and see which file to upload. It
# needs no GPU and takes a few minutes. Every step is a command that you can type in a terminal as well.

# %%
import json
import subprocess
import sys
from pathlib import Path

TRACK, PROTOCOL, STEPS = "s7", "aim22-s7", 16
KIT = Path.cwd() if Path("sample").is_dir() else Path.cwd().parent


def python_m(command):
    """Run a module of the kit, show its output, and stop where it fails."""
    print("$ python -m", command)
    done = subprocess.run(
        [sys.executable, "-m", *command.split()], cwd=KIT, capture_output=True, text=True, check=False
    )
    print(done.stdout, end="")
    assert done.returncode == 0, done.stderr


# %% [markdown]
# ## The floor: mosaic
#
# It undoes nothing, and shows the form of a submission.

# %%
score = f"scoring score --protocol {PROTOCOL} --reference sample/val_raw"
python_m(f"baselines predict mosaic --track {TRACK} --input sample/val_rgb --output mosaic.zip")
python_m(f"{score} --submission mosaic.zip --json mosaic.json")

# %% [markdown]
# ## Train a U-Net for a few steps
#
# Enough to see that it learns; a real training takes thousands of steps and all the data. `--resume` goes on from here.

# %%
settings = f"--steps {STEPS} --batch 4 --crop 128 --device cpu --seed 1"
python_m(f"baselines train unet --track {TRACK} --data sample --out run {settings}")

# %% [markdown]
# ## Predict
#
# The zip holds one `.npy` for each input and a `readme.txt` with the runtime that was measured here.

# %%
weights = "--weights run/weights.safetensors --device cpu"
python_m(f"baselines predict unet --track {TRACK} --input sample/val_rgb --output submission.zip {weights}")

# %% [markdown]
# ## Check the form before you upload
#
# The same check as the site's, with the same words. Exit status 0: the site will take it.

# %%
python_m(f"scoring check --protocol {PROTOCOL} --reference sample/val_raw --submission submission.zip")

# %% [markdown]
# ## Score it locally
#
# With the sample's own references. The test set's are hidden: only the site has them.

# %%
python_m(f"{score} --submission submission.zip --json unet.json")
for name in ("mosaic", "unet"):
    metrics = json.loads((KIT / f"{name}.json").read_text())["metrics"]
    print(f"{name:>8}: PSNR {metrics['psnr']:.2f} dB, SSIM {metrics['ssim']:.4f}")

# %% [markdown]
# ## Submit
#
# 1. Download the inputs of a phase from the track's page.
# 2. Predict from them: the command above, with `--input` naming that folder or zip.
# 3. Upload the zip on the phase's *Submit* page. The page tells its faults before it is sent.
#
# The shipped weights are trained for longer: leave `--weights` out to use them.
