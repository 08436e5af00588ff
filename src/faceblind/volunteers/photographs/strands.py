"""Single hairs: brows, lashes, beards, and what stands off a head of hair."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from faceblind.volunteers.people.head_model import HeadModel
from faceblind.volunteers.people.reference_face import SKIN, reference, smooth_step
from faceblind.volunteers.photographs import beard
from faceblind.volunteers.photographs.hair import Shell
from faceblind.volunteers.photographs.paint import brow_mask
from faceblind.volunteers.photographs.style import Style

_STEPS = 6
# Hairs per lid, from and to which angle around the eye, length in mm, how far they curl up.
_LASHES = ((90, 0.15, 2.75, 7.5, 0.55), (40, -2.7, -0.3, 3.5, -0.5))


@dataclass(frozen=True, eq=False)
class Strands:
    """Hairs that grow on one layer.

    Attributes
    ----------
    layer : str
        Of `scene.Mesh`, whose light they share.
    points : (S, K, 3) float32 ndarray
        From root to tip, head frame, mm.
    vertex : (S,) int ndarray
        The layer's vertex nearest to each root.
    colour : (S, 3) float32 ndarray
        Linear RGB under white light.
    alpha : float
        Opacity at the root of a hair as wide as a pixel.
    """

    layer: str
    points: NDArray[np.float32]
    vertex: NDArray[np.integer]
    colour: NDArray[np.float32]
    alpha: float


def grow(
    points: NDArray[np.float32],
    coarse: NDArray[np.float32],
    normals: NDArray[np.float32],
    style: Style,
    shells: dict[str, Shell | None],
) -> list[Strands]:
    """All single hairs of a head.

    Parameters
    ----------
    points, normals : (Q, 3) ndarray
        The head's full surface, mm, and its unit normals.
    coarse : (N, 3) ndarray
        Its coarse points.
    style : Style
        Colours, brows, beard.
    shells : dict of str to Shell or None
        By layer.
    """
    rng = np.random.default_rng(style.look.texture + 3)
    found = [_brows(points, normals, style, rng), _lashes(points, coarse, style, rng)]
    if style.beard is not None or style.moustache > 0:
        found.append(_beard(points, normals, style, rng))
    for layer, shell in shells.items():
        if shell is not None and layer.startswith("hair"):
            found.append(_flyaway(layer, shell, style, rng))
    return [hairs for hairs in found if hairs is not None]


def _curve(
    root: NDArray[np.floating], way: NDArray[np.floating], bend: NDArray[np.floating]
) -> NDArray[np.float32]:
    """(S, K, 3) parabolas: `way` to the tip if straight, bent by `bend`."""
    t = np.linspace(0, 1, _STEPS)[None, :, None]
    return np.asarray(root[:, None] + t * way[:, None] + t**2 * bend[:, None], np.float32)


def _scatter(
    chosen: NDArray[np.bool_], count: int, rng: np.random.Generator
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Faces of the reference (`count`,) at random among the chosen, and weights (`count`, 3)."""
    faces = rng.choice(np.flatnonzero(chosen), count)
    return faces, rng.dirichlet((1.0, 1.0, 1.0), count)


def _tones(
    colour: NDArray[np.float64], count: int, spread: float, rng: np.random.Generator
) -> NDArray[np.float32]:
    return np.asarray(colour * np.exp(spread * rng.normal(0, 1, (count, 1))), np.float32)


def _brows(
    points: NDArray[np.float32], normals: NDArray[np.float32], style: Style,
    rng: np.random.Generator,
) -> Strands | None:  # fmt: skip
    base, look = reference(), style.look
    corner = base.points[base.faces]
    x, z = np.abs(corner[..., 0]).mean(axis=1), corner[..., 2].mean(axis=1)
    near = (x > 3) & (x < 62) & (z > 14) & (z < 50) & (corner[..., 1].mean(axis=1) > 35)
    near &= (base.parts[base.faces] == SKIN).all(axis=1)
    faces, weights = _scatter(near, 9000, rng)
    at = np.einsum("sk,skc->sc", weights, corner[faces])
    keep = rng.random(len(at)) < brow_mask(at.astype(np.float32), style) * 1.1
    at, faces, weights = at[keep], faces[keep], weights[keep]
    ids = base.faces[faces]
    root = np.einsum("sk,skc->sc", weights, points[ids])
    out = np.einsum("sk,skc->sc", weights, normals[ids])
    lean = np.interp(np.abs(at[:, 0]), (9, 18, 30, 50), (1.25, 0.75, 0.35, -0.35))
    lean = lean + rng.normal(0, 0.13, len(at))
    way = np.stack([np.sign(at[:, 0]) * np.cos(lean), 0 * lean, np.sin(lean)], axis=1)
    way -= out * np.einsum("ij,ij->i", way, out)[:, None]
    long = rng.uniform(4.5, 8.5, len(at))[:, None]
    bend = -0.12 * long * np.array([0, 0, 1.0]) + 0.02 * long * out
    tones = _tones(look.brow, len(at), 0.25, rng)
    alpha = 0.4 + 0.4 * look.brow_density
    return Strands("head", _curve(root + 0.3 * out, way * long + 0.12 * long * out, bend),
                   ids[:, 0], tones, alpha)  # fmt: skip


