"""``faceblind deface``: take the faces out of scans."""

from __future__ import annotations

from faceblind.cli.protect import make_verb

deface = make_verb(
    "deface",
    """Take the faces out of scans.

    Face, ears and the air around the head become air that looks like the scan's own.
    The brain stays bit for bit. Works on MRI and CT in any contrast and orientation.
    """,
)
