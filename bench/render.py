"""Time and memory of the rasterisers on heads of 200k and 700k triangles.

Run ``python bench/render.py``; each measurement runs in a process of its own. VTK is measured
where it is installed (``pip install vtk``); faceblind does not need it.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable

import numpy as np

from faceblind.face.cameras import DEFAULT_CAMERAS
from faceblind.face.rasteriser import facing, make_caster
from faceblind.face.render import aim, render
from faceblind.geometry.mesh import checked_normals, smooth

MARKS = np.array([[32.0, 80, 25], [-32, 80, 25], [0, 112, -10], [25, 85, -45], [-25, 85, -45]])


def head(triangles: int) -> tuple[np.ndarray, np.ndarray]:
    """An egg of the size of a head, with ripples; (P, 3) float32 mm and (F, 3) int32."""
    rows = int(np.sqrt(triangles / 4))
    columns = 2 * rows
    theta, phi = np.mgrid[0 : rows + 1, 0:columns]
    theta, phi = np.pi * (theta + 0.5) / (rows + 1), 2 * np.pi * phi / columns
    radius = 1 + 0.02 * np.sin(12 * theta) * np.sin(8 * phi)
    x = 75 * np.sin(theta) * np.sin(phi)
    y = 95 * np.sin(theta) * np.cos(phi)
    points = np.stack([x, y, 115 * np.cos(theta)], axis=-1) * radius[..., None] + [0, 0, 20]
    index = np.arange((rows + 1) * columns).reshape(rows + 1, columns)
    a, b = index[:-1], np.roll(index, -1, axis=1)[:-1]
    c, d = index[1:], np.roll(index, -1, axis=1)[1:]
    faces = np.concatenate([np.stack([a, b, c], -1), np.stack([b, d, c], -1)]).reshape(-1, 3)
    return points.reshape(-1, 3).astype(np.float32), np.ascontiguousarray(faces, dtype=np.int32)


def nine_views(points: np.ndarray, faces: np.ndarray, rasteriser: str) -> None:
    """Make ready and rasterise nine views of 448 x 448 rays."""
    target = aim(MARKS)
    front = facing(points, faces, np.stack([c.position(target) for c in DEFAULT_CAMERAS]))
    caster = make_caster(points, faces[front], rasteriser)
    for camera in DEFAULT_CAMERAS:
        caster.hits(camera, target, 448)


def nine_views_vtk(points: np.ndarray, faces: np.ndarray) -> None:
    """The same nine views with VTK's off-screen window, depth read back."""
    import vtkmodules.vtkRenderingOpenGL2  # noqa: F401
    from vtkmodules.util.numpy_support import numpy_to_vtk, vtk_to_numpy
    from vtkmodules.vtkCommonCore import vtkFloatArray, vtkPoints
    from vtkmodules.vtkCommonDataModel import vtkCellArray, vtkPolyData
    from vtkmodules.vtkRenderingCore import (
        vtkActor,
        vtkPolyDataMapper,
        vtkRenderer,
        vtkRenderWindow,
    )

    data, vertices, cells = vtkPolyData(), vtkPoints(), vtkCellArray()
    vertices.SetData(numpy_to_vtk(points))
    cells.SetData(3, numpy_to_vtk(faces.ravel()))
    data.SetPoints(vertices)
    data.SetPolys(cells)
    mapper, actor, renderer, window = (
        vtkPolyDataMapper(),
        vtkActor(),
        vtkRenderer(),
        vtkRenderWindow(),
    )
    mapper.SetInputData(data)
    actor.SetMapper(mapper)
    renderer.AddActor(actor)
    window.SetOffScreenRendering(1)
    window.SetSize(448, 448)
    window.AddRenderer(renderer)
    for camera in DEFAULT_CAMERAS:
        view = renderer.GetActiveCamera()
        view.SetPosition(*camera.position(aim(MARKS)))
        view.SetFocalPoint(*aim(MARKS))
        view.SetViewUp(0, 0, 1)
        view.SetViewAngle(2 * np.degrees(np.arctan(camera.span / 2 / camera.distance)))
        renderer.ResetCameraClippingRange()
        window.Render()
        depth = vtkFloatArray()
        window.GetZbufferData(0, 0, 447, 447, depth)
        vtk_to_numpy(depth)


def measure(task: str, triangles: int) -> dict[str, float]:
    """Median wall and processor seconds of three runs, and the peak memory of the process."""
    points, faces = head(triangles)
    normals = checked_normals(points, faces)
    work: dict[str, Callable[[], object]] = {
        "embree": lambda: nine_views(points, faces, "embree"),
        "numpy": lambda: nine_views(points, faces, "numpy"),
        "vtk": lambda: nine_views_vtk(points, faces),
        "render": lambda: render(points, faces, normals, MARKS),
        "checked_normals": lambda: checked_normals(points, faces),
        "smooth": lambda: smooth(points, faces, 20, 0.1),
    }
    wall, busy = [], []
    for _ in range(3):
        start, cpu = time.perf_counter(), time.process_time()
        work[task]()
        wall.append(time.perf_counter() - start)
        busy.append(time.process_time() - cpu)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {
        "wall": statistics.median(wall),
        "cpu": statistics.median(busy),
        "megabytes": peak / 1024,
    }


def main() -> None:
    """Measure everything, or one task in this process with --task."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--task")
    parser.add_argument("--triangles", type=int, default=200_000)
    given = parser.parse_args()
    if given.task:
        print(json.dumps(measure(given.task, given.triangles)))
        return
    print("| what | triangles | wall s | CPU s | peak MB |\n|---|---|---|---|---|")
    for task in ("embree", "numpy", "vtk", "render", "checked_normals", "smooth"):
        for triangles in (200_000, 700_000):
            command = [sys.executable, __file__, "--task", task, "--triangles", str(triangles)]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode:
                print(f"| {task} | {triangles} | not available | | |")
                continue
            got = json.loads(done.stdout.splitlines()[-1])
            print(
                f"| {task} | {triangles} | {got['wall']:.2f} | {got['cpu']:.2f} | "
                f"{got['megabytes']:.0f} |"
            )


if __name__ == "__main__":
    main()
