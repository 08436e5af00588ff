import numpy as np
import pytest

from faceblind.head.template import load_template
from faceblind.volunteers.scanner.array_coil import array_coil, noise_shape, support

TEMPLATE = load_template()
SKIN = TEMPLATE.points.astype(float)
AFFINE = np.diag([4.0, 4.0, 4.0, 1.0])
AFFINE[:3, 3] = -100, -120, -140
SHAPE = (50, 60, 70)


def at(volume, point):
    return float(volume[tuple(np.rint(np.linalg.inv(AFFINE)[:3] @ [*point, 1]).astype(int))])


@pytest.mark.parametrize("ratio", [1.0, 4.0, 8.0])
def test_the_back_is_as_much_more_sensitive_as_asked(ratio):
    coil = array_coil(SKIN, ratio)
    _, y, z = SKIN.T
    rear = SKIN[(y < -75) & (z > -20) & (z < 60)]
    face = SKIN[TEMPLATE.region("brow", "eyes", "nose", "mouth", "cheeks", "chin")]
    assert coil.at(rear).mean() / coil.at(face).mean() == pytest.approx(ratio, rel=0.3)
    middle = (SKIN.max(axis=0) + SKIN.min(axis=0)) / 2
    assert coil.at(middle[None]) == pytest.approx([1.0])


def test_on_a_grid_it_is_the_same():
    coil = array_coil(SKIN, 5.0)
    field = coil.over(AFFINE, SHAPE)
    for index in ((25, 30, 35), (25, 50, 40), (30, 12, 40)):
        place = (AFFINE @ [*index, 1])[:3]
        assert field[index] == pytest.approx(coil.at(place[None])[0], rel=0.1)


def test_noise_is_amplified_from_the_mouth_down_and_not_in_far_air():
    head = np.zeros(SHAPE, np.float32)
    head[8:42, 5:56, 10:66] = 1
    near = support(head, AFFINE)
    assert near[25, 30, 35] == 1
    assert near[0, 0, 69] < 0.2
    shape = noise_shape(AFFINE, SHAPE, TEMPLATE.landmarks, near)
    marks = TEMPLATE.landmarks
    assert at(shape, marks["gnathion"]) > 0.9
    assert at(shape, marks["labiale_inferius"]) > 0.7
    assert 0.2 < at(shape, marks["pronasale"]) < 0.6
    assert at(shape, marks["glabella"]) == 0
    assert at(shape, marks["opisthocranion"]) == 0
    lying = noise_shape(AFFINE, SHAPE, TEMPLATE.landmarks, np.zeros(SHAPE, np.float32))
    assert not lying.any()
