"""What BIDS asks of the sidecar of a protected image beyond what every protection writes."""

from __future__ import annotations

from pathlib import Path

from faceblind.datasets.sidecar import read_sidecar, sidecar_path
from faceblind.system.tables import write_json
from faceblind.workflows.bids.plan import Image
from faceblind.workflows.bids.settings import Layout


def complete_sidecar(scan: Path, image: Image, layout: Layout) -> None:
    """Add to the sidecar of a protected image what its place in a dataset asks for.

    Parameters
    ----------
    scan : Path
        The protected image, with its sidecar.
    image : Image
    layout : {"derivative", "publish"}
    """
    if layout != "derivative":
        return
    content = read_sidecar(scan, inherit=False)
    content["Description"] = "The scan without the face; all other voxels are those of the source."
    content["Sources"] = [f"bids:raw:{image.inside}"]
    content["SkullStripped"] = False
    write_json(sidecar_path(scan), content)
