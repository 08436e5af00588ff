"""A child with an adult's head size and a thin cover loses no brain; an adult's cut stays."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from scipy import ndimage

from faceblind.errors import ScanError
from faceblind.head.whole_head import find_whole_head
from faceblind.protect import cut_choice
from faceblind.protect.cut_choice import choose_cut
from faceblind.protect.placement import place
from faceblind.protect.region import face_region
from faceblind.volunteers.people.shape import PeopleSettings, sample_person
from faceblind.volunteers.scanner.settings import ScannerSettings
from faceblind.volunteers.scanner.simulate import scan_session

SETTINGS = ScannerSettings(
    spacing_mm=2.0, session_mm=0.0, session_deg=0.0, vertex_cut=0.0, chin_cut=0.0
)


def scanned(person, name):
    truth = scan_session(person, (name,), SETTINGS)[name]
    return truth, find_whole_head(truth.scan)


def nearest(truth, head, fit=None):
    """Least distance of a replaced voxel's centre from one of the brain, mm."""
    region = face_region(truth.scan, head.skin, head.alignment, place(head.alignment), fit=fit)
    away = ndimage.distance_transform_edt(~truth.brain, truth.scan.spacing)
    return float(away[region.mask].min())


@pytest.mark.slow
@pytest.mark.parametrize(("name", "lost"), [("T1w", 0.0), ("FLAIR", 0.0)])
def test_an_adults_head_size_does_not_hide_a_childs_cover(name, lost):
    """8 years, template to scan 0.97 to 1.0, scalp and skull 0.6 as thick as an adult's."""
    child = replace(sample_person(18, 42, PeopleSettings(ages=(3, 8))), cover=0.6)
    truth, head = scanned(child, name)
    assert nearest(truth, head) > 2.0
    args = (truth.scan, head.skin, head.alignment, place(head.alignment), "cut")
    assert nearest(truth, head, cut_choice._sparing(*args, thickness=1.0)) == lost


@pytest.mark.slow
@pytest.mark.parametrize(
    ("seed", "index", "oldest", "name"),
    [(9105, 0, 7.0, "T2star"), (9107, 8, 8.0, "lowfield")],
    ids=["a scalp dimmer than the brain", "bone that is not seen"],
)
def test_thick_slices_do_not_hide_how_near_a_childs_brain_lies(seed, index, oldest, name):
    """The region came within 1.0 and 1.4 mm of it."""
    person = sample_person(seed, index, PeopleSettings(ages=(3.0, oldest)))
    child = replace(person, cover=float(np.interp(person.years, (5.0, 8.0), (0.6, 0.75))))
    truth = scan_session(child, (name,), replace(SETTINGS, spacing_mm=None))[name]
    assert nearest(truth, find_whole_head(truth.scan)) > 2.5


@pytest.mark.slow
def test_an_adults_cut_is_the_usual_one():
    truth, head = scanned(sample_person(77, 1, PeopleSettings(ages=(18, 89))), "T1w")
    args = (truth.scan, head.skin, head.alignment, place(head.alignment), "cut")
    chosen, usual = choose_cut(*args), cut_choice._sparing(*args, thickness=1.0)
    assert np.array_equal(chosen.lift_mm, usual.lift_mm)
    assert np.array_equal(chosen.scan_to_cut, usual.scan_to_cut)
    assert chosen.spared_mm == usual.spared_mm
    child, other = choose_cut(*args), cut_choice._sparing(*args, thickness=0.6)
    assert other.lift_mm.sum() > child.lift_mm.sum()


class Beside:
    """What the profiles above the ears told."""

    def __init__(self, thin, sure, thick, perhaps=False, cortex=False, seen=True):
        self.shows_cortex, self.is_seen = cortex, seen
        self.is_thin, self.is_sure, self.is_surely_thick = thin, sure, thick
        self.may_be_thin = thin or perhaps


class Brain:
    """Found, and so far inside what the usual cut takes."""

    def surface(self, out_mm=0.0):
        return np.full((1, 3), out_mm)


CHILD, GROWN = 0.6, 1.0


def chosen(monkeypatch, size, beside, *, brain=True, far=True, refused=()):
    """Thickness and number of further places with which the cut was made."""
    tried = []

    def sparing(scan, skin, alignment, placement, name, thickness, also=None):
        tried.append((round(thickness, 2), also))
        if round(thickness, 2) in refused:
            raise ScanError("refused")
        return tried[-1]

    monkeypatch.setattr(cut_choice, "side_cover", lambda *_: beside)
    monkeypatch.setattr(cut_choice, "_sparing", sparing)
    monkeypatch.setattr(cut_choice, "_brain", lambda *_, **__: Brain() if brain else None)
    monkeypatch.setattr(cut_choice, "_brain_is_far", lambda *_: far)
    placement = SimpleNamespace(scan_to_template=np.diag([size, size, size, 1.0]))
    return choose_cut(None, None, None, placement, "cut")


