import numpy as np
import pytest
from scipy import ndimage

from faceblind.geometry.grid import resize
from faceblind.volunteers.people.shape import sample_person
from faceblind.volunteers.scanner.anatomy import BRAIN, EARS, FACE, load_anatomy, personal_anatomy
from faceblind.volunteers.scanner.anatomy_grid import SPACING_MM
from faceblind.volunteers.scanner.tissue import Tissue


def halved(mask):
    return resize(mask.astype(np.float32), tuple(n // 2 for n in mask.shape)) >= 0.5


@pytest.fixture(scope="module")
def from_brain():
    """Distance of every second voxel from the brain, mm."""
    return ndimage.distance_transform_edt(~halved(load_anatomy().brain > 127), 2 * SPACING_MM)


@pytest.mark.parametrize("index", [0, 1])
def test_everyone_is_nested(index, from_brain):
    anatomy = personal_anatomy(sample_person(5, index))
    brain = anatomy.brain > 128
    assert 1.1 < brain.sum() * SPACING_MM**3 / 1e6 < 1.6
    assert (anatomy.labels[brain] == Tissue.CSF).all()
    assert (anatomy.zones[brain] == BRAIN).all()
    for zone in (FACE, EARS):
        assert from_brain[halved(anatomy.zones == zone)].min() > 2.4
    # Between brain and skin lies fluid, then bone, all round where the calvaria is.
    assert from_brain[halved(anatomy.labels == Tissue.SKIN)].min() > 5
    assert from_brain[halved(anatomy.labels == Tissue.FAT)].min() > 2.5
    shell = (from_brain > 3.2) & (from_brain < 4.2)
    axis = 2 * SPACING_MM * np.arange(shell.shape[2]) + anatomy.affine[2, 3]
    shell &= axis > 60
    bony = halved(np.isin(anatomy.labels, [Tissue.BONE, Tissue.MARROW, Tissue.DURA]))
    assert bony[shell].mean() > 0.97


def test_bone_closes_the_skull(from_brain):
    anatomy = load_anatomy()
    hard = np.isin(anatomy.labels, [Tissue.BONE, Tissue.MARROW, Tissue.DURA, Tissue.CSF])
    axis = SPACING_MM * np.arange(hard.shape[2]) + anatomy.affine[2, 3]
    open_head = ~hard[:, :, axis > 25]
    brain = anatomy.brain[:, :, axis > 25] > 127
    reached = ndimage.label(open_head)[0]
    outer = reached[0, 0, -1]
    assert not ((reached == outer) & brain).any()


def test_parts_are_there():
    anatomy = load_anatomy()
    for tissue in Tissue:
        if tissue != Tissue.GREY:
            assert anatomy.share(tissue).sum() > 200, tissue
    assert ndimage.label(anatomy.labels == Tissue.VITREOUS)[1] == 2
    assert ndimage.label(anatomy.labels == Tissue.LENS)[1] == 2
    grey, white = (float(anatomy.share(t).sum()) / 1e6 for t in (Tissue.GREY, Tissue.WHITE))
    assert 0.4 < grey < 0.9
    assert 0.3 < white < 0.7


def test_shares_add_up():
    anatomy = load_anatomy()
    total = sum(anatomy.share(t) for t in Tissue)
    assert np.abs(total - 1).max() < 0.02


def test_weight_makes_fat_and_people_differ():
    def fat(index, weight):
        person = sample_person(5, index)
        object.__setattr__(person, "weight", weight)
        return (personal_anatomy(person).labels == Tissue.FAT).sum()

    assert fat(0, 0.8) > 1.2 * fat(0, 0.3)
    bone = [(personal_anatomy(sample_person(5, i)).labels == Tissue.BONE).sum() for i in range(4)]
    assert len(set(bone)) == 4
