"""Photographs of volunteers: camera, light, hair, clothes."""
