import numpy as np

from faceblind.head.template import load_template
from faceblind.volunteers.people import calibration
from faceblind.volunteers.people.anthropometry import MEASURES, measure
from faceblind.volunteers.people.head_model import PARTS, HeadModel

MODEL = HeadModel.load()
HEAD = MODEL.points(expression=MODEL.closed_eyes)


def values(points):
    return np.array(list(measure(MODEL.outer_skin(points)).values()))


def test_each_field_moves_its_measure_and_no_other():
    before = values(HEAD)
    for k in range(len(MEASURES)):
        change = values(HEAD + 0.5 * calibration.fields()[:, :, k]) - before
        wanted = 0.5 * np.eye(len(MEASURES))[k]
        assert np.abs(change - wanted).max() < 0.06, MEASURES[k]


def test_solve_reaches_targets_far_away():
    targets = values(HEAD) * np.linspace(0.92, 1.08, len(MEASURES))
    amounts = calibration.solve(MODEL.outer_skin(HEAD), targets)
    assert np.abs(values(HEAD + calibration.bend(amounts)) - targets).max() < 0.3


def test_fields_keep_eyes_rigid_sides_alike_and_the_origin():
    fields = calibration.fields()
    ball = (MODEL.parts == PARTS.index("eyes")) & (HEAD[:, 0] > 0)
    assert np.ptp(fields[ball], axis=0).max() < 0.1
    assert np.abs(fields[list(MODEL.tragion), 1:].mean(axis=0)).max() < 1e-6
    outer = np.stack([MODEL.outer_skin(fields[:, :, k]) for k in range(len(MEASURES))])
    mirrored = outer[:, load_template().mirror] * [-1, 1, 1]
    assert np.abs(outer - mirrored).max() < 0.05
