"""Mesh steps of `build_head_model.py`: reading MakeHuman files, clipping, sealing, refining."""

from __future__ import annotations

import gzip
import json
from collections import defaultdict
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

Polygons = list[list[int]]
TO_RAS = np.array([[-1.0, 0, 0], [0, 0, 1], [0, 1, 0]])
"""MakeHuman axes (left, up, front) to right, anterior, superior; a proper rotation."""


def read_obj(path: Path) -> tuple[NDArray, dict[str, Polygons]]:
    """Vertices (V, 3) in RAS+ decimetres and the polygons of each group, in file order."""
    points: list[list[float]] = []
    groups: dict[str, Polygons] = defaultdict(list)
    group = ""
    for line in path.read_text().splitlines():
        words = line.split()
        if not words:
            continue
        if words[0] == "v":
            points.append([float(w) for w in words[1:4]])
        elif words[0] == "g":
            group = words[1]
        elif words[0] == "f":
            groups[group].append([int(w.split("/")[0]) - 1 for w in words[1:]])
    return np.array(points) @ TO_RAS.T, dict(groups)


def read_target(path: Path, count: int) -> NDArray:
    """Offsets (count, 3) of one target file in RAS+ decimetres."""
    opener = gzip.open if path.suffix == ".gz" else open
    offsets = np.zeros((count, 3))
    with opener(path, "rt") as stream:
        for line in stream:
            words = line.split()
            if len(words) == 4 and not words[0].startswith("#"):
                offsets[int(words[0])] = [float(w) for w in words[1:]]
    return offsets @ TO_RAS.T


def read_groups(path: Path) -> dict[str, NDArray]:
    """Vertex ids of each named MakeHuman vertex group."""
    spans = json.loads(path.read_text())
    return {
        name: np.concatenate([np.arange(a, b + 1) for a, b in ranges])
        for name, ranges in spans.items()
    }


def flood(polygons: Polygons, wall: list[int], seed: int) -> set[int]:
    """Polygons reachable from `seed` without crossing the closed vertex loop `wall`."""
    barrier = {frozenset(e) for e in zip(wall, wall[1:] + wall[:1], strict=True)}
    owners: dict[frozenset[int], list[int]] = defaultdict(list)
    for i, polygon in enumerate(polygons):
        for edge in zip(polygon, polygon[1:] + polygon[:1], strict=True):
            owners[frozenset(edge)].append(i)
    found, stack = {seed}, [seed]
    while stack:
        polygon = polygons[stack.pop()]
        for edge in zip(polygon, polygon[1:] + polygon[:1], strict=True):
            key = frozenset(edge)
            if key in barrier:
                continue
            for other in owners[key]:
                if other not in found:
                    found.add(other)
                    stack.append(other)
    return found


def clip(polygons: Polygons, height: NDArray) -> tuple[Polygons, list[tuple[int, int, float]]]:
    """Keep the side height > 0; cut edges get new vertices.

    Returns the polygons, whose new vertices are numbered from len(height) on, and for each
    new vertex (a, b, t): the point (1 - t) a + t b.
    """
    cuts: dict[tuple[int, int], int] = {}
    recipes: list[tuple[int, int, float]] = []
    kept: Polygons = []
    for polygon in polygons:
        above = [height[v] > 0 for v in polygon]
        if all(above):
            kept.append(list(polygon))
            continue
        if not any(above):
            continue
        new: list[int] = []
        for a, b in zip(polygon, polygon[1:] + polygon[:1], strict=True):
            if height[a] > 0:
                new.append(a)
            if (height[a] > 0) != (height[b] > 0):
                key = (min(a, b), max(a, b))
                if key not in cuts:
                    cuts[key] = len(height) + len(recipes)
                    t = height[key[0]] / (height[key[0]] - height[key[1]])
                    recipes.append((*key, float(t)))
                new.append(cuts[key])
        kept.append(new)
    return kept, recipes


def boundary_loops(polygons: Polygons) -> list[list[int]]:
    """Closed loops of edges that only one polygon uses, along that polygon's direction."""
    directed = {e for p in polygons for e in zip(p, p[1:] + p[:1], strict=True)}
    follow = {a: b for a, b in sorted(directed) if (b, a) not in directed}
    loops = []
    while follow:
        start = min(follow)
        loop, at = [start], follow.pop(start)
        while at != start:
            loop.append(at)
            at = follow.pop(at)
        loops.append(loop)
    return loops


def seal(loop: list[int], points: NDArray) -> Polygons:
    """Strips of triangles between the upper and the lower edge of a slit (lids, lips).

    The loop runs along the polygons beside the slit; the strips run against it, so that the
    orientation agrees. Strips start at the outer corner (for a slit across the midline: at
    both corners, meeting in the middle), so that left and right are mirror images.
    """
    path = loop[::-1]
    x = points[path, 0]
    corners = sorted((int(x.argmin()), int(x.argmax())), key=lambda i: -round(abs(float(x[i])), 6))
    if x.min() < 0 < x.max():
        middle = [i for i in range(len(path)) if abs(x[i]) < 1e-6]
        return [t for c in corners for t in _strip(path, c, middle, points)]
    return _strip(path, corners[0], [corners[1]], points)