def _lashes(
    points: NDArray[np.float32], coarse: NDArray[np.float32], style: Style,
    rng: np.random.Generator,
) -> Strands:  # fmt: skip
    rims = HeadModel.load().lid_rims
    base = reference()
    roots, ways, bends = [], [], []
    woman = 1.0 if style.make_up is None else 1.0 + 0.5 * style.make_up.line
    for rim in rims:
        ring = coarse[rim]
        middle = ring.mean(axis=0)
        turn = np.arctan2(ring[:, 2] - middle[2], (ring[:, 0] - middle[0]) * np.sign(middle[0]))
        order = np.argsort(turn)
        for count, low, high, size, rise in _LASHES:
            where = rng.uniform(low, high, count)
            root = np.stack([np.interp(where, turn[order], ring[order, k], period=2 * np.pi)
                             for k in range(3)], axis=1)  # fmt: skip
            long = size * woman * rng.uniform(0.6, 1.15, count)
            fan = 0.9 * (root[:, 0] - middle[0]) / 15 + rng.normal(0, 0.12, count)
            way = np.stack([0.6 * fan, np.full(count, 0.85), np.full(count, 0.25 * rise)], axis=1)
            roots.append(root)
            ways.append(way * long[:, None])
            bends.append(np.outer(long, (0, -0.25, 0.9 * rise)))
    root = np.concatenate(roots)
    skin = np.flatnonzero((base.parts == SKIN) & (base.points[:, 1] > 50)
                          & (np.abs(base.points[:, 2] - 17) < 15))  # fmt: skip
    gap = ((points[skin][None, ::3] - root[:, None]) ** 2).sum(axis=2)
    vertex = skin[::3][gap.argmin(axis=1)]
    dark = style.look.brow * 0.35 + 0.003
    return Strands("head", _curve(root, np.concatenate(ways), np.concatenate(bends)), vertex,
                   _tones(dark, len(root), 0.1, rng), 1.3 if woman > 1 else 1.0)  # fmt: skip


def _beard(
    points: NDArray[np.float32], normals: NDArray[np.float32], style: Style,
    rng: np.random.Generator,
) -> Strands | None:  # fmt: skip
    base = reference()
    corner = base.points[base.faces]
    mean = corner.mean(axis=1)
    near = (mean[:, 2] < 12) & (mean[:, 1] > -28) & (base.parts[base.faces] == SKIN).all(axis=1)
    near &= base.ear[base.faces].max(axis=1) < 0.2
    faces, weights = _scatter(near, 9000, rng)
    at = np.einsum("sk,skc->sc", weights, corner[faces]).astype(np.float32)
    keep = rng.random(len(at)) < beard.cover(at, style)
    at, ids, weights = at[keep], base.faces[faces[keep]], weights[keep]
    if not len(at):
        return None
    root = np.einsum("sk,skc->sc", weights, points[ids])
    out = np.einsum("sk,skc->sc", weights, normals[ids])
    long = np.where(at[:, 2] > -53, np.minimum(style.beard_mm, 4.0) + 2.5, style.beard_mm + 2.0)
    long = (long * rng.uniform(0.6, 1.2, len(at)))[:, None]
    wild = rng.normal(0, 0.25, (len(at), 3))
    side = np.sign(at[:, :1]) * smooth_step(at[:, 2], -60, -50)[:, None]
    way = 0.75 * out + wild + np.array([0, 0, -0.35]) + side * np.array([0.7, 0, 0])
    tones = _tones(style.look.hair * 0.8 + 0.2 * style.look.brow, len(at), 0.3, rng)
    return Strands("head", _curve(root, way * long, long * np.array([0, 0, -0.4])), ids[:, 0],
                   tones, 0.6)  # fmt: skip


