"""Draw the contact sheet of the docs: what photographs of the volunteers look like.

Run ``python tools/build_contact_sheet.py [OUT.jpg] [--seed 2]``: two people of each preset, five
views each. Nobody on it exists.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np

from faceblind.volunteers.people.shape import visits
from faceblind.volunteers.photographs.photograph import photograph
from faceblind.volunteers.presets import PRESETS, preset

WIDTH = 200


def main() -> None:
    """Write one JPEG."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", nargs="?", type=Path, default=Path("docs/images/volunteers.jpg"))
    parser.add_argument("--seed", type=int, default=2)
    parser.add_argument("--people", type=int, default=2)
    options = parser.parse_args()
    rows = []
    for name in PRESETS:
        chosen = preset(name)
        for index in range(options.people):
            person = visits(options.seed, index, chosen.people)[1]
            pictures = photograph(person, chosen.camera).values()
            rows.append(np.hstack([_small(picture) for picture in pictures]))
    options.out.parent.mkdir(parents=True, exist_ok=True)
    sheet = np.vstack(rows)[..., ::-1]
    if not cv2.imwrite(str(options.out), sheet, [cv2.IMWRITE_JPEG_QUALITY, 82]):
        raise SystemExit(f"{options.out}: cannot be written")


def _small(picture: np.ndarray) -> np.ndarray:
    height = round(picture.shape[0] * WIDTH / picture.shape[1])
    return cv2.resize(picture, (WIDTH, height), interpolation=cv2.INTER_AREA)


if __name__ == "__main__":
    main()
