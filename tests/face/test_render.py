"""Renders of spheres and boxes, whose outlines, normals and grey levels are known."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys

import numpy as np
import pytest
import trimesh
from numpy.typing import NDArray

from faceblind.errors import FaceblindError
from faceblind.face.cameras import DEFAULT_CAMERAS, DEFAULT_LIGHTS, Camera, Light
from faceblind.face.rasteriser import NOTHING, EmbreeCaster, NumpyCaster, make_caster
from faceblind.face.render import BACKGROUND, GAMMA, SKIN_ALBEDO, Renders, aim, render, render_sheet
from faceblind.geometry.mesh import checked_normals

Mesh = tuple[NDArray[np.float32], NDArray[np.int32]]

# Five marks whose aim is the origin, about where a face has them.
MARKS = np.array([[32.0, 0, 30], [-32, 0, 30], [0, 0, 0], [25, 0, -35], [-25, 0, -35]])
MARKS -= aim(MARKS)
FRONT = Camera()
MATT = Light(0, 0, key=0.6, ambient=0.0, wrap=0.0, gloss=0.0)


def sphere(radius: float = 80.0, centre: tuple[float, float, float] = (0, 0, 0)) -> Mesh:
    ball = trimesh.creation.icosphere(subdivisions=6, radius=radius)
    return (ball.vertices + centre).astype(np.float32), ball.faces.astype(np.int32)


def box(size: tuple[float, float, float], centre: tuple[float, float, float]) -> Mesh:
    solid = trimesh.creation.box(extents=size)
    return (solid.vertices + centre).astype(np.float32), solid.faces.astype(np.int32)


def join(*meshes: Mesh) -> Mesh:
    starts = np.cumsum([0] + [len(points) for points, _ in meshes])
    return (
        np.vstack([points for points, _ in meshes]),
        np.vstack([faces + np.int32(s) for (_, faces), s in zip(meshes, starts, strict=False)]),
    )


def picture(mesh: Mesh, light: Light = MATT, camera: Camera = FRONT, **options: object) -> Renders:
    return render(*mesh, None, MARKS, [camera], [light], **options)  # type: ignore[arg-type]


def test_defaults_make_81_pictures() -> None:
    points, faces = sphere()
    renders = render(points, faces, checked_normals(points, faces), MARKS)
    assert renders.images.shape == (9, 9, 224, 224)
    assert renders.images.dtype == np.uint8
    assert renders.landmarks.shape == (9, 5, 2)
    assert renders.landmarks.dtype == np.float32
    assert len(set(DEFAULT_CAMERAS)) == len(set(DEFAULT_LIGHTS)) == 9
    assert len({image.tobytes() for image in renders.images.reshape(81, -1)}) == 81


@pytest.mark.parametrize("rasteriser", ["embree", "numpy"])
@pytest.mark.parametrize("camera", [FRONT, Camera(25, -15), Camera(-60, 40)])
def test_outline_of_a_sphere(rasteriser: str, camera: Camera) -> None:
    visible = picture(sphere(), camera=camera, rasteriser=rasteriser).visible[0]
    # The rim is where the tangent cone of half-angle asin(r / d) meets the picture.
    radius = camera.focal(224) * 80 / np.sqrt(camera.distance**2 - 80**2)
    assert visible.sum() == pytest.approx(np.pi * radius**2, rel=5e-3)
    np.testing.assert_allclose(np.argwhere(visible).mean(axis=0), 111.5, atol=0.1)


def test_grey_level_of_a_matt_sphere_is_lambert() -> None:
    light = Light(30, 20, key=0.6, ambient=0.0, wrap=0.0, gloss=0.0)
    image = picture(sphere(), light).images[0, 0]
    for row, column in [(111, 111), (90, 130), (140, 100), (111, 150)]:
        ray = np.array([column - 111.5, row - 111.5, FRONT.focal(224)])
        ray /= np.linalg.norm(ray)
        along = FRONT.distance * ray[2]
        hit = (along - np.sqrt(along**2 - FRONT.distance**2 + 80**2)) * ray
        normal = (hit - [0, 0, FRONT.distance]) / 80
        grey = 255 * (SKIN_ALBEDO * 0.6 * max(0, normal @ light.direction)) ** (1 / GAMMA)
        assert abs(int(image[row, column]) - grey) <= 1.5


def test_ambient_light_of_a_flat_front() -> None:
    mesh = box((200, 20, 200), (0, 0, 0))
    light = Light(0, 0, key=0.0, ambient=0.4, gloss=0.0)
    # Given normals make the front flat; those of shared corners would round the box off.
    normals = np.tile(np.float32([0, 1, 0]), (len(mesh[0]), 1))
    image = render(*mesh, normals, MARKS, [FRONT], [light]).images[0, 0]
    expected = 255 * (SKIN_ALBEDO * 0.4 * 0.85) ** (1 / GAMMA)
    assert abs(int(image[112, 112]) - expected) <= 1


def test_landmarks_are_the_pinhole_projection() -> None:
    camera = Camera(yaw=20, pitch=-10, distance=1000, span=250)
    renders = picture(sphere(), camera=camera)
    yaw, pitch = np.radians([20, -10])
    # The camera's right is -x when it looks along -y; turn, then tilt.
    for mark, (x, y) in zip(MARKS, renders.landmarks[0], strict=True):
        right = -mark[0] * np.cos(yaw) - mark[1] * np.sin(yaw)
        towards = mark[1] * np.cos(yaw) - mark[0] * np.sin(yaw)
        up = mark[2] * np.cos(pitch) - towards * np.sin(pitch)
        near = towards * np.cos(pitch) + mark[2] * np.sin(pitch)
        scale = 224 * 1000 / 250 / (1000 - near)
        assert x == pytest.approx(111.5 + scale * right, abs=1e-3)
        assert y == pytest.approx(111.5 - scale * up, abs=1e-3)


@pytest.mark.parametrize("camera", [FRONT, Camera(25, 15), Camera(-25, -15)])
def test_landmarks_lie_on_what_is_drawn(camera: Camera) -> None:
    for k in range(5):
        renders = picture(sphere(4, tuple(MARKS[k])), camera=camera)
        centre = np.argwhere(renders.visible[0]).mean(axis=0)[::-1]
        np.testing.assert_allclose(renders.landmarks[0, k], centre, atol=0.3)


def test_pictures_are_not_mirrored_and_upright() -> None:
    # +x is the person's right, so a bump on the left side lies at -x.
    left_bump = picture(join(sphere(), sphere(15, (-90, 0, 0)))).visible[0]
    assert left_bump[:, 180:].sum() > 100
    assert left_bump[:, :44].sum() == 0
    top_bump = picture(join(sphere(), sphere(15, (0, 0, 90)))).visible[0]
    assert top_bump[:44].sum() > 100
    assert top_bump[180:].sum() == 0
    eyes = picture(sphere()).landmarks[0]
    assert eyes[0, 0] < eyes[1, 0]
    assert eyes[0, 1] < eyes[2, 1] < eyes[3, 1]


def test_cameras_move_the_way_they_say() -> None:
    assert Camera(yaw=30).position([0, 0, 0])[0] < 0
    assert Camera(pitch=30).position([0, 0, 0])[2] > 0
    nose = sphere(10, (0, 90, 0))
    front = np.argwhere(picture(nose).visible[0]).mean(axis=0)
    # From the person's left the nose points to the left of the picture; from above, down.
    turned = np.argwhere(picture(nose, camera=Camera(yaw=25)).visible[0]).mean(axis=0)
    raised = np.argwhere(picture(nose, camera=Camera(pitch=15)).visible[0]).mean(axis=0)
    assert turned[1] < front[1] - 20
    assert raised[0] > front[0] + 10


@pytest.mark.parametrize(
    ("light", "bright", "dark"),
    [
        (Light(45, 0), (111, 150), (111, 73)),
        (Light(-45, 0), (111, 73), (111, 150)),
        (Light(0, 45), (73, 111), (150, 111)),
        (Light(0, -45), (150, 111), (73, 111)),
    ],
)
def test_the_side_towards_the_light_is_brighter(
    light: Light, bright: tuple[int, int], dark: tuple[int, int]
) -> None:
    image = picture(sphere(), light).images[0, 0].astype(int)
    assert image[bright] > image[dark] + 40


def test_hollows_get_less_ambient_light() -> None:
    light = Light(key=0.0, ambient=0.4, gloss=0.0)
    wall, posts = box((200, 10, 200), (0, 0, 0)), []
    for x in (-12, 12):
        posts.append(box((12, 40, 200), (x, 0, 0)))
    mesh = join(wall, *posts)
    normals = np.tile(np.float32([0, 1, 0]), (len(mesh[0]), 1))
    image = render(*mesh, normals, MARKS, [FRONT], [light]).images[0, 0].astype(int)
    assert image[111, 111] < image[111, 40] - 20


def test_albedo_darkens_what_is_painted() -> None:
    points, faces = sphere()
    paint = np.where(points[:, 2] > 0, 0.5, 1.0)
    plain = picture((points, faces), albedo=None).images[0, 0]
    painted = picture((points, faces), albedo=paint).images[0, 0]
    ratio = (painted[90, 111] / plain[90, 111]) ** GAMMA
    assert ratio == pytest.approx(0.5, abs=0.02)
    assert painted[140, 111] == plain[140, 111]


def test_background_and_smooth_outline() -> None:
    renders = picture(sphere())
    image, visible = renders.images[0, 0], renders.visible[0]
    assert (image[:20] == BACKGROUND).all()
    assert not visible[:20].any()
    assert visible[111, 111]


def test_two_rasterisers_agree() -> None:
    points, faces = join(sphere(60), sphere(20, (30, 50, 10)), box((30, 30, 30), (-60, 20, 40)))
    target = np.zeros(3)
    for camera in DEFAULT_CAMERAS[:3]:
        a = EmbreeCaster(points, faces).hits(camera, target, 224)
        b = NumpyCaster(points, faces).hits(camera, target, 224)
        assert np.mean((a.face == NOTHING) != (b.face == NOTHING)) < 1e-4
        both = (a.face != NOTHING) & (b.face != NOTHING)
        assert np.quantile(np.abs(a.depth[both] - b.depth[both]), 0.999) < 0.01
        for hits in (a, b):
            corner = points[faces[hits.face[both]]]
            u, v = hits.u[both][:, None], hits.v[both][:, None]
            place = (1 - u - v) * corner[:, 0] + u * corner[:, 1] + v * corner[:, 2]
            pixel = camera.project(place, target, 224)
            np.testing.assert_allclose(pixel[:, :2], np.argwhere(both)[:, ::-1], atol=0.02)
            np.testing.assert_allclose(pixel[:, 2], hits.depth[both], atol=0.01)
    one = picture((points, faces), rasteriser="embree").images.astype(int)
    other = picture((points, faces), rasteriser="numpy").images.astype(int)
    assert np.mean(np.abs(one - other) > 2) < 1e-3


def test_unknown_rasteriser_is_refused() -> None:
    with pytest.raises(FaceblindError, match="use auto, embree or numpy"):
        make_caster(*sphere(), "opengl")


def test_same_input_gives_same_bytes_with_any_number_of_threads() -> None:
    code = (
        "import hashlib, trimesh; from faceblind.face.render import render\n"
        "ball = trimesh.creation.icosphere(subdivisions=6, radius=80.0)\n"
        "marks = [[32, 90, 30], [-32, 90, 30], [0, 120, 0], [25, 90, -35], [-25, 90, -35]]\n"
        "renders = render(ball.vertices, ball.faces, None, marks)\n"
        "print(hashlib.sha256(renders.images.tobytes()).hexdigest())"
    )
    digests = set()
    for threads in ("1", "2"):
        limits = {"OMP_NUM_THREADS": threads, "OPENBLAS_NUM_THREADS": threads}
        done = subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, **limits},
            capture_output=True,
            text=True,
            check=True,
        )
        digests.add(done.stdout.strip())
    assert len(digests) == 1
    assert len(digests.pop()) == len(hashlib.sha256().hexdigest())


def test_sheet_has_a_row_per_camera_and_a_column_per_light() -> None:
    renders = render(*sphere(), None, MARKS, DEFAULT_CAMERAS[:2], DEFAULT_LIGHTS[:3], size=64)
    sheet = render_sheet(renders)
    assert sheet.shape == (128, 192)
    np.testing.assert_array_equal(sheet[64:, 128:], renders.images[1, 2])


def test_refusals() -> None:
    points, faces = sphere()
    with pytest.raises(FaceblindError, match="mesh is empty"):
        render(points[:0], faces[:0], None, MARKS)
    with pytest.raises(FaceblindError, match="inside out"):
        render(points, faces[:, ::-1], None, MARKS)
    with pytest.raises(FaceblindError, match="every face turns its back"):
        render(np.zeros((3, 3)), [[0, 1, 2]], None, MARKS)
    with pytest.raises(FaceblindError, match="does not see the surface"):
        render(points + np.float32([0, 0, 900]), faces, None, MARKS)
    with pytest.raises(FaceblindError, match="expected five finite landmarks"):
        render(points, faces, None, MARKS[:4])
    with pytest.raises(FaceblindError, match="expected five finite landmarks"):
        render(points, faces, None, MARKS * np.nan)
    with pytest.raises(FaceblindError, match="expected normals"):
        render(points, faces, points[:5], MARKS)
    with pytest.raises(FaceblindError, match="normals or albedo are not finite"):
        render(points, faces, points * np.nan, MARKS)
    with pytest.raises(FaceblindError, match="got 0 cameras"):
        render(points, faces, None, MARKS, cameras=())
    with pytest.raises(FaceblindError, match="size 4"):
        render(points, faces, None, MARKS, size=4)
    with pytest.raises(FaceblindError, match="pitch"):
        Camera(pitch=90)


def test_renders_check_their_shapes() -> None:
    images = np.zeros((2, 3, 8, 8), np.uint8)
    marks, visible = np.zeros((2, 5, 2), np.float32), np.zeros((2, 8, 8), bool)
    Renders(images, marks, visible)
    with pytest.raises(FaceblindError, match="uint8"):
        Renders(images.astype(float), marks, visible)  # type: ignore[arg-type]
    with pytest.raises(FaceblindError, match=r"expected landmarks \(2, 5, 2\)"):
        Renders(images, marks[:1], visible)