def _flyaway(
    layer: str, shell: Shell, style: Style, rng: np.random.Generator
) -> Strands | None:  # fmt: skip
    # Enough to soften the outline; the shell itself carries the mass.
    candidates = np.flatnonzero(shell.density > 0.3)
    if len(candidates) < 10 or style.look.style == "bald":
        return None
    short = style.look.style == "cropped"
    count = 1400 if layer == "hair" else 700
    vertex = rng.choice(candidates, count)
    origin, root = shell.origin[vertex], shell.points[vertex].astype(np.float64)
    root = root + rng.normal(0, 1.2, root.shape)
    middle = np.array([0, -20, 20.0])
    out = (root - middle) / np.linalg.norm(root - middle, axis=1, keepdims=True)
    if layer == "hair":
        crown = np.array([0, -45, 110.0])
        fall = origin - crown
        fall -= out * np.einsum("ij,ij->i", fall, out)[:, None]
        fall /= np.linalg.norm(fall, axis=1, keepdims=True) + 1e-6
    else:
        fall = np.tile(np.array([0, 0, -1.0]), (count, 1))
        out[:, 2] = 0
    long = rng.uniform(0.5, 1.3, (count, 1)) * (4.0 if short else 16.0)
    wild = rng.normal(0, 0.10 + 0.35 * style.curl, (count, 3))
    lift = rng.exponential(0.10 + 0.12 * style.curl, (count, 1)) * (4 if short else 1)
    points = _curve(root, long * (fall * (1 - 0.5 * style.curl) + wild + lift * out),
                    -long * (0.15 * np.array([0, 0, 1.0]) + 0.4 * lift * out))  # fmt: skip
    return Strands(layer, points, vertex, _tones(style.look.hair, count, 0.35, rng),
                   0.35 if short else 0.45)  # fmt: skip


@numba.njit(cache=True, nogil=True)
def splat(
    picture: NDArray[Any], nearest: NDArray[Any], screen: NDArray[Any], colour: NDArray[Any],
    alpha: float, slack: float,
) -> None:  # fmt: skip
    """Draw hairs over a linear picture in place.

    Parameters
    ----------
    picture : (H, W, 3) ndarray
        Linear RGB.
    nearest : (H, W) ndarray
        1/z of what is drawn so far, 0 where nothing is.
    screen : (S, K, 3) ndarray
        Pixel x and y and 1/z of each hair's points.
    colour : (S, 3) ndarray
        Linear RGB.
    alpha : float
        Opacity at the root; it fades to a fifth of it at the tip.
    slack : float
        By how much, relative to 1/z, a hair may lie behind the surface.
    """
    height, width = nearest.shape
    for s in range(screen.shape[0]):
        for k in range(screen.shape[1] - 1):
            x0, y0, w0 = screen[s, k, 0], screen[s, k, 1], screen[s, k, 2]
            x1, y1, w1 = screen[s, k + 1, 0], screen[s, k + 1, 1], screen[s, k + 1, 2]
            span = max(abs(x1 - x0), abs(y1 - y0))
            steps = int(span) + 1
            # Steps shorter than a pixel add up to one.
            share_of_step = min(span / steps, 1.0)
            for n in range(steps):
                t = n / steps
                x, y, w = x0 + t * (x1 - x0), y0 + t * (y1 - y0), w0 + t * (w1 - w0)
                i, j = int(np.floor(y)), int(np.floor(x))
                if i < 0 or j < 0 or i + 1 >= height or j + 1 >= width:
                    continue
                if w < nearest[i, j] * (1 - slack):
                    continue
                here = min(alpha, 1.0) * share_of_step
                here *= 1 - 0.8 * (k + t) / (screen.shape[1] - 1)
                u, v = x - j, y - i
                for a in range(2):
                    for b in range(2):
                        share = here * (v if a else 1 - v) * (u if b else 1 - u)
                        for c in range(3):
                            old = picture[i + a, j + b, c]
                            picture[i + a, j + b, c] = old + share * (colour[s, c] - old)
