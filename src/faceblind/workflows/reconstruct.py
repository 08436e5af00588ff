"""Look at the face that a scan gives away: a mesh and a sheet of pictures, in a private folder."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from PIL import Image

from faceblind.face.pipeline import ReconstructedHead, reconstruct_head, render_face, require_face
from faceblind.face.reconstruction import Face
from faceblind.face.render import render_sheet
from faceblind.formats import load
from faceblind.formats.ply import write_ply
from faceblind.system.files import atomic_path
from faceblind.system.outputs import prepare_output, private_dir


def reconstruct(scan: str | Path, out: str | Path, *, force: bool = False) -> tuple[Face, Face]:
    """Rebuild the face of one scan and write it for a look.

    Parameters
    ----------
    scan : path
        A scan file.
    out : path
        Folder for ``as-is.ply``, ``as-is.png``, ``completed.ply`` and ``completed.png``. It
        becomes readable by its owner only: what lies in it is a picture of a person.
    force : bool
        Write into a folder that holds other things.

    Returns
    -------
    as_is, completed : Face
        Upright, in mm.

    Raises
    ------
    FaceblindError
        If the scan cannot be read, holds no head, or shows no face.
    """
    path = Path(scan)
    loaded = replace(load(path), source=str(path))
    head = reconstruct_head(loaded)
    require_face(head, str(path))
    root = prepare_output(out, "reconstruct", [path], force)
    private_dir(root)
    write_face(head, root)
    return head.as_is, head.completed


def write_face(head: ReconstructedHead, folder: Path) -> None:
    """Write both faces as PLY meshes and PNG sheets into a folder made private.

    Parameters
    ----------
    head : ReconstructedHead
    folder : Path
    """
    private_dir(folder)
    for face in (head.as_is, head.completed):
        write_ply(folder / f"{face.variant}.ply", face.points, face.faces, face.normals)
        sheet = Image.fromarray(render_sheet(render_face(face)))
        with atomic_path(folder / f"{face.variant}.png") as temporary:
            sheet.save(temporary)
