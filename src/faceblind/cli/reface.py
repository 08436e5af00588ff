"""``faceblind reface``: put the same average face on every scan."""

from __future__ import annotations

from faceblind.cli.protect import make_verb

reface = make_verb(
    "reface",
    """Put the same average face on every scan.

    The new face has the scan's own contrast, shading and noise, and is the same person
    for everyone. The brain stays bit for bit.
    """,
)
