"""Make the pictures of the documentation: one synthetic person, who does not exist.

Run ``python docs/make_pictures.py [OUT]`` from the repository root; OUT is docs/images by default.
The same seed gives the same pictures. Takes half a minute.
"""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

import faceblind
from faceblind.face.cameras import Camera
from faceblind.face.reconstruction import reconstruct
from faceblind.face.render import render

SEED = 6
SIZE = 360
"""Height of every picture in pixels."""
CAMERAS = (Camera(0.0, span=310.0), Camera(-35.0, span=310.0))
"""In front, and turned to the side."""

Picture = NDArray[np.uint8]


def faces_of(scan: faceblind.Scan, alignment: faceblind.Alignment) -> Picture:
    """Skin of a scan from the front and from the side, placed by the intact scan's alignment.

    Parameters
    ----------
    scan : Scan
        Intact or protected.
    alignment : Alignment
        Of the intact scan, so that all pictures show the head from the same places.

    Returns
    -------
    (H, W) uint8 ndarray
    """
    face, _ = reconstruct(faceblind.find_skin(scan), alignment)
    pictures = render(face.points, face.faces, face.normals, face.landmarks, CAMERAS, size=SIZE)
    return np.hstack([view[0] for view in pictures.images])


def middle_slice(scan: faceblind.Scan, white: float) -> Picture:
    """The sagittal slice through the middle of the field of view, square, the face to the left.

    Parameters
    ----------
    scan : Scan
    white : float
        Intensity that is shown white.

    Returns
    -------
    (H, W) uint8 ndarray
    """
    volume = scan.canonical().volume(0).astype(np.float64)
    plane = volume[volume.shape[0] // 2].T[::-1, ::-1]
    grey = np.clip(plane / white, 0.0, 1.0) ** 0.7 * 255
    tall, wide = grey.shape
    side = max(tall, wide)
    square = np.zeros((side, side), np.uint8)
    square[(side - tall) // 2 :, (side - wide) // 2 :][:tall, :wide] = grey
    return np.asarray(Image.fromarray(square).resize((SIZE, SIZE), Image.Resampling.LANCZOS))


def write(pixels: Picture, path: Path) -> None:
    """Write a JPEG that is small enough for the repository."""
    Image.fromarray(pixels).save(path, quality=82, optimize=True)
    if path.stat().st_size > 150_000:
        raise SystemExit(f"{path.name}: {path.stat().st_size} bytes, at most 150000 are wanted")


def main() -> None:
    """Make one person, protect the scan both ways, and draw everything."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", nargs="?", type=Path, default=Path("docs/images"))
    out = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        people = Path(folder) / "people"
        faceblind.make_volunteers(people, n=1, seed=SEED, n_jobs=1)
        photo = Image.open(people / "photos" / "sub-0001_front.jpg")
        # Square, from above the hair to the collar.
        top = round(0.12 * photo.height)
        photo = photo.crop((0, top, photo.width, top + photo.width)).resize((SIZE, SIZE))
        photograph = np.asarray(photo.convert("RGB"))
        scan = faceblind.load(people / "scans" / "sub-0001" / "anat" / "sub-0001_T1w.nii.gz")
    scan = replace(scan, source=None)
    alignment = faceblind.align(faceblind.find_skin(scan), scan)
    white = float(np.quantile(scan.voxels, 0.995))
    shown = {
        "before": scan,
        "defaced": faceblind.deface(scan, seed=SEED).scan,
        "refaced": faceblind.reface(scan, seed=SEED).scan,
    }
    write(photograph, out / "photograph.jpg")
    for name, one in shown.items():
        write(middle_slice(one, white), out / f"{name}-slice.jpg")
        write(faces_of(one, alignment), out / f"{name}-faces.jpg")


if __name__ == "__main__":
    main()
