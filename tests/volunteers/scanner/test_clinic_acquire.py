from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage

from faceblind.volunteers.people.shape import sample_person
from faceblind.volunteers.presets import preset
from faceblind.volunteers.scanner.clinic import draw_traits
from faceblind.volunteers.scanner.clinic_acquire import chin_ball, chin_signal
from faceblind.volunteers.scanner.simulate import scan_session

ELDERLY = preset("head_neck_array_elderly")
PERSON = sample_person(3, 1, ELDERLY.people)
SCANNER = replace(ELDERLY.scanner, spacing_mm=2.0, session_mm=0.0, session_deg=0.0)
NOSE = ("zygion_left", "zygion_right", "exocanthion_left", "exocanthion_right", "alare_left")


def scans(scanner, protocols=("T1w",), person=PERSON):
    return scan_session(person, protocols, scanner)


def brightness(truth, names):
    """Mean from 2 to 8 mm under the skin at landmarks, towards the middle of the head."""
    values = truth.scan.voxels.astype(float)
    marks = truth.landmarks
    middle = (marks["preauricular_left"] + marks["preauricular_right"]) / 2
    found = []
    for name in names:
        inward = (middle - marks[name]) / np.linalg.norm(middle - marks[name])
        for depth in (2, 4, 6, 8):
            index = truth.scan.index((marks[name] + depth * inward)[None])
            found.append(ndimage.map_coordinates(values, index.T, order=1, mode="nearest")[0])
    return float(np.mean(found))


def rear_over_face(truth):
    return brightness(truth, ("opisthocranion", "inion")) / brightness(truth, NOSE)


@pytest.fixture(scope="module")
def visit():
    return scans(SCANNER, ("T1w", "axFLAIR"))


@pytest.fixture(scope="module")
def quiet():
    return scans(replace(SCANNER, noise=0.0))["T1w"]


def test_the_same_person_gives_the_same_voxels_whatever_else_is_scanned(visit):
    again = scans(SCANNER)["T1w"]
    assert np.array_equal(again.scan.voxels, visit["T1w"].scan.voxels)
    assert np.array_equal(again.brain, visit["T1w"].brain)


def test_series_come_in_isotropic_voxels_with_truth_on_the_same_grid(visit):
    for truth in visit.values():
        assert truth.scan.spacing == pytest.approx([2, 2, 2])
        assert truth.brain.shape == truth.scan.shape
        assert 0.7 < truth.brain.sum() * 8e-6 < 1.7
        field = truth.scan.voxels
        assert field[truth.brain].mean() > 3 * np.median(field[:8, :8, :8])


def test_axial_slices_end_at_the_vertex_and_below_the_nose(visit):
    truth = visit["axFLAIR"]
    index = {name: truth.scan.index(truth.landmarks[name][None])[0] for name in truth.landmarks}
    axis = int(np.argmax(np.abs(index["vertex"] - index["stomion"])))
    size = truth.scan.shape[axis]
    inside = {name: -0.5 <= place[axis] <= size - 0.5 for name, place in index.items()}
    assert inside["pronasale"]
    assert not inside["gnathion"]
    top = index["vertex"][axis]
    assert min(abs(top), abs(top - size)) < 8


def test_occiput_outshines_the_face_unless_normalised(quiet):
    even = scans(replace(SCANNER, noise=0.0, clinic=replace(SCANNER.clinic, normalised=True)))[
        "T1w"
    ]
    ratio = draw_traits(PERSON, SCANNER.clinic).coil_ratio
    made_by_the_coil = rear_over_face(quiet) / rear_over_face(even)
    assert 3 < made_by_the_coil < 12
    assert made_by_the_coil == pytest.approx(ratio, rel=0.45)


def test_the_chin_has_the_signal_to_noise_of_the_session(visit, quiet):
    noisy = visit["T1w"]
    ball = chin_ball(quiet.scan.affine, quiet.scan.shape, quiet.landmarks)
    signal = chin_signal(quiet.scan.voxels.astype(np.float32), quiet.scan.affine, quiet.landmarks)
    noise = (noisy.scan.voxels.astype(float) - quiet.scan.voxels)[ball].std()
    asked = draw_traits(PERSON, SCANNER.clinic).chin_snr
    # Magnitudes of weak signals vary less than the noise does.
    assert asked * 0.8 < signal / noise < asked * 1.6
    brain = (noisy.scan.voxels.astype(float) - quiet.scan.voxels)[quiet.brain].std()
    assert noise > 2 * brain


def test_a_field_that_ends_above_the_chin_has_no_chin_signal(visit):
    truth = visit["axFLAIR"]
    field = truth.scan.voxels.astype(np.float32)
    assert chin_signal(field, truth.scan.affine, truth.landmarks) is None


def test_air_of_a_uniform_image_is_salt_and_pepper():
    truth = scans(replace(preset("mp2rage").scanner, spacing_mm=3.0))["T1w"]
    values = truth.scan.voxels.astype(float)
    assert values.min() >= 0
    assert values.max() <= 4095
    corner = values[:6, :6, :6]
    assert corner.std() > 600
    assert corner.mean() == pytest.approx(2048, abs=350)
    white = np.median(values[truth.brain])
    assert 1000 < white < 3500


def test_metal_takes_half_a_jaw():
    scanner = replace(preset("jaw_metal").scanner, spacing_mm=3.0)
    traits = draw_traits(PERSON, scanner.clinic)
    truth = scans(scanner)["T1w"]
    values = truth.scan.voxels.astype(float)
    marks = truth.landmarks
    jaw = {
        side: marks[f"gonion_{side}"] * 0.4 + marks["stomion"] * 0.6 for side in ("left", "right")
    }
    lost, kept = ("right", "left") if traits.metal_side > 0 else ("left", "right")

    def level(side):
        index = np.rint(truth.scan.index(jaw[side][None])[0]).astype(int)
        return values[tuple(slice(i - 2, i + 3) for i in index)].mean()

    assert level(lost) < 0.4 * level(kept)
