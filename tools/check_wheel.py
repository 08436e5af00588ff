"""Check that a built wheel holds everything that the package needs at run time.

Usage: python tools/check_wheel.py dist/faceblind-*.whl
"""

from __future__ import annotations

import sys
import zipfile
from pathlib import Path


def main(wheel: str) -> int:
    """Compare the wheel with the source tree; return an exit code."""
    root = Path(__file__).resolve().parents[1] / "src"
    wanted = {
        path.relative_to(root).as_posix()
        for path in (root / "faceblind").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    with zipfile.ZipFile(wheel) as archive:
        held = set(archive.namelist())
    missing = sorted(wanted - held)
    licences = [name for name in held if name.endswith("LICENSE")]
    size = Path(wheel).stat().st_size / 2**20
    print(f"{Path(wheel).name}: {len(held)} files, {size:.1f} MiB")
    for name in missing:
        print(f"missing in the wheel: {name}")
    if not licences:
        print("missing in the wheel: LICENSE")
    return 1 if missing or not licences else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
