"""New air against what it should look like: windows of CT, tables, circles, padding.

usage: python bench/air.py CT MR [--only PART] [--method deface|reface] [--pictures FOLDER]

CT holds Hounsfield units (or values of 0..1 with water near 0.3), MR noise in its air. Both are
thinned to about 2 mm. For each case: the share of new voxels within the range of the scan's air,
their spread over that of the own air, the largest part of one value in new noise over the same in
the scan's own, and the share of padding that stays. ``--record`` keeps how many were right.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from nibabel.affines import voxel_sizes
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial.transform import Rotation

import faceblind
from evidence import Record, Table, add_option, command, write
from faceblind.errors import FaceblindError
from faceblind.geometry.grid import dilate, resize
from faceblind.head.segmentation import find_head
from faceblind.protect.deface import deface
from faceblind.protect.protected_scan import ProtectedScan
from faceblind.protect.reface import reface
from faceblind.scan import Scan

AWAY_MM = 14.0
"""From the old head: no new face reaches there."""
WINDOWS = {
    "0..80": (0.0, 80.0, np.uint8),
    "-100..300": (-100.0, 300.0, np.int16),
    "-160..240": (-160.0, 240.0, np.float32),
    "-1024..3071": (-1024.0, 3071.0, np.int16),
    "-1000..1000 as 0..1": (-1000.0, 1000.0, None),
}
Mask = NDArray[np.bool_]
RIGHT = {"in range": 0.997, "kept": 0.998, "blob": 2.0}
"""Least share, least share, greatest ratio of a result that counts as right."""
ENDS = ("right", "refused", "wrong")


@dataclass(frozen=True)
class Case:
    """A scan and what is true of it.

    Attributes
    ----------
    air : (I, J, K) bool ndarray
        Air that was acquired, away from head, table and padding.
    padding : (I, J, K) bool ndarray
        Never acquired.
    """

    name: str
    scan: Scan
    air: Mask
    padding: Mask


@dataclass(frozen=True)
class Base:
    """A scan of about 2 mm in RAS order, and the head in it."""

    voxels: NDArray[np.float32]
    affine: NDArray[np.float64]
    head: Mask

    def distance(self) -> NDArray[np.float32]:
        """(I, J, K) mm from the head."""
        found = ndimage.distance_transform_edt(~self.head, voxel_sizes(self.affine))
        return np.asarray(found, np.float32)

    def moved(self, degrees: float, axis: int, order: int, fill: float) -> tuple[Base, Mask]:
        """Resliced obliquely into a larger box; where nothing was acquired, too."""
        turn = Rotation.from_euler("xyz"[axis], degrees, degrees=True).as_matrix()
        size = tuple(int(n * 1.35) for n in self.voxels.shape)
        offset = np.array(self.voxels.shape) / 2 - turn @ (np.array(size) / 2)

        def turned(values: NDArray[np.generic], order: int, fill: float) -> NDArray[np.float32]:
            out = ndimage.affine_transform(
                values.astype(np.float32), turn, offset, size, order=order, cval=fill
            )
            return np.asarray(out, np.float32)

        affine = self.affine @ np.block([[turn, offset[:, None]], [np.zeros((1, 3)), 1]])
        # A scanner's or a tool's reslicing knows its grid: the head stays where it was.
        inside = turned(np.ones(self.voxels.shape), 0, 0.0) > 0.5
        head = turned(self.head, 0, 0.0) > 0.5
        return Base(turned(self.voxels, order, fill), affine, head), ~inside


def base_of(path: Path) -> Base:
    """A scan thinned to about 2 mm."""
    scan = faceblind.load(path).canonical()
    step = [max(1, round(2.0 / s)) for s in scan.spacing]
    head = find_head(scan)
    order = np.argsort([-abs(s) for s in scan.volume(0).strides], kind="stable")
    shape = tuple(scan.shape[a] for a in order)
    mask = (resize(head.mask.astype(np.float32), shape) > 0.5).transpose(np.argsort(order))
    part = tuple(slice(None, None, s) for s in step)
    affine = scan.affine @ np.diag([*step, 1.0])
    return Base(np.array(scan.volume(0)[part], np.float32), affine, np.array(mask[part]))


def hounsfield(base: Base, seed: int = 0) -> Base:
    """Hounsfield units with noise in the air, and no padding."""
    values = base.voxels
    if values.max() < 10:
        values = values / 0.302 * 1030 - 1000
    rng = np.random.default_rng(seed)
    noise = rng.normal(0, 12, values.shape).astype(np.float32)
    air = ~base.head & (values < -700)
    return replace(base, voxels=np.where(air, -1000 + noise, values))


def rings(base: Base) -> NDArray[np.float64]:
    """(I, J, 1) distance from the axis of a CT scanner's circle, 1 on it."""
    i, j, _ = np.ogrid[tuple(slice(n) for n in base.voxels.shape)]
    where = np.argwhere(base.head.any(axis=2))
    centre = (where.min(axis=0) + where.max(axis=0)) / 2
    radius = np.hypot(*(where - centre).T).max() + 3
    return np.hypot(i - centre[0], j - centre[1]) / radius