def test_a_thin_cover_read_in_noise_is_not_believed_of_a_large_head(monkeypatch):
    unsure = Beside(thin=True, sure=False, thick=False)
    thickness, also = chosen(monkeypatch, 0.94, unsure)
    assert thickness == GROWN
    assert also[0, 0] == cut_choice.ALSO_FAR_MM


@pytest.mark.parametrize("size", [0.94, 0.97])
@pytest.mark.parametrize("out", [True, False])
def test_a_brain_far_from_the_usual_cut_outweighs_a_thin_cover_read_in_noise(
    monkeypatch, size, out
):
    """Else a large head spares the brain where the scan has it, and a smaller one is a child's."""
    asked = []
    monkeypatch.setattr(cut_choice, "_stays_out", lambda *head: asked.append(head[-1]) or out)
    noisy = Beside(thin=True, sure=False, thick=False, cortex=True)
    thickness, also = chosen(monkeypatch, size, noisy, far=False)
    assert asked == [cut_choice.ALSO_FAR_MM]
    if out:
        assert (thickness, also) == (GROWN, None)
    elif size < cut_choice.SURELY_GROWN:
        assert (thickness, also[0, 0]) == (GROWN, cut_choice.ALSO_FAR_MM)
    else:
        assert (thickness, also) == (CHILD, None)


@pytest.mark.parametrize(
    ("size", "sure", "brain"), [(0.94, True, True), (0.94, False, False), (0.96, False, True)]
)
def test_else_it_is_a_childs(monkeypatch, size, sure, brain):
    """Profiles agree, the brain's place is not known, or the head may be a child's."""
    beside = Beside(thin=True, sure=sure, thick=False)
    assert chosen(monkeypatch, size, beside, brain=brain) == (CHILD, None)


def test_a_cover_that_may_be_a_childs_spares_the_brain_where_the_scan_has_it(monkeypatch):
    perhaps = Beside(thin=False, sure=True, thick=False, perhaps=True)
    thickness, also = chosen(monkeypatch, 0.98, perhaps, far=False)
    assert thickness == GROWN
    assert also[0, 0] == cut_choice.ALSO_FAR_MM
    assert chosen(monkeypatch, 0.98, perhaps) == (GROWN, None)
    assert chosen(monkeypatch, 0.98, perhaps, far=False, brain=False) == (GROWN, None)
    sure = Beside(thin=False, sure=True, thick=False)
    assert chosen(monkeypatch, 0.98, sure, far=False) == (GROWN, None)


def test_a_smallish_head_whose_cover_may_be_a_childs_is_a_childs_unless_its_brain_lies_far(
    monkeypatch,
):
    """So is one whose cover is not seen at all."""
    least = []
    seen = Beside(thin=False, sure=True, thick=False)
    hidden = Beside(thin=False, sure=True, thick=False, seen=False)
    perhaps = Beside(thin=False, sure=True, thick=False, perhaps=True)
    for beside in (perhaps, hidden, None):
        for far, thickness in ((False, CHILD), (True, 0.9)):
            monkeypatch.setattr(
                cut_choice, "_stays_out", lambda *head, far=far: least.append(head[-1]) or far
            )
            assert chosen(monkeypatch, 1.03, beside) == (thickness, None)
            assert chosen(monkeypatch, 0.98, hidden) == (GROWN, None)
            assert chosen(monkeypatch, 1.03, beside, brain=False) == (CHILD, None)
            assert chosen(monkeypatch, 1.03, seen) == (0.9, None)
    assert least == 2 * [cut_choice.FAR_MM] + 4 * [cut_choice.ALSO_FAR_MM]


def test_a_smallish_head_with_a_thick_cover_is_grown_where_it_cannot_be_a_childs(monkeypatch):
    thick = Beside(thin=False, sure=True, thick=True)
    assert chosen(monkeypatch, 1.03, thick)[0] == 0.9
    assert chosen(monkeypatch, 1.03, thick, refused=(0.9,)) == (GROWN, None)
    for beside, far, size in (
        (thick, False, 1.03),
        (Beside(thin=False, sure=True, thick=False), True, 1.03),
        (thick, True, 1.07),
    ):
        with pytest.raises(ScanError, match="refused"):
            chosen(monkeypatch, size, beside, far=far, refused=(0.9, CHILD))


def test_a_brain_is_sought_once_more_with_noise_and_coil_evened_out(monkeypatch):
    asked = []

    def pose(affine, scan, head):
        asked.append(scan)
        return SimpleNamespace(is_sure=scan == "flat")

    monkeypatch.setattr(cut_choice, "find_head", lambda scan: None)
    monkeypatch.setattr(cut_choice, "find_brain_pose", pose)
    monkeypatch.setattr(cut_choice, "rise_above_air", lambda scan: SimpleNamespace(flat="flat"))
    alignment = SimpleNamespace(scan_to_template=np.eye(4))
    assert cut_choice._brain("scan", alignment) is None
    assert asked == ["scan"]
    assert cut_choice._brain("scan", alignment, evened=True).is_sure
    assert asked == ["scan", "scan", "flat"]
