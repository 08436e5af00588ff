"""When machine code is loaded, and what happens where it cannot be."""

from __future__ import annotations

import subprocess
import sys

import pytest

from faceblind.geometry import long_runs


@pytest.fixture(autouse=True)
def begun(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that has done nothing yet."""
    monkeypatch.setattr(long_runs, "_done", 0)
    long_runs._loaded.cache_clear()
    yield
    long_runs._loaded.cache_clear()


def test_machine_code_is_loaded_after_as_much_work_as_it_saves() -> None:
    assert long_runs.kernels(long_runs.PAYS_AFTER - 1) is None
    assert long_runs.kernels() is None
    loaded = long_runs.kernels(1)
    assert loaded is not None
    assert loaded is long_runs.kernels()


def test_one_scan_does_not_load_numba() -> None:
    code = (
        "import sys, numpy as np\n"
        "from faceblind.geometry.interpolation import trilinear_on_grid\n"
        "from faceblind.geometry.points import tree_of\n"
        "trilinear_on_grid(np.ones((9, 9, 9), np.float32), np.eye(4), (90, 90, 90))\n"
        "tree_of(np.eye(3)).query(np.eye(3))\n"
        "print('numba' in sys.modules)"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "False"


def test_a_run_goes_on_where_nothing_can_be_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "faceblind.geometry.kernels", None)
    monkeypatch.delattr("faceblind.geometry.kernels", raising=False)
    assert long_runs.kernels(long_runs.PAYS_AFTER) is None
