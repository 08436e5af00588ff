"""A page of the review app in a browser."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

AXE = Path(__file__).resolve().parents[1] / "data" / "axe.min.js"
WAIT_MS = 90_000
"""Drawing without a graphics card, on a machine that others use, takes its time."""


@dataclass
class Page:
    """A page and what its console said."""

    page: Any
    said: list[str] = field(default_factory=list)

    def shown(self, number: int) -> None:
        """Wait until a scan is drawn; a policy without eval allows no waiting on expressions."""
        self.page.wait_for_selector(f'body[data-shown="{number}"]', timeout=WAIT_MS)

    def ahead(self, number: int) -> None:
        self.page.wait_for_selector(f'body[data-ahead="{number}"]', timeout=WAIT_MS)

    def pixels(self, name: str) -> np.ndarray:
        picture = Image.open(io.BytesIO(self.page.locator(f"#{name}").screenshot(timeout=WAIT_MS)))
        return np.asarray(picture.convert("RGB")).astype(int)

    def cameras(self) -> dict[str, Any]:
        return self.page.evaluate("faceblindCameras()")

    def axe(self) -> list[str]:
        if not AXE.is_file():
            pytest.skip("needs axe-core among the data of the tests")
        self.page.evaluate(AXE.read_text(encoding="utf-8"))
        found = self.page.evaluate("async () => (await axe.run()).violations")
        return [f"{v['id']}: {n['html'][:150]}" for v in found for n in v["nodes"]]
