"""Version of faceblind, and of the software that decides its figures."""

from __future__ import annotations

__version__ = "0.1.0"


def software_versions() -> dict[str, str]:
    """Versions of faceblind and of the libraries that decide its figures."""
    import contextlib
    import platform
    from importlib import metadata

    names = ("numpy", "scipy", "nibabel", "onnxruntime", "opencv-python-headless")
    versions = {"faceblind": __version__, "python": platform.python_version()}
    for name in names:
        with contextlib.suppress(metadata.PackageNotFoundError):
            versions[name] = metadata.version(name)
    return versions
