"""Loop subdivision as a linear map, so that a shape model need only be subdivided once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse


def subdivision(
    count: int, faces: NDArray[np.integer]
) -> tuple[sparse.csr_matrix, NDArray[np.int32]]:
    """One step of Loop subdivision (Loop 1987; vertex weights of Warren 1995).

    Parameters
    ----------
    count : int
        Number of vertices P.
    faces : (F, 3) integer ndarray
        Manifold triangles, open borders allowed.

    Returns
    -------
    weights : (P + E, P) float32 csr_matrix
        New vertices from old ones: first the P old vertices, moved, then one per edge.
    faces : (4 F, 3) int32 ndarray
        New triangles, wound like the old ones.
    """
    corners = faces[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2)
    opposite = faces[:, [2, 0, 1]].ravel()
    edges, edge_of, uses = np.unique(
        np.sort(corners, axis=1), axis=0, return_inverse=True, return_counts=True
    )
    edge_of = edge_of.ravel()
    border = uses == 1
    number = len(edges)

    ends = sparse.coo_matrix(
        (np.ones(2 * number), (np.repeat(np.arange(number), 2), edges.ravel())), (number, count)
    ).tocsr()
    wings = sparse.coo_matrix((np.ones(len(edge_of)), (edge_of, opposite)), (number, count)).tocsr()
    on_edge = sparse.diags(np.where(border, 0.5, 0.375)) @ ends
    on_edge = on_edge + sparse.diags(np.where(border, 0.0, 0.125)) @ wings

    both = np.concatenate([edges, edges[:, ::-1]])
    neighbours = sparse.coo_matrix(
        (np.ones(len(both)), (both[:, 0], both[:, 1])), (count, count)
    ).tocsr()
    rim = np.concatenate([edges[border], edges[border][:, ::-1]])
    rim_neighbours = sparse.coo_matrix(
        (np.ones(len(rim)), (rim[:, 0], rim[:, 1])), (count, count)
    ).tocsr()
    valence = np.asarray(neighbours.sum(axis=1)).ravel()
    at_rim = np.asarray(rim_neighbours.sum(axis=1)).ravel() > 0
    beta = np.where(valence == 3, 3.0 / 16.0, 3.0 / (8.0 * np.maximum(valence, 1)))
    on_vertex = (
        sparse.diags(np.where(at_rim, 0.75, 1.0 - valence * beta))
        + sparse.diags(np.where(at_rim, 0.0, beta)) @ neighbours
        + sparse.diags(np.where(at_rim, 0.125, 0.0)) @ rim_neighbours
    )
    weights = sparse.vstack([on_vertex, on_edge]).tocsr().astype(np.float32)

    ab, bc, ca = (count + edge_of.reshape(-1, 3)).T
    a, b, c = faces.T
    split = np.stack([a, ab, ca, ab, b, bc, ca, bc, c, ab, bc, ca], axis=1).reshape(-1, 3)
    return weights, split.astype(np.int32)
