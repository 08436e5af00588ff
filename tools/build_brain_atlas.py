"""Build ``src/faceblind/data/brain_atlas.npz`` from the ICBM 2009a symmetric average brain.

The tissue maps come from the PyPI package nilearn (a build-time need only):

    pip install nilearn && python tools/build_brain_atlas.py

Kept: grey and white matter probability and the brain mask, resampled to 1.5 mm and rounded to
16 levels, which an image of 1 mm voxels with noise cannot tell from the original.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import nibabel as nib
import numpy as np
from scipy import ndimage

SPACING_MM = 1.5
OUT = Path(__file__).parents[1] / "src" / "faceblind" / "data" / "brain_atlas.npz"


def load(name: str) -> tuple[np.ndarray, np.ndarray]:
    """One map as fractions (I, J, K) float32, with its affine."""
    spec = find_spec("nilearn")
    if spec is None or not spec.submodule_search_locations:
        raise SystemExit("nilearn is missing: pip install nilearn")
    folder = Path(spec.submodule_search_locations[0]) / "datasets" / "data"
    image = nib.load(folder / f"mni_icbm152_{name}_tal_nlin_sym_09a_converted.nii.gz")
    return np.asarray(image.dataobj, np.float32) / 255.0, image.affine


def main() -> None:
    """Write the atlas."""
    grey, affine = load("gm")
    white, _ = load("wm")
    brain = ndimage.binary_fill_holes(load("t1")[0] > 0).astype(np.float32)
    total = np.maximum(grey + white, 1.0)
    maps = []
    for volume in (grey / total, white / total, brain):
        small = ndimage.zoom(volume, 1 / SPACING_MM, order=1, grid_mode=True, mode="grid-constant")
        maps.append(np.clip(np.rint(small * 15), 0, 15).astype(np.uint8))
    box = ndimage.find_objects((maps[2] > 0).astype(np.int8))[0]
    low = [s.start for s in box]
    scaled = affine.copy()
    scaled[:3, :3] *= SPACING_MM
    # grid_mode keeps voxel edges, not centres: the first centre moves by half the difference.
    scaled[:3, 3] += (SPACING_MM - 1) / 2 + np.array(low) * SPACING_MM
    cut = [m[box] for m in maps]
    np.savez_compressed(OUT, grey=cut[0], white=cut[1], brain=cut[2] > 7, affine=scaled)
    print(f"{OUT.name}: {cut[0].shape}, {OUT.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