def table_of(base: Base, *, wide: bool) -> Mask:
    """Below the back of the head, thick; or a rest at the sides, too."""
    back = np.argwhere(base.head)[:, 1].min()
    out = np.zeros(base.voxels.shape, bool)
    out[4:-4, max(back - 6, 0) : max(back - 1, 1)] = True
    if wide:
        left, right = np.argwhere(base.head)[:, 0].min(), np.argwhere(base.head)[:, 0].max()
        out[: max(left - 4, 1), :-8] = True
        out[right + 4 :, :-8] = True
    return out & (base.distance() > 3)


def ct_cases(base: Base) -> Iterator[Case]:
    """Five windows with and without a table and a circle; shifted values, other fills."""
    base = hounsfield(base)
    circle = np.broadcast_to(rings(base) > 1, base.voxels.shape)
    nothing = np.zeros(base.voxels.shape, bool)
    rng = np.random.default_rng(1)

    def made(name: str, window: str, table: Mask, at: float, fill: float | None) -> Case:
        low, high, kind = WINDOWS[window]
        values = np.where(table, at + rng.normal(0, 12, table.shape), base.voxels)
        padding = nothing
        if fill is not None:
            values, padding = np.where(circle, fill, values), circle
        values = np.clip(values, low if fill is None else min(low, fill), high)
        if kind is None:
            values = ((np.clip(values, low, high) - low) / (high - low)).astype(np.float32)
        elif kind == np.uint8:
            values = np.clip((values - low) / (high - low) * high, 0, high).astype(kind)
        else:
            values = np.rint(values).astype(kind)
        air = (base.distance() > 5) & ~table & ~padding
        return Case(name, Scan(values, base.affine, "ct", name), air, padding)

    for window in WINDOWS:
        for table, at, label in (
            (nothing, 0.0, ""),
            (table_of(base, wide=False), 300.0, " table"),
            (table_of(base, wide=True), 90.0, " rest"),
            (table_of(base, wide=True), -940.0, " foam"),
        ):
            for fill in (None, -2000.0 if window == "-1024..3071" else WINDOWS[window][0]):
                if fill is not None and label == " table":
                    continue
                circled = "" if fill is None else " circle"
                yield made(f"CT {window}{label}{circled}", window, table, at, fill)
    for fill in (-3024.0, -1000.0, -400.0, 0.0, 3071.0):
        table = table_of(base, wide=False)
        yield made(f"CT circle {fill:g}", "-1024..3071", table, 300.0, fill)
    plain = made("", "-1024..3071", table_of(base, wide=False), 300.0, -2000.0)
    moved = (plain.scan.voxels + 3024).astype(np.uint16)
    yield replace(plain, name="CT shifted to 0", scan=Scan(moved, base.affine, "ct", "shifted"))
    for window in ("-100..300", "-1024..3071"):
        for axis in range(3):
            low, high, kind = WINDOWS[window]
            first = replace(base, voxels=np.clip(base.voxels, low, high))
            turned, outside = first.moved(20.0, axis, 1, 0.0 if axis else low)
            name = f"CT {window} resliced about {'xyz'[axis]}"
            scan = Scan(np.rint(turned.voxels).astype(kind), turned.affine, "ct", name)
            yield Case(name, scan, (turned.distance() > 5) & ~outside, outside)


