"""Grids, meshes, rays and rigid transforms, as pure functions over arrays."""
