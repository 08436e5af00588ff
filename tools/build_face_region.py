"""Build src/faceblind/data/face_region.npz: what protection removes, in the template frame.

Run from the repository root: ``python tools/build_face_region.py``. Everything is derived from
data inside the package: the template head (CC0) and the tissue map of the average head.

The cut is ``depth < allowed depth``: the depth under a smooth core of the template head (ears and
nose opened away) against a table of depths by height and by distance towards the face. No scan
takes part, so the cut is the same for everyone.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from scipy import ndimage
from scipy.interpolate import RegularGridInterpolator

from faceblind.head.template import load_template
from faceblind.volunteers.raster import fill, sample
from faceblind.volunteers.scanner.anatomy import Anatomy, load_anatomy
from faceblind.volunteers.scanner.tissue import Tissue

TARGET = Path(__file__).resolve().parents[1] / "src" / "faceblind" / "data" / "face_region.npz"

STEP_MM = 2.0
FINE_MM = 1.5
LOW = np.array([-104.0, -124.0, -140.0])
HIGH = np.array([104.0, 124.0, 148.0])
FACE_LOW = np.array([-90.0, -45.0, -125.0])
FACE_HIGH = np.array([90.0, 105.0, 100.0])
UNIT_MM = 0.5

# Rows: height above the ears; columns: distance towards the face. Deep where faces differ most
# (cheeks, lips, chin), shallow where the brain is near (forehead, temples).
TOWARDS = (-20.0, 0.0, 8.0, 20.0, 35.0, 50.0, 70.0)
DEPTHS = {
    -135: (-60, -60, -60, -60, -60, -40, -40),
    -112: (-60, -60, -50, -40, -15, -8, -8),
    -100: (-60, -40, -15, -6, 6, 12, 14),
    -90: (-40, -15, 0, 10, 19, 25, 26),
    -80: (-25, -8, 5, 13, 22, 29, 30),
    -60: (-10, 5, 11, 15, 24, 31, 32),
    -20: (-14, 0, 10, 15, 23, 31, 33),
    -5: (-15, -4, 8, 12, 19, 26, 28),
    8: (-15, -12, 3, 7, 10, 17, 19),
    18: (-15, -14, -1, 5, 6.5, 12, 16),
    28: (-15, -15, -5, 5, 6.5, 9, 10),
    38: (-15, -15, -9, 4, 5.5, 7, 8.5),
    60: (-15, -15, -13, 0, 4, 5.5, 7.5),
    76: (-15, -15, -15, -5, 2, 5, 6.5),
    89: (-15, -15, -15, -12, -1, 4, 5.5),
    103: (-15, -15, -15, -15, -15, -15, -15),
}
EAR_CENTRE = (-17.0, 1.0)
EAR_REACH = (31.0, 32.0)
EAR_DEPTH_MM = (7.5, 5.0, 2.5)
"""Beside the ear canal, where bone is thick (the concha is a bowl), and higher beside the brain."""
EAR_AIR_REACH = (31.0, 51.0)
EAR_AIR_MM = -2.0
"""Tall ears and long lobes end further from the middle, in air this far outside the head."""
EAR_AIR_HEIGHT_MM = (42.0, 48.0)
EAR_AIR_FROM_BRAIN_MM = (12.0, 18.0)
"""By height: few ears end higher, where a head that was found 8 mm beside its place has brain."""
BEHIND_EAR_MM = (2.5, 7.5)
"""Behind the ear, where bone is thin again, only the fold of the skin goes."""
KEPT_EAR_MM = -34.0
GLOBE_MM = 13.5
RINGS_MM, RING_MM = 16.0, 2.0
"""Around the brain: skull and scalp, but not the face."""
INSIDE_LOW_MM = -70.0
"""Below, the head bends on its neck."""


def grid(low: np.ndarray, high: np.ndarray, step: float) -> tuple[np.ndarray, list[np.ndarray]]:
    """Shape and axes (mm) of a regular grid."""
    size = np.floor((high - low) / step).astype(int) + 1
    return size, [low[k] + step * np.arange(size[k]) for k in range(3)]


def signed_depth(inside: np.ndarray, step: float) -> np.ndarray:
    """Millimetres under the surface, negative outside."""
    inner = ndimage.distance_transform_edt(inside, step)
    outer = ndimage.distance_transform_edt(~inside, step)
    return np.where(inside, inner - step / 2, step / 2 - outer)


def packed(field: np.ndarray, unit: float = UNIT_MM) -> np.ndarray:
    """Millimetres as signed bytes."""
    return np.clip(np.rint(field / unit), -127, 127).astype(np.int8)


def head_mask(low: np.ndarray, size: np.ndarray, step: float) -> np.ndarray:
    """Inside of the template head."""
    points, faces = load_template().closed()
    covered = fill((points - low) / step, faces, tuple(int(n) for n in size))
    return covered > 0.5


def core_depth() -> tuple[np.ndarray, list[np.ndarray]]:
    """Depth under the head without ears, nose and lips, neck carried on downwards."""
    size, axes = grid(LOW, HIGH, STEP_MM)
    inside = head_mask(LOW, size, STEP_MM)
    level = int(np.searchsorted(axes[2], -96.0))
    below = inside[:, :, level]
    inside[:, :, :level] |= below[:, :, None]
    depth = signed_depth(np.pad(inside, ((0, 0), (0, 0), (40, 0)), mode="edge"), STEP_MM)
    opened = signed_depth(depth > 11.0, STEP_MM) > -11.0
    smooth = ndimage.gaussian_filter(signed_depth(opened, STEP_MM), 4.0 / STEP_MM)
    return smooth[:, :, 40:], axes


def allowed(axes: list[np.ndarray]) -> np.ndarray:
    """Allowed depth on the grid, from the table."""
    table = RegularGridInterpolator(
        (np.array(list(DEPTHS), float), np.array(TOWARDS)), np.array(list(DEPTHS.values())),
        bounds_error=False, fill_value=None,
    )  # fmt: skip
    height = np.clip(axes[2], min(DEPTHS), max(DEPTHS))
    towards = np.clip(axes[1], TOWARDS[0], TOWARDS[-1])
    plane = table(tuple(np.meshgrid(height, towards, indexing="ij"))).T
    plane = ndimage.gaussian_filter(plane, 4.0 / STEP_MM, mode="nearest")
    return np.broadcast_to(plane, (len(axes[0]), *plane.shape))


def ear_zone(axes: list[np.ndarray], reach: tuple[float, float] = EAR_REACH) -> np.ndarray:
    """1 over the ears, as far as `reach` forwards and upwards, 0 elsewhere, smooth."""
    x, y, z = np.meshgrid(*axes, indexing="ij", sparse=True)
    radius = np.hypot((y - EAR_CENTRE[0]) / reach[0], (z - EAR_CENTRE[1]) / reach[1])
    return np.clip((1.3 - radius) / 0.3, 0, 1) * np.clip((np.abs(x) - 48) / 8, 0, 1)


def eyes_depth(axes: list[np.ndarray]) -> np.ndarray:
    """Depth inside the globes and the orbits behind them."""
    x, y, z = np.meshgrid(*axes, indexing="ij", sparse=True)
    best = np.full([len(a) for a in axes], -50.0)
    for name in ("pupil_left", "pupil_right"):
        lid = load_template().landmarks[name]
        centre = np.array([lid[0], lid[1] - 14.5, lid[2]])
        behind = np.clip((centre[1] - y) / 34.0, 0, 1)
        axis_x = centre[0] - np.sign(centre[0]) * 15 * behind
        y_away = np.maximum(y - centre[1], 0) + np.maximum(centre[1] - 34.0 - y, 0)
        away = np.sqrt((x - axis_x) ** 2 + (z - centre[2]) ** 2 + y_away**2)
        best = np.maximum(best, GLOBE_MM - away)
    return best


def onto(values: np.ndarray, affine: np.ndarray, axes: list[np.ndarray]) -> np.ndarray:
    """A map of the average head on other axes."""
    places = np.stack([g.ravel() for g in np.meshgrid(*axes, indexing="ij")], 1)
    inverse = np.linalg.inv(affine)
    index = places @ inverse[:3, :3].T + inverse[:3, 3]
    found = sample(values.astype(np.float32), index.astype(np.float32))
    return found.reshape([len(a) for a in axes])


def inside_classes(anatomy: Anatomy, axes: list[np.ndarray], brain_depth: np.ndarray) -> np.ndarray:
    """Rings around the brain and shares of grey and white matter in it; 0 where nothing is told."""
    white, grey = (
        onto(
            ndimage.gaussian_filter(anatomy.share(t).astype(np.float32), 0.7), anatomy.affine, axes
        )
        for t in (Tissue.WHITE, Tissue.GREY)
    )
    quarters = [np.clip(share * 4, 0, 3).astype(int) for share in (white, grey)]
    ring = 1 + np.floor((brain_depth + RINGS_MM) / RING_MM).astype(int)
    first = 1 + int(RINGS_MM / RING_MM)
    classes = np.where(brain_depth > 0, first + 4 * quarters[0] + quarters[1], ring)
    classes[(brain_depth <= -RINGS_MM) | (axes[2] < INSIDE_LOW_MM)] = 0
    return classes.astype(np.uint8)


def affine_of(low: np.ndarray, step: float) -> np.ndarray:
    """Index to template mm."""
    affine = np.diag([step] * 3 + [1.0])
    affine[:3, 3] = low
    return affine


def main() -> None:
    """Build and write the file."""
    anatomy = load_anatomy()
    depth, axes = core_depth()
    limit = allowed(axes)
    ears = ear_zone(axes)
    under = np.minimum(
        np.interp(axes[1], (-37.0, -25.0), BEHIND_EAR_MM)[:, None],
        np.interp(axes[2], (6.0, 19.0, 30.0), EAR_DEPTH_MM)[None],
    )
    with_ears = np.maximum(limit, limit + ears * (under - limit))
    around = ear_zone(axes, EAR_AIR_REACH)
    beside_ears = limit + around * (np.maximum(limit, EAR_AIR_MM) - limit)
    kept_ears = limit + around * (np.minimum(KEPT_EAR_MM, limit) - limit)
    brain = onto(ndimage.gaussian_filter(anatomy.brain, 0.5), anatomy.affine, axes) > 0.5
    brain_depth = signed_depth(brain, STEP_MM)
    far = np.interp(axes[2], EAR_AIR_HEIGHT_MM, EAR_AIR_FROM_BRAIN_MM)
    air = np.minimum(beside_ears - depth, -far - brain_depth)
    size, face_axes = grid(FACE_LOW, FACE_HIGH, FINE_MM)
    fine = head_mask(FACE_LOW, size * 2, FINE_MM / 2)
    skin = ndimage.gaussian_filter(signed_depth(fine, FINE_MM / 2), 0.7)[::2, ::2, ::2]
    fractions = np.stack([onto(anatomy.share(t), anatomy.affine, face_axes) for t in Tissue])
    np.savez_compressed(
        TARGET,
        affine=affine_of(LOW, STEP_MM),
        unit_mm=np.array(UNIT_MM),
        cut=packed(np.maximum(with_ears - depth, air)),
        cut_ears_kept=packed(kept_ears - depth),
        depth=packed(depth),
        eyes=packed(eyes_depth(axes)),
        brain=packed(brain_depth),
        inside=inside_classes(anatomy, axes, brain_depth),
        face_affine=affine_of(FACE_LOW, FINE_MM),
        face_depth=packed(skin, 0.25),
        tissue=fractions.argmax(0).astype(np.uint8),
        tissue_names=np.array([t.name.lower() for t in Tissue]),
    )
    print(f"{TARGET.name}: {TARGET.stat().st_size / 1e6:.2f} MB, {depth.shape}, {tuple(size)}")


if __name__ == "__main__":
    main()
