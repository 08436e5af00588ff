"""Average adult head, its shape modes, landmarks and regions, made from `HeadModel`."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from faceblind.geometry.icp import registered_rigidly
from faceblind.geometry.points import thin
from faceblind.geometry.triangles import vertex_normals
from faceblind.head.template import REGIONS
from faceblind.volunteers.people.head_model import HeadModel

PEOPLE = 1500
SYMMETRIC_MODES, ASYMMETRIC_MODES = 34, 6
SEED = 20191024
SKEW = ("asym", "nose-trans-out", "mouth-trans-out")
"""Parameters that make the two sides of a face differ."""
STEP_MM = 0.01
"""Modes are stored as whole steps of this size."""


def sample(model: HeadModel, rng: np.random.Generator) -> NDArray:
    """Outer skin (P, 3) of one plausible adult, eyes closed.

    MakeHuman's full female and male heads differ by 21 mm in length, people by about 10: the
    sexes are drawn from the middle of the range.
    """
    local: dict[str, float] = {}
    for name in (*model.parameters, *model.bilateral):
        first = f"l-{name}" if name in model.bilateral else name
        sd = min(0.2, 2.5 / model.reach(name))
        if name.startswith(("l-", "r-", *SKEW)):
            sd *= 0.4
        value = float(np.clip(rng.normal(0, sd), -2.5 * sd, 2.5 * sd))
        local[name] = value if model.has_end(first, "-") else abs(value)
    points = model.points(
        age_years=rng.uniform(34, 89),
        male=float(0.5 + rng.choice([-1, 1]) * rng.uniform(0.1, 0.4)),
        weight=float(rng.uniform(0.3, 0.9)),
        muscle=float(rng.uniform(0.3, 0.7)),
        ancestry=rng.dirichlet([0.6, 0.6, 0.6]),
        local=local,
        expression=model.closed_eyes,
    )
    return model.outer_skin(points).astype(np.float64)


def areas(points: NDArray, faces: NDArray) -> NDArray:
    """Area (P,) of the surface around each vertex, mm^2."""
    corner = points[faces]
    area = np.linalg.norm(
        np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0]), axis=1
    )
    return np.bincount(faces.ravel(), np.repeat(area / 6, 3), len(points))


def components(rows: NDArray, weight: NDArray, count: int) -> NDArray:
    """Principal components (count, P, 3) of displacement `rows` (N, P, 3), scaled to 1 SD."""
    n = len(rows)
    weighted = (rows * np.sqrt(weight)[:, None]).reshape(n, -1)
    _, vectors = np.linalg.eigh(weighted @ weighted.T)
    best = vectors[:, ::-1][:, :count]
    # Row-space vector of unit score variance: X^T v / sqrt(n) has length SD.
    modes = np.tensordot(best.T, rows, axes=1) / np.sqrt(n)
    # A fixed sign keeps the file the same on each run.
    flat = modes.reshape(count, -1)
    top = np.abs(flat).argmax(axis=1)
    return modes * np.sign(flat[np.arange(count), top])[:, None, None]


def midline(points: NDArray, faces: NDArray) -> NDArray:
    """Vertex ids along x = 0 from the vertex of the head down the face to the neck."""
    on = np.abs(points[:, 0]) < 1e-3
    pairs = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    pairs = pairs[on[pairs].all(axis=1)]
    near: dict[int, set[int]] = {}
    for a, b in pairs:
        near.setdefault(int(a), set()).add(int(b))
        near.setdefault(int(b), set()).add(int(a))
    top = max(near, key=lambda v: points[v, 2])
    path = [top, max(near[top], key=lambda v: points[v, 1])]
    while True:
        onward = near[path[-1]] - set(path)
        if not onward:
            return np.array(path)
        path.append(min(onward, key=lambda v: float(np.linalg.norm(points[v] - points[path[-1]]))))


def farthest(points: NDArray, path: NDArray, first: int, last: int, outward: int) -> int:
    """Vertex of `path` between two of its vertices that bulges most from their chord.

    `outward` 1 looks to the front-below side of the chord (the skin's outside), -1 inside.
    """
    i, j = int(np.flatnonzero(path == first)[0]), int(np.flatnonzero(path == last)[0])
    line = path[i : j + 1]
    yz = points[line][:, 1:]
    along = (yz[-1] - yz[0]) / np.linalg.norm(yz[-1] - yz[0])
    normal = np.array([-along[1], along[0]])
    return int(line[(outward * ((yz - yz[0]) @ normal)).argmax()])


def find_landmarks(model: HeadModel, points: NDArray, faces: NDArray) -> dict[str, int]:
    """Vertex id of each landmark on the mean head."""
    path = midline(points, faces)
    x, y, z = points.T

    def most(ids: NDArray, score: NDArray) -> int:
        return int(ids[score[ids].argmax()])

    def between(low: float, high: float) -> NDArray:
        return path[(z[path] >= low) & (z[path] <= high)]

    marks: dict[str, int] = {}
    tip = marks["pronasale"] = most(path, y)
    nasion = marks["nasion"] = most(between(z[tip] + 15, z[tip] + 50), -y)
    marks["glabella"] = most(between(z[nasion] + 8, z[nasion] + 35), y)
    marks["vertex"] = int(path[0])
    back = np.flatnonzero((np.abs(x) < 1e-3) & (y < 0))
    marks["opisthocranion"] = most(back, -y)
    marks["inion"] = most(back, -np.abs(z + 8))
    lips = model.outer_vertices(model.lip_rim)
    stomion = marks["stomion"] = most(lips[np.abs(x[lips]) < 1e-3], z)
    upper = marks["labiale_superius"] = most(between(z[stomion] + 1, z[stomion] + 12), y)
    lower = marks["labiale_inferius"] = most(between(z[stomion] - 12, z[stomion] - 1), y)
    marks["subnasale"] = farthest(points, path, tip, upper, -1)
    throat = most(between(-500, 500), -np.abs(y - 42) + np.where(z < z[lower], 0, -1e3))
    chin = farthest(points, path, lower, throat, 1)
    fold = farthest(points, path, lower, chin, -1)
    pogonion = marks["pogonion"] = farthest(points, path, fold, chin, 1)
    menton = marks["menton"] = farthest(points, path, pogonion, throat, 1)
    i, j = (int(np.flatnonzero(path == v)[0]) for v in (pogonion, menton))
    marks["gnathion"] = int(path[(i + j) // 2])
    marks.update(_paired(model, points, marks))
    return marks


def _paired(model: HeadModel, points: NDArray, marks: dict[str, int]) -> dict[str, int]:
    """Landmarks of the person's right (+x), and their mirror vertices on the left."""
    x, y, z = points.T
    ids = np.arange(len(points))
    tip, sub = points[marks["pronasale"]], points[marks["subnasale"]]

    def most(chosen: NDArray, score: NDArray) -> int:
        return int(ids[chosen][score[chosen].argmax()])

    lid = model.outer_vertices(model.lid_rims[0])
    lips = model.outer_vertices(model.lip_rim)
    right: dict[str, int] = {
        "exocanthion": int(lid[x[lid].argmax()]),
        "endocanthion": int(lid[x[lid].argmin()]),
        "cheilion": int(lips[x[lips].argmax()]),
        "preauricular": int(model.outer_vertices(np.array(model.tragion))[1]),
    }
    eye = model.points(expression=model.closed_eyes)[model.parts == 3]
    eye = eye[eye[:, 0] > 0].mean(axis=0)
    # Where an open eye is marked in a picture: between the corners, near the eyeball's height.
    canthi = (points[right["exocanthion"]] + points[right["endocanthion"]]) / 2
    front = (x > 0) & (y > eye[1])
    right["pupil"] = most(front, -np.hypot(x - canthi[0], z - (eye[2] + canthi[2]) / 2))
    wing = (x > 8) & (x < 24) & (z > sub[2] - 2) & (z < tip[2] + 8) & (y > sub[1] - 7)
    right["alare"] = most(wing, x)
    right["zygion"] = most((x > 0) & (y > 22) & (y < 60) & (z > -30) & (z < 20), x)
    # No edge marks the angle of the jaw on skin: below the ear lobe, two thirds down to menton.
    jaw = 0.64 * points[marks["menton"], 2]
    right["gonion"] = most(x > 30, -np.hypot(y - 10, z - jaw))
    result: dict[str, int] = {}
    for name, v in right.items():
        result[f"{name}_right"] = v
        gap = np.linalg.norm(points - points[v] * [-1, 1, 1], axis=1)
        result[f"{name}_left"] = int(gap.argmin())
    return result


def auricle(model: HeadModel) -> NDArray:
    """How much each vertex of the outer skin belongs to an auricle, 0 to 1.

    Spread and lobe: unlike the ear's size and place they leave the skin around it alone.
    """
    wing = np.zeros(model.base.shape)
    for name in ("ear-wing", "ear-lobe"):
        wing[:, 0] = np.maximum(wing[:, 0], model.footprint(name)[:, 0])
    return model.outer_skin(wing)[:, 0]


def filled(mask: NDArray, faces: NDArray) -> NDArray:
    """A vertex mask without holes: only the largest connected rest stays outside."""
    inside = mask.copy()
    edges = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    edges = edges[~mask[edges].any(axis=1)]
    graph = coo_matrix((np.ones(len(edges)), edges.T), shape=(len(mask), len(mask)))
    _, part = connected_components(graph, directed=False)
    inside[part != np.bincount(part[~mask]).argmax()] = True
    return inside


def find_regions(model: HeadModel, points: NDArray, marks: dict[str, int]) -> NDArray:
    """Region label (P,) of each vertex, an index into `REGIONS`."""
    at = {name: points[v] for name, v in marks.items()}
    side, y, z = np.abs(points[:, 0]), points[:, 1], points[:, 2]
    label = np.full(len(points), REGIONS.index("face"), np.uint8)

    def paint(name: str, where: NDArray) -> None:
        label[where] = REGIONS.index(name)

    eye, nasion, tip = at["pupil_right"], at["nasion"], at["pronasale"]
    sub, chin = at["subnasale"], at["menton"]
    corner, wing = at["cheilion_right"], at["alare_right"]
    paint("cheeks", (z < eye[2] - 12) & (y > 8))
    paint("chin", (z < at["labiale_inferius"][2] - 7) & (side < corner[0] + 6) & (y > 30))
    paint(
        "mouth",
        (side < corner[0] + 7) & (z < sub[2] - 1) & (z > at["labiale_inferius"][2] - 8) & (y > 50),
    )
    outer, inner = at["exocanthion_right"][0], at["endocanthion_right"][0]
    paint(
        "eyes",
        (side > inner - 5) & (side < outer + 7) & (np.abs(z - eye[2]) < 13) & (y > 30),
    )
    paint("brow", (side < outer + 8) & (z > eye[2] + 12) & (z < eye[2] + 28) & (y > 40))
    paint("brow", (side < inner - 4) & (z > nasion[2] + 6) & (z < eye[2] + 28) & (y > 40))
    share = np.clip((nasion[2] + 6 - z) / (nasion[2] + 6 - tip[2]), 0, 1)
    half = 9 + share * (wing[0] + 2 - 9)
    paint("nose", (side < half) & (z <= nasion[2] + 6) & (z > sub[2] - 1) & (y > 55))
    hair = np.interp(z, [-60, 0, 22, 45, 62, 84, 88], [-5, 4, 10, 38, 50, 66, 200])
    paint("scalp", y < hair)
    edge = np.interp(
        y, [-110, -60, -20, 2, 20, chin[1] - 8], [-62, -60, -48, -50, -68, chin[2] + 1]
    )
    paint("neck", z < edge)
    paint("ears", filled(auricle(model) > 0.2, model.outer_faces))
    return label


def build_template() -> dict[str, NDArray]:
    """Arrays of `template.npz`."""
    model = HeadModel.load()
    faces = model.outer_faces
    rng = np.random.default_rng(SEED)
    heads = np.array([sample(model, rng) for _ in range(PEOPLE)], np.float32)
    mirror = mirror_vertices(model)
    flip = np.array([-1, 1, 1], np.float32)
    mean = heads.mean(axis=0, dtype=np.float64)
    mean = (mean + mean[mirror] * flip) / 2
    for _ in range(2):
        # The ears bend and the neck bows: only face and skull hold the rigid fit.
        weight = areas(mean, faces) * (mean[:, 2] > -45) * (auricle(model) < 0.02)
        weight = weight / weight.sum()
        heads = np.array(
            [registered_rigidly(h.astype(np.float64), mean, weight) for h in heads], np.float32
        )
        mean = heads.mean(axis=0, dtype=np.float64)
        mean = (mean + mean[mirror] * flip) / 2
    ears = model.outer_vertices(np.array(model.tragion))
    shift = np.array([0, *mean[ears, 1:].mean(axis=0)])
    mean, heads = mean - shift, heads - shift.astype(np.float32)
    mean[mirror == np.arange(len(mean)), 0] = 0
    rows = heads - mean.astype(np.float32)
    mirrored = rows[:, mirror] * flip
    weight = areas(mean, faces)
    weight = weight / weight.sum()
    modes = np.concatenate([
        components((rows + mirrored) / 2, weight, SYMMETRIC_MODES),
        components((rows - mirrored) / 2, weight, ASYMMETRIC_MODES),
    ])  # fmt: skip
    marks = find_landmarks(model, mean, faces)
    return {
        # Rounded so that the last bits of another machine do not change the file.
        "points": np.round(mean, 3).astype(np.float32),
        "faces": faces.astype(np.uint16),
        "regions": find_regions(model, mean, marks),
        "smooth_ways": smooth_ways(np.round(mean, 3).astype(np.float32), faces),
        "modes": np.rint(modes / STEP_MM).astype(np.int16),
        "mode_step": np.array([STEP_MM], np.float32),
        "landmark_names": np.array(sorted(marks)),
        "landmark_index": np.array([marks[n] for n in sorted(marks)], np.int32),
        "mirror": mirror.astype(np.uint16),
    }


def smooth_ways(points: NDArray, faces: NDArray) -> NDArray:
    """(P, 3) outward directions averaged over a centimetre, so that rays do not cross."""
    from scipy.spatial import cKDTree

    subset = thin(points, 2.5)
    near = cKDTree(points).sparse_distance_matrix(
        cKDTree(points[subset]), 12.0, output_type="coo_matrix"
    )
    weight = np.exp(-0.5 * (near.data / 5.0) ** 2)
    where, count = (near.row, subset[near.col]), len(points)
    mean = coo_matrix((weight, where), (count, count)).tocsr()
    ways = mean @ vertex_normals(points, faces)
    return (ways / np.maximum(np.linalg.norm(ways, axis=1, keepdims=True), 1e-6)).astype(np.float32)


def mirror_vertices(model: HeadModel) -> NDArray:
    """Index of each outer vertex's mirror image."""
    from scipy.spatial import cKDTree

    # The base mesh is symmetric to its last digit; its lids are open, so none coincide.
    base = model.outer_skin(model.base).astype(np.float64)
    distance, index = cKDTree(base).query(base * [-1, 1, 1])
    if distance.max() > 1e-3 or (index[index] != np.arange(len(index))).any():
        raise SystemExit(f"the outer skin is not symmetric (worst {distance.max():.4f} dm)")
    return index
