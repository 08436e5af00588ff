import numpy as np
from scipy import ndimage

from faceblind.volunteers.anatomy import BRAIN, EARS, FACE, load_anatomy
from faceblind.volunteers.anatomy_grid import SPACING_MM
from faceblind.volunteers.tissue import Tissue


def test_the_map_is_nested():
    anatomy = load_anatomy()
    brain = anatomy.brain > 0.5
    assert 0.9 < brain.sum() * SPACING_MM**3 / 1e6 < 1.6
    assert np.isin(anatomy.labels[brain], [Tissue.CSF]).all()
    # Skull all round: a brain grown by 3 mm does not reach the skin.
    away = ndimage.distance_transform_edt(~brain, SPACING_MM)
    assert away[anatomy.labels == Tissue.SKIN].min() > 3
    assert away[anatomy.zones == FACE].min() > 2
    assert away[anatomy.zones == EARS].min() > 2
    assert (anatomy.zones[brain] == BRAIN).all()
    for tissue in (Tissue.VITREOUS, Tissue.MARROW, Tissue.BONE, Tissue.AIR, Tissue.MUCOSA):
        assert (anatomy.labels == tissue).any(), tissue
    assert ndimage.label(anatomy.labels == Tissue.VITREOUS)[1] == 2


def test_shares_add_up():
    anatomy = load_anatomy()
    total = sum(anatomy.share(t) for t in Tissue)
    assert abs(float(np.median(total)) - 1) < 1e-3
    assert np.abs(total - 1).max() < 0.25
