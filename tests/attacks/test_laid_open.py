"""Brain behind an empty sinus is no skin; skin over bone is, however deep it lies."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from nibabel.affines import apply_affine

from faceblind.attacks.examine import examine
from faceblind.attacks.laid_open import least_below_brain, without_brain
from faceblind.attacks.surface import Surface
from faceblind.attacks.verdict import judge
from faceblind.formats import load
from faceblind.formats.nifti import save
from faceblind.head.segmentation import find_head
from faceblind.head.skin import find_skin
from faceblind.head.template import load_template
from faceblind.scan import Scan

CENTRE, RADIUS = np.array([0.0, -10.0, 20.0]), 95.0
"""Of a ball in template mm that stands for a head."""
SOFT, BONE, BRAIN, AIR = 100.0, 15.0, 80.0, 5.0
THICK_MM = 7.0
"""Of scalp and of skull."""
LOWEST_BONE_MM = -30.0


def still_shown(*, opened: bool, bone: float = BONE, offset_mm: float = -12.0) -> float:
    """Share of the brow's vertices that still count as skin, in a ball with scalp, skull and brain.

    `opened` takes scalp and skull away in front, so that the brain's surface is the outermost.
    """
    affine = np.diag([1.5, 1.5, 1.5, 1.0])
    affine[:3, 3] = (-130.0, -130.0, -110.0)
    index = np.stack(np.meshgrid(*[np.arange(170)] * 3, indexing="ij"), axis=-1)
    place = apply_affine(affine, index)
    depth = RADIUS - np.linalg.norm(place - CENTRE, axis=-1)
    values = np.select(
        [depth > 2 * THICK_MM, depth > THICK_MM, depth > 0.0], [BRAIN, bone, SOFT], AIR
    )
    # Scalp and brain are one head.
    values[(place[..., 2] < LOWEST_BONE_MM) & (depth > 0.0)] = SOFT
    if opened:
        values[(place[..., 1] > 30.0) & (depth < 2 * THICK_MM)] = AIR
    values = values + np.random.default_rng(0).normal(0.0, 1.0, values.shape)
    scan = Scan(values.astype(np.float32), affine)
    head = find_head(scan)
    skin, template = find_skin(scan, head), load_template()
    pose = SimpleNamespace(
        template=template, scan_to_template=np.eye(4), scan_to_template_rigid=np.eye(4)
    )
    ways = template.points - CENTRE
    ways /= np.linalg.norm(ways, axis=1, keepdims=True)
    points = CENTRE + (RADIUS - (2 * THICK_MM if opened else 0.0)) * ways
    count = len(points)
    surface = Surface(
        np.full(count, offset_mm), np.ones(count), np.ones(count, bool), np.ones(count), points
    )
    brow = template.region("brow")
    placed = SimpleNamespace(alignment=pose, skin=skin)
    left = without_brain(np.ones(count, bool), surface, skin, placed, scan, head.air_level)
    # Nothing is said of other parts of the face.
    assert left[~brow].all()
    return float(left[brow].mean())


def test_the_brain_that_a_cut_laid_open_is_no_skin() -> None:
    assert still_shown(opened=True) < 0.05


def test_skin_over_bone_stays_skin() -> None:
    assert still_shown(opened=False) == 1.0


def test_what_lies_near_the_fitted_skin_stays_skin() -> None:
    assert still_shown(opened=True, offset_mm=-6.0) == 1.0


def test_bright_bone_tells_nothing() -> None:
    assert still_shown(opened=True, bone=200.0) == 1.0


def test_too_little_scalp_tells_nothing() -> None:
    scan = Scan(np.zeros((4, 4, 4), np.float32), np.eye(4))
    few = SimpleNamespace(
        points=np.zeros((5, 3), np.float32), normals=np.zeros((5, 3), np.float32),
        edge=np.zeros(5, bool),
    )  # fmt: skip
    pose = SimpleNamespace(scan_to_template=np.eye(4), scan_to_template_rigid=np.eye(4))
    assert least_below_brain(SimpleNamespace(alignment=pose, skin=few), scan, 0.0) is None


@pytest.mark.slow
def test_a_refaced_head_with_a_large_sinus_passes(shared, tmp_path) -> None:
    """Between the brain and what a cut may take lies air: the brain is not the person's brow."""
    from faceblind.protect.reface import reface

    scan = load(shared / "scans" / "sub-b_pose-supine_T1w_5mm.nii.gz")
    path = tmp_path / "sub-01_T1w.nii.gz"
    save(reface(scan).scan, path)
    verdict = judge("scan", examine(path).findings)
    assert verdict.findings.replaced == "face"
    assert verdict.findings.regions["brow"].share < 0.1
    assert verdict.status == "pass"
