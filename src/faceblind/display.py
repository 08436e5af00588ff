"""What notebooks and prompts show of objects."""

from __future__ import annotations

import base64
import importlib
import io
from collections.abc import Sequence
from html import escape
from typing import Any

import numpy as np
from numpy.typing import NDArray

WIDEST_PX = 220
"""Of a slice's picture; finer scans are shown by every n-th voxel."""
WINDOW = (0.01, 0.995)
"""Quantiles of the volume that are black and white."""


def slices_html(volume: NDArray[Any], spacing: NDArray[np.float64], caption: str) -> str:
    """An axial and a coronal slice through the middle, as HTML.

    Never a sagittal one: the middle of a head is its profile, and notebooks are shared.

    Parameters
    ----------
    volume : (I, J, K) ndarray
        Axes nearest to RAS+.
    spacing : (3,) float64 ndarray
        mm along the axes.
    caption : str
        Plain text.
    """
    low, high = (float(v) for v in np.quantile(volume[::2, ::2, ::2], WINDOW))
    pictures = []
    for name, fixed, across, up in (("axial", 2, 0, 1), ("coronal", 1, 0, 2)):
        plane = np.take(volume, volume.shape[fixed] // 2, axis=fixed).T[::-1]
        step = max(1, -(-max(plane.shape) // WIDEST_PX))
        grey = np.clip((plane[::step, ::step] - low) / max(high - low, 1e-12), 0.0, 1.0)
        width = round(WIDEST_PX * spacing[across] * volume.shape[across] / 200.0)
        height = round(WIDEST_PX * spacing[up] * volume.shape[up] / 200.0)
        source = _png((255.0 * grey).astype(np.uint8))
        pictures.append(
            f'<img src="{source}" width="{width}" height="{height}" alt="{name} slice">'
        )
    return f"<figure>{''.join(pictures)}<figcaption>{escape(caption)}</figcaption></figure>"


def table_html(rows: Sequence[tuple[str, str]], caption: str) -> str:
    """Two columns of plain texts as HTML.

    Parameters
    ----------
    rows : sequence of (str, str)
        Name and value.
    caption : str
    """
    cells = "".join(f"<tr><th>{escape(a)}</th><td>{escape(b)}</td></tr>" for a, b in rows)
    return f"<table><caption>{escape(caption)}</caption>{cells}</table>"


def needed(module: str, use: str) -> Any:
    """Import a library that only one method needs.

    Parameters
    ----------
    module : str
        Such as ``"pandas"``.
    use : str
        What needs it.

    Raises
    ------
    ImportError
        One line: what to install.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        package = module.partition(".")[0]
        raise ImportError(f"{use} needs {package}: pip install {package}") from error


def _png(grey: NDArray[np.uint8]) -> str:
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(grey).save(buffer, "png")
    return data_address(buffer.getvalue(), "image/png")


def data_address(content: bytes, media_type: str) -> str:
    """The content as an address that a page can show without a file.

    Parameters
    ----------
    content : bytes
    media_type : str
        Such as ``image/jpeg``.
    """
    return f"data:{media_type};base64,{base64.b64encode(content).decode('ascii')}"
