"""What BIDS asks of the sidecar of a protected image beyond what every protection writes."""

from __future__ import annotations

from pathlib import Path

from faceblind.datasets.sidecar import read_sidecar, sidecar_path
from faceblind.datasets.sidecar_fields import required_fields
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
    written = read_sidecar(scan, inherit=False)
    content = required_fields(read_sidecar(image.source)) | written
    if layout == "derivative":
        content |= {
            "Description": "The scan without the face; all other voxels are those of the source.",
            "Sources": [f"bids:raw:{image.inside}"],
            "SkullStripped": False,
        }
    if content != written:
        write_json(sidecar_path(scan), content)