def mr_cases(base: Base) -> Iterator[Case]:
    """Conformed and resliced scans, wiped air, noise of other kinds."""
    far = base.distance() > 6
    nothing = np.zeros(far.shape, bool)

    def made(name: str, values: NDArray[np.generic], padding: Mask = nothing) -> Case:
        return Case(name, Scan(values, base.affine, "T1w", name), far & ~padding, padding)

    whole = np.rint(base.voxels).astype(np.int16)
    yield made("MR", whole)
    box = [slice(max(a - 3, 0), b + 4) for a, b in _extent(base.head)]
    padding = np.ones(far.shape, bool)
    padding[tuple(box)] = False
    for fill, name in ((0, "0"), (-1, "-1"), (40, "40"), (1000, "1000")):
        yield made(f"MR box, padding {name}", np.where(padding, np.int16(fill), whole), padding)
    eight = np.rint(np.clip(base.voxels * 255 / np.quantile(base.voxels, 0.999), 0, 255))
    size = tuple(max(128, n) for n in far.shape)
    before = [(s - n) // 2 for s, n in zip(size, far.shape, strict=True)]
    part = tuple(slice(a, a + n) for a, n in zip(before, far.shape, strict=True))
    conformed, outside, air = np.zeros(size, np.uint8), np.ones(size, bool), np.zeros(size, bool)
    conformed[part], outside[part], air[part] = eight.astype(np.uint8), False, far
    affine = base.affine @ np.block(
        [[np.eye(3), -np.array(before)[:, None]], [np.zeros((1, 3)), 1]]
    )
    yield Case("MR conformed", Scan(conformed, affine, "T1w", "conformed"), air, outside)
    floats = np.where(outside, np.nan, conformed).astype(np.float32)
    yield Case("MR NaN padding", Scan(np.nan_to_num(floats), affine, "T1w", "NaN"), air, outside)
    cut = base.voxels[tuple(box)]
    inner = Base(cut, base.affine @ _shift([b.start for b in box]), base.head[tuple(box)])
    for degrees in (15.0, -30.0):
        for axis in range(3):
            for order in (0, 1):
                turned, outside = inner.moved(degrees, axis, order, 0.0)
                name = f"MR resliced {degrees:g} about {'xyz'[axis]}, order {order}"
                scan = Scan(np.rint(turned.voxels).astype(np.int16), turned.affine, "T1w", name)
                yield Case(name, scan, (turned.distance() > 6) & ~outside, outside)
    yield made("MR wiped", np.where(base.head, whole, 0))
    halo = base.distance() < 5
    yield made("MR wiped with a rim", np.where(halo, whole, 0))
    tables = table_of(base, wide=True)
    rng = np.random.default_rng(2)
    yield replace(
        made("MR pads", np.where(tables, rng.normal(300, 20, far.shape), whole).astype(np.int16)),
        air=far & ~tables,
    )
    salt = np.where(base.head, np.clip(whole * 3, 0, 4095), rng.uniform(0, 4095, far.shape))
    yield made("MR salt and pepper", salt.astype(np.int16))
    signed = np.where(base.head, whole, rng.normal(0, 20, far.shape)).astype(np.int16)
    yield made("MR signed, box", np.where(padding, 0, signed), padding)
    ramp = np.linspace(0.4, 2.5, far.shape[0])[:, None, None]
    yield made("MR biased noise", np.where(base.head, whole, whole * ramp).astype(np.int16))
    low = np.where(base.head, whole, rng.random(far.shape) < 0.15).astype(np.int16)
    yield made("MR noise of 0 and 1, box", np.where(padding, 0, low), padding)
    yield Case("MR thin air", Scan(np.rint(cut).astype(np.int16), inner.affine, "T1w", "thin"),
               inner.distance() > 4, np.zeros(cut.shape, bool))  # fmt: skip


def _extent(mask: Mask) -> list[tuple[int, int]]:
    where = np.argwhere(mask)
    return list(zip(where.min(axis=0).tolist(), where.max(axis=0).tolist(), strict=True))


def _shift(voxels: list[int]) -> NDArray[np.float64]:
    out = np.eye(4)
    out[:3, 3] = voxels
    return out


def largest_of_one_value(values: NDArray[np.generic], where: Mask) -> int:
    """Voxels of the largest connected part of one value."""
    most = 0
    found, counts = np.unique(values[where], return_counts=True)
    for value in found[np.argsort(-counts)[:4]]:
        labels, _ = ndimage.label((values == value) & where)
        most = max(most, int(np.bincount(labels.ravel())[1:].max(initial=0)))
    return most


def measured(case: Case, done: ProtectedScan) -> dict[str, float]:
    """Shares and sizes that tell whether the new air is the scan's own."""
    old, new, mask = case.scan.voxels, done.scan.voxels, done.region.mask
    own = old[case.air & ~mask] if (case.air & ~mask).sum() > 500 else old[case.air]
    low, high = np.quantile(own, (0.001, 0.999))
    head = find_distance(case)
    inside = mask & ~case.padding
    if done.method == "reface":
        inside &= head > AWAY_MM
    fresh = new[inside]
    noise = inside & (head > 0)
    blob = largest_of_one_value(new, noise)
    usual = largest_of_one_value(old, noise & case.air)
    kept = mask & case.padding
    return {
        "in range": float(((fresh >= low) & (fresh <= high)).mean()),
        "spread": float(fresh.std() / max(own.std(), 1e-6)) if own.std() > 0 else 1.0,
        "blob": blob / max(usual, 1),
        "kept": float((old[kept] == new[kept]).mean()) if kept.any() else 1.0,
    }


def find_distance(case: Case) -> NDArray[np.float32]:
    """Mm from the head, by what the case calls air: exact near it only."""
    body = ~dilate(case.air | case.padding, 1)
    labels, _ = ndimage.label(body)
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    head = labels == sizes.argmax()
    found = ndimage.distance_transform_edt(~head, voxel_sizes(case.scan.affine))
    return np.asarray(found, np.float32)


def picture(before: Scan, after: Scan, path: Path) -> None:
    """Middle planes, before above after, dark values spread."""
    low, high = np.quantile(before.voxels, (0.001, 0.97))
    high = low + 0.5 * (high - low)
    rows = []
    for scan in (before, after):
        x, y, z = (n // 2 for n in scan.shape)
        v = scan.voxels.astype(np.float32)
        planes = [v[x].T[::-1], v[:, y].T[::-1], v[:, :, z].T[::-1]]
        tall = max(p.shape[0] for p in planes)
        rows.append(np.hstack([np.pad(p, ((0, tall - p.shape[0]), (0, 3))) for p in planes]))
    grey = np.clip((np.vstack(rows) - low) / max(high - low, 1e-6), 0, 1) * 255
    cv2.imwrite(str(path), grey.astype(np.uint8))


def is_right(found: dict[str, float]) -> bool:
    """Whether new air passes for the scan's own and padding stayed, see `RIGHT`."""
    return (
        found["in range"] >= RIGHT["in range"]
        and found["kept"] >= RIGHT["kept"]
        and found["blob"] <= RIGHT["blob"]
    )


def table(results: dict[str, list[str]]) -> Table:
    """How many cases of each kind ended how, for the record."""
    caption = (
        f"Right: {RIGHT['in range']:.1%} of new voxels outside padding within the 0.1st to 99.9th "
        f"percentile of the scan's own air, {RIGHT['kept']:.1%} of padding as it was, no part of "
        f"one value larger than {RIGHT['blob']:g} times that in the scan's own."
    )
    rows = [
        (f"{kind}, {len(all_)} cases", *(all_.count(e) for e in ENDS))
        for kind, all_ in results.items()
    ]
    return Table(caption, ("cases", *ENDS), tuple(rows))


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("ct", type=Path)
    parser.add_argument("mr", type=Path)
    parser.add_argument("--only", default="")
    parser.add_argument("--method", choices=("deface", "reface"), default="deface")
    parser.add_argument("--pictures", type=Path)
    add_option(parser)
    given = parser.parse_args()
    results: dict[str, list[str]] = {}
    protect: Callable[[Scan], ProtectedScan] = {"deface": deface, "reface": reface}[given.method]
    print(f"{'case':34s} in range  spread    blob    kept")
    for kind, path in ((ct_cases, given.ct), (mr_cases, given.mr)):
        if given.only[:2] in ("CT", "MR") and kind.__name__[:2].upper() != given.only[:2]:
            continue
        for case in kind(base_of(path)):
            if given.only not in case.name:
                continue
            try:
                done = protect(case.scan)
            except FaceblindError as error:
                print(f"{case.name:34s} refused: {error}", flush=True)
                results.setdefault(case.name[:2], []).append("refused")
                continue
            found = measured(case, done)
            results.setdefault(case.name[:2], []).append("right" if is_right(found) else "wrong")
            print(f"{case.name:34s}" + "".join(f"{v:9.4f}" for v in found.values()), flush=True)
            if given.pictures:
                name = case.name.replace(" ", "_").replace(",", "")
                picture(case.scan, done.scan, given.pictures / f"{name}_{given.method}.png")
    if given.record:
        question = "Does new air look like the scan's own, and does padding stay as it was?"
        about = ("air", "New air", "protection", question, "bench/air.py")
        write(Record(*about, command(), (), False, (table(results),)))


if __name__ == "__main__":
    main()
