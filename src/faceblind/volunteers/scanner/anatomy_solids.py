"""Soft tissue, bones, air spaces and eyes of the average head, drawn from its landmarks.

Each function draws on a map of labels; later ones draw over earlier ones. Lengths in mm, in the
template frame. `side` is |x|, the distance from the middle.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from faceblind.head.template import Template
from faceblind.volunteers.scanner.anatomy_grid import SPACING_MM, Space
from faceblind.volunteers.scanner.tissue import Tissue

Labels = NDArray[np.uint8]

SKIN_MM = 1.8


def fat_thickness(space: Space, template: Template) -> NDArray[np.float32]:
    """(A, B, C) thickness of the subcutaneous fat of an average person, by region."""
    side = np.abs(space.x)
    cheek = np.exp(-(((side - 42) / 22) ** 2) - ((space.z + 35) / 30) ** 2
                   - ((space.y - 45) / 35) ** 2)  # fmt: skip
    low = space.z < -40
    thickness = 3.8 + 6.0 * cheek + 2.5 * low * (space.y > 20) + 2.0 * (low & (space.y < 0))
    thickness = np.where((space.z > 20) & (space.y > 60), 2.6, thickness)
    thickness = np.where(space.ball((0, 90, -15), (16, 16, 30)), 1.2, thickness)
    ear = (side > 66) & (np.abs(space.y + 12) < 22) & (np.abs(space.z) < 30)
    thickness = np.where(ear, 0.4, thickness)
    lips = space.ball(_point(template, "stomion", 0, 6, 0), (27, 14, 14))
    return np.where(lips, 1.0, thickness).astype(np.float32)


def soft_tissue(label: Labels, space: Space, template: Template) -> None:
    """Muscle with its fatty planes, cartilage of nose and ears, glands."""
    side = np.abs(space.x)
    planes = space.noise((9, 9, 26), 11, octaves=2)
    deep = (space.depth > 6) & (space.z < 30)
    label[(planes > 1.15) & deep] = Tissue.FAT
    sheets = space.noise((16, 16, 40), 12, octaves=1)
    label[(np.abs(sheets) < 0.06) & deep & (space.z < -20)] = Tissue.FAT
    for s in (1.0, -1.0):
        label[space.ball((s * 38, 42, -28), (9, 13, 18)) & (space.depth > 5)] = Tissue.FAT
        # Masseter and temporal muscle, the parotid and the submandibular gland.
        label[space.ball((s * 55, 22, -38), (8, 17, 27)) & (space.depth > 6)] = Tissue.MUSCLE
        label[space.ball((s * 60, 28, 24), (9, 26, 26)) & (space.depth > 5)] = Tissue.MUSCLE
        label[space.ball((s * 60, -1, -34), (10, 15, 22)) & (space.depth > 5)] = Tissue.GLAND
        label[space.ball((s * 26, 34, -84), (8, 14, 9)) & (space.depth > 7)] = Tissue.GLAND
    ear = (side > 66) & (np.abs(space.y + 12) < 22) & (np.abs(space.z) < 30)
    label[ear & (space.depth > 1.4)] = Tissue.CARTILAGE
    tip = space.ball(_point(template, "pronasale", 0, -7, 4), (15, 13, 18))
    label[tip & (space.depth > 2.6)] = Tissue.CARTILAGE
    lips = space.ball(_point(template, "stomion", 0, 2, 0), (25, 9, 12))
    label[lips & (space.depth > 2.5)] = Tissue.MUSCLE


def neck(label: Labels, space: Space) -> None:
    """Spine, cord and its fluid."""
    spine = [(0.0, -14.0, -22.0), (0.0, -12.0, -60.0), (0.0, -18.0, -100.0), (0.0, -26.0, -150.0)]
    wide = (1.35, 1.0, 1.0)
    label[space.tube(spine, 9.5, wide)] = Tissue.BONE
    label[space.tube(spine, 8.3, wide)] = Tissue.MARROW
    gap = np.mod(space.z + 45, 18.0)
    low = space.z < -42
    label[space.tube(spine, 8.8, wide) & (gap < 5.5) & low] = Tissue.BONE
    label[space.tube(spine, 9.2, wide) & (gap > 0.8) & (gap < 4.7) & low] = Tissue.CARTILAGE
    canal = [(x, y - 19, z) for x, y, z in spine]
    label[space.tube(canal, 10.0, (1.25, 1.0, 1.0)) & (np.mod(space.z + 36, 18.0) < 11)] = (
        Tissue.BONE
    )
    label[space.tube(canal, 7.8, (1.3, 1.0, 1.0))] = Tissue.CSF
    label[space.tube(canal, 4.4, (1.4, 1.0, 1.0))] = Tissue.WHITE
    process = [(x, y - 40, z - 6) for x, y, z in spine]
    at = (np.mod(space.z + 40, 18.0) < 8) & (space.z < -30)
    label[space.tube(process, 5.2, (0.8, 2.0, 1.0)) & at] = Tissue.BONE
    label[space.tube(process, 3.6, (0.8, 2.0, 1.0)) & at] = Tissue.MARROW
    for s in (1.0, -1.0):
        # Facets beside the canal, the great vessels (flowing blood is dark) in front.
        facet = [(s * 19 + x, y - 12, z) for x, y, z in spine]
        label[space.tube(facet, 5.5) & (gap < 13)] = Tissue.BONE
        label[space.tube(facet, 3.6) & (gap < 12)] = Tissue.MARROW
        vessel = [(s * 26.0, 6.0, -25.0), (s * 27.0, 8.0, -70.0), (s * 30.0, 4.0, -150.0)]
        label[space.tube(vessel, 3.4)] = Tissue.DURA


def skull_thickness(space: Space) -> NDArray[np.float32]:
    """(A, B, C) thickness of the calvaria of an average person.

    6 to 7 mm, thicker at the back, thin at the temples (Lynnerup 2001, Forensic Sci Int 117:45;
    Hwang et al. 1999, J Craniofac Surg 10:180).
    """
    side = np.abs(space.x)
    temple = np.exp(-(((side - 68) / 18) ** 2) - ((space.y - 12) / 26) ** 2
                    - ((space.z - 22) / 22) ** 2)  # fmt: skip
    thick = 6.4 + 0.9 * space.noise(30.0, 5, octaves=2)
    thick = thick + 2.2 * (space.y < -60) * (space.z < 30) + 1.4 * (space.y > 62) - 3.2 * temple
    return np.maximum(thick, 2.2).astype(np.float32)


def skull_base(label: Labels, space: Space, inner: NDArray[np.float32]) -> None:
    """Petrous and mastoid bone with air cells, clivus and occipital condyles."""
    side = np.abs(space.x)
    outside = inner > 2.6
    petrous = ((side - 40) / 22) ** 2 + ((space.y + 9) / 11) ** 2 + ((space.z + 3) / 10) ** 2
    label[(petrous < 1) & outside & (space.depth > 4)] = Tissue.BONE
    for s in (1.0, -1.0):
        apex = space.ball((s * 27, 2, -3), (9, 6, 5))
        label[apex & (inner > 4)] = Tissue.MARROW
        label[space.ball((s * 42, -5, 0), (5, 2.5, 3)) & outside] = Tissue.CSF
        box, places = space.box(
            np.array([s * 54.0 - 10, -34, -30]), np.array([s * 54.0 + 10, -8, 6])
        )
        cells = _cells(space, box, 3.2, 6) > 0.0
        mastoid = np.zeros(label.shape, bool)
        mastoid[box] = cells & (
            ((np.abs(places[0]) - 54) / 9) ** 2
            + ((places[1] + 22) / 11) ** 2
            + ((places[2] + 12) / 16) ** 2
            < 1
        )
        label[space.ball((s * 54, -22, -12), (10, 12, 17)) & outside & (space.depth > 4)] = (
            Tissue.BONE
        )
        label[mastoid & (inner > 3) & (space.depth > 5)] = Tissue.AIR
        label[space.tube([(s * 14, -10, -22), (s * 22, -16, -24)], 6.5) & outside] = Tissue.BONE
        label[space.tube([(s * 14, -10, -22), (s * 22, -16, -24)], 4.5) & outside] = Tissue.MARROW
    slope = [(0.0, 22.0, -2.0), (0.0, 2.0, -24.0)]
    label[space.tube(slope, 7.5, (1.6, 1.0, 1.0)) & outside] = Tissue.BONE
    label[space.tube(slope, 6.0, (1.6, 1.0, 1.0)) & outside] = Tissue.MARROW


def face_bones(label: Labels, space: Space, template: Template) -> None:
    """Upper and lower jaw, cheekbones, palate, teeth and the tongue."""
    marks = template.landmarks
    stomion, pogonion = marks["stomion"], marks["pogonion"]
    gonion, zygion = marks["gonion_right"], marks["zygion_right"]
    floor = float(marks["subnasale"][2]) - 2
    deep = space.depth > 4.5
    side = np.abs(space.x)
    arch = np.hypot(space.x / 1.08, space.y - (stomion[1] - 37))
    front = (space.y > stomion[1] - 40) & deep
    upper = (np.abs(arch - 25) < 6.5) & front & (space.z > stomion[2] + 5) & (space.z < floor + 9)
    label[upper] = Tissue.BONE
    marrow = (np.abs(arch - 25) < 4.6) & upper & (space.z < floor + 7)
    label[marrow] = Tissue.MARROW
    lower = (np.abs(arch - 25) < 6.0) & front & (space.z < stomion[2] - 6)
    lower &= space.z > pogonion[2] - 4
    chin = [(s, float(pogonion[1]) - 13, float(pogonion[2]) + 4) for s in (-9.0, 9.0)]
    lower |= space.tube(chin, 8.0, (1.0, 0.8, 1.4)) & deep
    label[lower] = Tissue.BONE
    label[lower & (np.abs(arch - 25) < 3.6) & (space.z > pogonion[2])] = Tissue.MARROW
    for s in (1.0, -1.0):
        body = [
            (s * 24, float(stomion[1]) - 38, float(stomion[2]) - 20),
            (s * (gonion[0] - 13), float(gonion[1]) + 8, float(gonion[2]) + 8),
        ]
        ramus = [body[1], (s * (gonion[0] - 10), 9.0, -8.0)]
        for path, stretch in ((body, (1.0, 1.0, 2.2)), (ramus, (0.8, 2.3, 1.0))):
            label[space.tube(path, 5.6, stretch) & deep] = Tissue.BONE
            label[space.tube(path, 3.9, stretch) & deep] = Tissue.MARROW
        cheekbone = [
            (s * 30, float(marks["pupil_right"][1]) - 12, -8.0),
            (s * (zygion[0] - 13), zygion[1] + 16, -3.0),
            (s * (zygion[0] - 7), 6.0, 2.0),
        ]
        label[space.tube(cheekbone, 4.6) & deep] = Tissue.BONE
        label[space.tube(cheekbone, 2.8) & deep] = Tissue.MARROW
    palate = (np.abs(space.z - floor) < 2.2) & (side < 24) & (arch < 27)
    palate &= (space.y > stomion[1] - 62) & (space.y < stomion[1] - 8)
    label[palate] = Tissue.BONE
    _teeth(label, space, stomion, arch, front)
    tongue = space.ball((0, stomion[1] - 42, stomion[2] - 6), (22, 33, 20))
    label[tongue & (arch < 21)] = Tissue.MUSCLE
    streaks = space.noise((3, 12, 9), 15, octaves=1)
    label[tongue & (arch < 20) & (streaks > 1.3)] = Tissue.FAT
    label[tongue & (side < 0.8) & (space.z < stomion[2])] = Tissue.FAT


def _teeth(
    label: Labels,
    space: Space,
    stomion: NDArray[np.floating],
    arch: NDArray[np.float32],
    front: NDArray[np.bool_],
) -> None:
    """Two rows of crowns with a little air between, roots in the jaws."""
    turn = np.arctan2(space.x / 1.08, space.y - (stomion[1] - 37))
    crown = np.cos(turn * 25.0 / 7.0 * 2 * np.pi) > -0.7
    height = np.abs(space.z - stomion[2])
    row = (np.abs(arch - 25) < 3.6) & front & (space.depth > 6)
    label[row & crown & (height < 9)] = Tissue.TOOTH
    label[row & crown & (np.abs(arch - 25) < 2.0) & (height < 17)] = Tissue.TOOTH
    label[row & (height < 0.8)] = Tissue.AIR


def air_spaces(label: Labels, space: Space, template: Template) -> None:
    """Nasal cavity with septum and turbinates, sinuses, ear canals, mouth and throat."""
    nose = [float(v) for v in template.landmarks["subnasale"]]
    eye = [float(v) for v in template.landmarks["pupil_right"]]
    _nasal_cavity(label, space, nose, eye)
    for s in (1.0, -1.0):
        antrum = ((s * 27, eye[1] - 30, eye[2] - 34), (12.5, 15.0, 16.0))
        _sinus(label, space, *antrum, 7.0)
        _sinus(label, space, (s * 10, eye[1] - 3, eye[2] + 22), (9.0, 5.5, 11.0), 7.0)
        vestibule = [(s * 7, nose[1] - 7, nose[2] + 1), (s * 6, nose[1] - 14, nose[2] + 14)]
        label[space.tube(vestibule, 3.2) & (space.depth > 2)] = Tissue.AIR
        canal = [(s * 68.0, -2.0, -2.0), (s * 44.0, -4.0, 2.0)]
        label[space.tube(canal, 4.4)] = Tissue.CARTILAGE
        label[space.tube(canal, 3.0)] = Tissue.AIR
    middle, reach = np.array([0, eye[1] - 32, eye[2] - 2]), np.array([13.0, 19.0, 11.0])
    box, (x, y, z) = space.box(middle - reach, middle + reach)
    cells = _cells(space, box, 5.5, 8) > -0.45
    cells &= (np.abs(x) > 1.3) & (np.abs(x) < 12.5 + 0 * y + 0 * z)
    label[box] = np.where(cells, Tissue.AIR, np.where(np.abs(x) < 0.7, Tissue.BONE, Tissue.MUCOSA))
    _sinus(label, space, (0, eye[1] - 64, eye[2] - 10), (13.0, 11.0, 9.5), 7.0)
    label[space.tube([(0, eye[1] - 74, eye[2] - 8), (0, eye[1] - 54, eye[2] - 2)], 0.9)] = (
        Tissue.BONE
    )
    back = nose[1] - 68
    throat = [(0.0, back + 4, nose[2] + 16), (0.0, back, nose[2] - 10), (0.0, back - 2, -62.0),
              (0.0, back - 3, -90.0), (0.0, back + 2, -150.0)]  # fmt: skip
    label[space.tube(throat, 8.0, (1.5, 1.0, 1.0))] = Tissue.MUCOSA
    label[space.tube(throat, 5.0, (1.9, 1.0, 1.0))] = Tissue.AIR
    soft_palate = [(0.0, back + 26, nose[2] - 3), (0.0, back + 10, nose[2] - 10),
                   (0.0, back + 6, nose[2] - 22)]  # fmt: skip
    label[space.tube(soft_palate, 3.6, (3.5, 1.0, 1.0))] = Tissue.MUSCLE
    mouth = [(0.0, nose[1] - 30, nose[2] - 7), (0.0, back + 16, nose[2] - 13)]
    label[space.tube(mouth, 1.3, (9.0, 1.0, 1.0))] = Tissue.AIR


def _nasal_cavity(label: Labels, space: Space, nose: list[float], eye: list[float]) -> None:
    side = np.abs(space.x)
    above = space.z - nose[2]
    cavity = (
        (side < 15 - 0.2 * above)
        & (above > 1)
        & (space.z < eye[2] - 6)
        & (space.y > nose[1] - 66)
        & (space.y < nose[1] - 13 - 0.25 * above)
        & (space.depth > 5)
    )
    label[cavity] = Tissue.MUCOSA
    inner = cavity & (side < 13 - 0.2 * above) & (above > 3) & (side > 2.2)
    label[inner] = Tissue.AIR
    label[cavity & (side < 0.9)] = Tissue.CARTILAGE
    front, rear = nose[1] - 22, nose[1] - 62
    for s in (1.0, -1.0):
        for height, reach, radius in ((9, 0, 4.2), (21, 8, 3.6), (31, 16, 2.4)):
            bone = [(s * 7.5, front - reach, nose[2] + height),
                    (s * 8.0, rear, nose[2] + height + 1)]  # fmt: skip
            label[space.tube(bone, radius, (0.9, 1.0, 1.0)) & inner] = Tissue.MUCOSA
            label[space.tube(bone, 0.9) & inner] = Tissue.BONE


def eyes(label: Labels, space: Space, template: Template) -> None:
    """Orbital walls, fat and muscles, globes with lens and sclera, optic nerves in their sheath."""
    for name in ("pupil_right", "pupil_left"):
        lid = template.landmarks[name]
        # The cornea lies about 2 mm under the closed lid; the globe's radius is 12 mm.
        centre = (float(lid[0]), float(lid[1]) - 14.5, float(lid[2]))
        inward = -np.sign(centre[0])
        apex = (centre[0] + inward * 15, centre[1] - 36, centre[2] + 1)
        cone = np.clip((centre[1] - space.y) / 34, 0, 1)
        axis_x = centre[0] + inward * 15 * cone
        radial = np.hypot(space.x - axis_x, space.z - centre[2])
        around = (space.y < centre[1] + 6) & (space.y > apex[1]) & (space.depth > 2.5)
        wall = around & (radial < 19.5 - 11.5 * cone) & (space.depth > 5)
        label[wall & (radial > 18 - 11 * cone) & (label != Tissue.AIR)] = Tissue.BONE
        orbit = around & (radial < 18 - 11 * cone)
        label[orbit] = Tissue.FAT
        rectus = np.abs(radial - (12.0 - 8 * cone)) < 1.4
        turn = np.arctan2(space.z - centre[2], space.x - axis_x)
        label[orbit & rectus & (np.cos(4 * turn) > 0.45) & (cone > 0.1)] = Tissue.MUSCLE
        bent = (centre[0] + inward * 6, centre[1] - 22, centre[2] - 2)
        nerve = [(centre[0], centre[1] - 10, centre[2]), bent, apex]
        label[space.tube(nerve, 3.0) & orbit] = Tissue.CSF
        label[space.tube(nerve, 1.9) & orbit] = Tissue.WHITE
        label[space.ball(centre, (12.4, 12.4, 12.4))] = Tissue.DURA
        label[space.ball(centre, (11.2, 11.2, 11.2))] = Tissue.VITREOUS
        lens = (centre[0], centre[1] + 7.2, centre[2])
        label[space.ball(lens, (4.7, 2.2, 4.7))] = Tissue.LENS
        gland = (centre[0] - inward * 14, centre[1] + 3, centre[2] + 9)
        label[space.ball(gland, (4, 5, 5)) & (label == Tissue.FAT)] = Tissue.GLAND


def _sinus(
    label: Labels,
    space: Space,
    centre: tuple[float, float, float],
    radii: tuple[float, float, float],
    under: float,
) -> None:
    """Air behind thin mucosa in a shell of bone, at least `under` mm below the skin."""
    for grow, tissue, room in (
        (1.2, Tissue.BONE, 1.5), (0.0, Tissue.MUCOSA, 0.7), (-0.8, Tissue.AIR, 0.0)
    ):  # fmt: skip
        reach = (radii[0] + grow, radii[1] + grow, radii[2] + grow)
        label[space.ball(centre, reach) & (space.depth > under - room)] = tissue


def _cells(space: Space, box: tuple[slice, ...], scale: float, seed: int) -> NDArray[np.float32]:
    """Noise in a box only, for small air cells."""
    part = Space(
        space.x[box[0]], space.y[:, box[1]], space.z[:, :, box[2]], space.depth[box],
        space.origin + SPACING_MM * np.array([s.start for s in box]),
    )  # fmt: skip
    return part.noise(scale, seed)


def _point(
    template: Template, name: str, x: float, y: float, z: float
) -> tuple[float, float, float]:
    """A place relative to a landmark."""
    a, b, c = template.landmarks[name]
    return float(a) + x, float(b) + y, float(c) + z
