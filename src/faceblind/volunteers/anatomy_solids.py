"""Soft tissue, bones, air spaces and eyes of the average head, drawn from its landmarks."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from faceblind.head.template import Template
from faceblind.volunteers.anatomy_grid import SPACING_MM, Space
from faceblind.volunteers.noise import fractal
from faceblind.volunteers.tissue import Tissue


def soft_tissue(label: NDArray[np.uint8], space: Space, template: Template) -> None:
    """Subcutaneous fat by region, muscle with fatty planes below."""
    low = space.z < -40
    cheek = np.exp(-(((np.abs(space.x) - 42) / 22) ** 2) - ((space.z + 35) / 30) ** 2
                   - ((space.y - 45) / 35) ** 2)  # fmt: skip
    thickness = 4.2 + 6.0 * cheek + 2.5 * low * (space.y > 20) + 2.0 * (low & (space.y < 0))
    nose = space.ball((0, 90, -15), (16, 16, 30))
    ear = (np.abs(space.x) > 66) & (np.abs(space.y + 12) < 22) & (np.abs(space.z) < 30)
    thickness = np.where(nose, 2.4, thickness)
    label[space.depth < 1.8 + thickness] = Tissue.FAT
    # Cartilage of nose and ear is about as bright as muscle.
    label[ear & (space.depth > 0.9)] = Tissue.MUSCLE
    tip = np.linalg.norm(space.places - template.landmarks["pronasale"], axis=1).reshape(
        label.shape
    )
    label[(tip < 16) & (space.depth > 3.0)] = Tissue.MUSCLE
    planes = fractal(space.places, (9, 9, 26), 11, octaves=2).reshape(label.shape)
    label[(planes > 1.15) & (label == Tissue.MUSCLE) & (space.depth > 6) & (space.z < 30)] = (
        Tissue.FAT
    )
    buccal = np.abs(space.x)
    pad = ((buccal - 38) / 9) ** 2 + ((space.y - 42) / 12) ** 2 + ((space.z + 28) / 17) ** 2
    label[(pad < 1) & (space.depth > 5)] = Tissue.FAT


def neck(label: NDArray[np.uint8], space: Space) -> None:
    """Spine, cord and its fluid."""
    spine = [(0.0, -14.0, -22.0), (0.0, -12.0, -60.0), (0.0, -18.0, -100.0), (0.0, -26.0, -150.0)]
    label[space.tube(spine, 12.0, 1.15)] = Tissue.BONE
    label[space.tube(spine, 10.5, 1.15)] = Tissue.MARROW
    disc = space.tube(spine, 11.0, 1.15) & (np.mod(space.z + 45, 17.0) < 4.5) & (space.z < -42)
    label[disc] = Tissue.MUSCLE
    canal = [(x, y - 21, z) for x, y, z in spine]
    label[space.tube(canal, 10.5, 1.15)] = Tissue.BONE
    label[space.tube(canal, 7.8, 1.2)] = Tissue.CSF
    label[space.tube(canal, 4.6, 1.2)] = Tissue.WHITE
    process = [(x, y - 40, z - 6) for x, y, z in spine]
    label[space.tube(process, 4.5) & (np.mod(space.z + 40, 17.0) < 8)] = Tissue.MARROW


def skull(label: NDArray[np.uint8], space: Space, brain: NDArray[np.float32]) -> None:
    """Cortical tables and diploe around the brain and its fluid."""
    closed = ndimage.gaussian_filter((brain > 0.5).astype(np.float32), 4.0) > 0.42
    inner = ndimage.distance_transform_edt(~(closed | (brain > 0.5)), SPACING_MM)
    wobble = fractal(space.places, 30.0, 5, octaves=2).reshape(label.shape)
    thick = 6.4 + 0.9 * wobble + 2.0 * (space.y < -60) * (space.z < 10)
    room = space.depth > 4.6
    bone = (inner > 1.6) & (inner < 1.6 + thick) & room
    base = (space.z < -2) & (space.z > -60) & (space.y < 40)
    label[bone] = Tissue.BONE
    diploe = (inner > 3.4) & (inner < thick - 0.4) & room & (space.depth > 6.0) & ~(base)
    label[diploe] = Tissue.MARROW
    label[inner <= 1.6] = Tissue.CSF
    side = np.abs(space.x)
    petrous = ((side - 40) / 22) ** 2 + ((space.y + 9) / 11) ** 2 + ((space.z + 3) / 10) ** 2
    label[(petrous < 1) & (inner > 1.6) & (space.depth > 4)] = Tissue.BONE
    core = ((side - 34) / 11) ** 2 + ((space.y + 6) / 5) ** 2 + ((space.z + 3) / 5) ** 2
    label[(core < 1) & (inner > 3)] = Tissue.MARROW
    mastoid = ((side - 54) / 9) ** 2 + ((space.y + 22) / 11) ** 2 + ((space.z + 12) / 16) ** 2
    cells = fractal(space.places, 3.5, 6, octaves=1).reshape(label.shape) > 0.1
    label[(mastoid < 1) & cells & (inner > 2) & (space.depth > 4)] = Tissue.AIR
    clivus = space.tube([(0, 22, -2), (0, 2, -24)], 7.0, 1.6) & (inner > 1.6)
    label[clivus] = Tissue.MARROW


def face_bones(label: NDArray[np.uint8], space: Space, template: Template) -> None:
    """Jaws, cheekbones, teeth and the tongue."""
    marks = template.landmarks
    stomion, pogonion = marks["stomion"], marks["pogonion"]
    gonion, zygion = marks["gonion_right"], marks["zygion_right"]
    deep = space.depth > 4.0
    maxilla = space.ball((0, stomion[1] - 27, stomion[2] + 22), (29, 24, 27)) & (space.depth > 7)
    label[maxilla] = Tissue.BONE
    label[space.ball((0, stomion[1] - 27, stomion[2] + 21), (26, 21, 24)) & maxilla] = Tissue.MARROW
    for side in (1.0, -1.0):
        jaw = [
            (0.0, pogonion[1] - 11, pogonion[2] + 4),
            (side * 20, pogonion[1] - 20, pogonion[2] + 4),
            (side * (gonion[0] - 12), gonion[1] + 6, gonion[2] + 8),
            (side * (gonion[0] - 10), 10.0, -8.0),
        ]
        label[space.tube(jaw, 7.5) & deep] = Tissue.BONE
        label[space.tube(jaw, 4.8) & deep] = Tissue.MARROW
        cheekbone = [
            (side * 32, marks["pupil_right"][1] - 12, -8.0),
            (side * (zygion[0] - 10), zygion[1] + 12, -2.0),
            (side * (zygion[0] - 7), 6.0, 2.0),
        ]
        label[space.tube(cheekbone, 5.0) & deep] = Tissue.BONE
        label[space.tube(cheekbone, 2.8) & deep] = Tissue.MARROW
    arch = np.hypot(space.x / 1.05, (space.y - (stomion[1] - 36)) / 1.0)
    row = (np.abs(arch - 25) < 4.5) & (space.y > stomion[1] - 38)
    height = np.abs(space.z - stomion[2])
    teeth = row & (height < 10) & (space.depth > 5)
    label[teeth] = Tissue.BONE
    tongue = space.ball((0, stomion[1] - 40, stomion[2] - 4), (20, 32, 15)) & ~teeth
    label[tongue] = Tissue.MUSCLE


def air_spaces(label: NDArray[np.uint8], space: Space, template: Template) -> None:
    """Nasal cavity, sinuses, ear canals and throat."""
    marks = template.landmarks
    nose, eye = marks["subnasale"], marks["pupil_right"]
    side = np.abs(space.x)
    cavity = (
        (side < 13 + 0.12 * (nose[2] + 20 - space.z))
        & (space.z > nose[2] + 4)
        & (space.z < eye[2] - 4)
        & (space.y > nose[1] - 66)
        & (space.y < nose[1] - 12 - 0.25 * (space.z - nose[2]))
    )
    cavity &= space.depth > 5
    label[cavity] = Tissue.MUCOSA
    meatus = cavity & (side > 1.6) & (side < 9)
    label[meatus & (np.mod(space.z - nose[2] + 2 * side, 13) > 8.5)] = Tissue.AIR
    for s in (1.0, -1.0):
        antrum = space.ball((s * 27, eye[1] - 28, eye[2] - 36), (12.5, 15, 17))
        label[antrum & (space.depth > 6)] = Tissue.AIR
        vestibule = space.tube(
            [(s * 7, nose[1] - 8, nose[2] + 1), (s * 6, nose[1] - 14, nose[2] + 14)], 3.2
        )
        label[vestibule & (space.depth > 2)] = Tissue.AIR
        frontal = space.ball((s * 11, eye[1] - 2, eye[2] + 24), (10, 5.5, 11))
        label[frontal & (space.depth > 7)] = Tissue.AIR
        canal = space.tube([(s * 67, -2, -2), (s * 44, -4, 2)], 3.0)
        label[canal] = Tissue.AIR
    cells = fractal(space.places, 5.0, 8, octaves=1).reshape(label.shape) > -0.5
    ethmoid = (side < 12) & (np.abs(space.y - eye[1] + 30) < 18) & (np.abs(space.z - eye[2]) < 10)
    label[ethmoid & cells & (side > 1.5)] = Tissue.AIR
    label[space.ball((0, eye[1] - 62, eye[2] - 8), (12, 11, 9))] = Tissue.AIR
    back = nose[1] - 68
    throat = [(0.0, back + 4, nose[2] + 18), (0.0, back, nose[2] - 10), (0.0, back - 2, -62.0),
              (0.0, back - 3, -90.0), (0.0, back + 2, -150.0)]  # fmt: skip
    label[space.tube(throat, 8.5, 1.25)] = Tissue.MUCOSA
    label[space.tube(throat, 6.0, 1.4)] = Tissue.AIR
    palate = space.tube([(0.0, back + 26, nose[2] + 1), (0.0, back + 8, nose[2] - 9)], 4.0, 3.0)
    label[palate] = Tissue.MUSCLE


def eyes(label: NDArray[np.uint8], space: Space, template: Template) -> None:
    """Orbital fat and muscles, globes, lenses and optic nerves."""
    for name in ("pupil_right", "pupil_left"):
        lid = template.landmarks[name]
        # The cornea lies about 2 mm under the closed lid; the globe's radius is 12 mm.
        centre = (float(lid[0]), float(lid[1]) - 14.5, float(lid[2]))
        inward = -np.sign(centre[0])
        apex = (centre[0] + inward * 15, centre[1] - 34, centre[2] + 1)
        orbit = space.tube([centre, apex], 15.5) | space.ball(centre, (18, 17, 17))
        orbit &= (space.y < centre[1] + 6) & (space.depth > 2.5)
        cone = np.clip((centre[1] - space.y) / 34, 0, 1)
        axis_x = centre[0] + inward * 15 * cone
        radial = np.hypot(space.x - axis_x, space.z - centre[2])
        orbit &= radial < 18 - 11 * cone
        label[orbit] = Tissue.FAT
        rectus = np.abs(radial - (12.0 - 8 * cone)) < 1.3
        turn = np.arctan2(space.z - centre[2], space.x - axis_x)
        label[orbit & rectus & (np.cos(4 * turn) > 0.5) & (cone > 0.15)] = Tissue.MUSCLE
        label[space.tube([centre, apex], 2.2) & orbit] = Tissue.WHITE
        label[space.ball(centre, (12.6, 12.6, 12.6))] = Tissue.MUSCLE
        label[space.ball(centre, (11.3, 11.3, 11.3))] = Tissue.VITREOUS
        lens = (centre[0], centre[1] + 7.2, centre[2])
        label[space.ball(lens, (4.6, 2.1, 4.6))] = Tissue.MUSCLE