def _strip(path: list[int], start: int, stops: list[int], points: NDArray) -> Polygons:
    chains = []
    for step in (1, -1):
        chain, i = [path[start]], start
        while i not in stops or i == start:
            i = (i + step) % len(path)
            chain.append(path[i])
        chains.append(chain)
    along = points[chains[0], 2].mean() > points[chains[1], 2].mean()
    upper, lower = chains if along else chains[::-1]
    far = [_fractions(points[c]) for c in (upper, lower)]
    strip: Polygons = []
    i, j = 0, 0
    while i < len(upper) - 1 or j < len(lower) - 1:
        # Whichever edge lags behind advances: the triangles stay short.
        if j == len(lower) - 1 or (i < len(upper) - 1 and far[0][i + 1] <= far[1][j + 1]):
            triangle = [upper[i], upper[i + 1], lower[j]]
            i += 1
        else:
            triangle = [upper[i], lower[j + 1], lower[j]]
            j += 1
        if len(set(triangle)) == 3:
            strip.append(triangle if along else triangle[::-1])
    return strip


def _fractions(line: NDArray) -> NDArray:
    steps = np.linalg.norm(np.diff(line, axis=0), axis=1)
    return np.round(np.r_[0, steps.cumsum()] / steps.sum(), 9)


def catmull_clark(polygons: Polygons, count: int) -> tuple[sparse.csr_matrix, NDArray]:
    """One Catmull-Clark step as a matrix, and the triangles of the refined mesh.

    Returns the (P, count) matrix that maps coarse to refined points, and (F, 3) triangles.
    Quads are split from the face point to the old corner, which a mirror image repeats.
    Rules: Catmull & Clark 1978; cubic B-spline along open boundaries.
    """
    edges: dict[frozenset[int], list[int]] = defaultdict(list)
    around: dict[int, list[int]] = defaultdict(list)
    for f, polygon in enumerate(polygons):
        for v, w in zip(polygon, polygon[1:] + polygon[:1], strict=True):
            edges[frozenset((v, w))].append(f)
            around[v].append(f)
    spokes: dict[int, list[frozenset[int]]] = defaultdict(list)
    for edge in edges:
        for v in sorted(edge):
            spokes[v].append(edge)

    def mean(items: list[int]) -> dict[int, float]:
        row: dict[int, float] = defaultdict(float)
        for item in items:
            row[item] += 1 / len(items)
        return row

    def mix(*terms: tuple[float, dict[int, float]]) -> dict[int, float]:
        row: dict[int, float] = defaultdict(float)
        for factor, term in terms:
            for k, value in term.items():
                row[k] += factor * value
        return row

    centre = [mean(p) for p in polygons]
    rows: list[dict[int, float]] = []
    vertex_id = {v: i for i, v in enumerate(sorted(around))}
    for v in vertex_id:
        rim = [e for e in spokes[v] if len(edges[e]) == 1]
        n = len(spokes[v])
        if rim:
            beside = [next(iter(e - {v})) for e in rim]
            rows.append(mix((0.75, {v: 1.0}), (0.25, mean(beside))))
        else:
            q = mix(*[(1 / n, centre[f]) for f in around[v]])
            r = mix(*[(1 / n, mean(sorted(e))) for e in spokes[v]])
            rows.append(mix((1 / n, q), (2 / n, r), ((n - 3) / n, {v: 1.0})))
    edge_id = {e: len(rows) + i for i, e in enumerate(edges)}
    for edge, owners in edges.items():
        ends = mean(sorted(edge))
        if len(owners) == 1:
            rows.append(ends)
        else:
            rows.append(mix((0.5, ends), *[(0.25, centre[f]) for f in owners]))
    face_id = len(rows)
    rows.extend(centre)
    triangles = []
    for f, polygon in enumerate(polygons):
        for k, v in enumerate(polygon):
            after = edge_id[frozenset((v, polygon[(k + 1) % len(polygon)]))]
            before = edge_id[frozenset((v, polygon[k - 1]))]
            triangles.append([vertex_id[v], after, face_id + f])
            triangles.append([vertex_id[v], face_id + f, before])
    return _stacked(rows, count), np.array(triangles, np.int32)


def _stacked(rows: list[dict[int, float]], count: int) -> sparse.csr_matrix:
    """(R, count) matrix of rows that are given as column and weight."""
    return sparse.csr_matrix(
        (
            np.array([w for r in rows for _, w in sorted(r.items())]),
            np.array([k for r in rows for k in sorted(r)]),
            np.concatenate([[0], np.cumsum([len(r) for r in rows])]),
        ),
        shape=(len(rows), count),
    )
