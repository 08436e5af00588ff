"""Groups: rates, what is too few to say, and a test that keeps its level."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from faceblind.errors import FaceblindError
from faceblind.identification import subgroups
from faceblind.identification.subgroups import age_band, compare_groups, holm, permutation_test


def test_rates_of_groups_and_people_who_are_too_few() -> None:
    found = np.array([1.0] * 20 + [0.0] * 10 + [1.0] * 15 + [1.0] * 5 + [0.5] * 2)
    labels = ["F"] * 30 + ["M"] * 15 + [None] * 5 + ["O"] * 2
    (trait,) = compare_groups(found, {"sex": labels})
    (group,) = trait.groups
    assert (group.label, group.rate.hits, group.rate.n) == ("F", 20, 30)
    assert (trait.too_small, trait.unknown) == (17, 5)
    assert trait.verdict == "too few to say"
    assert trait.p_value is None
    assert trait.as_dict()["groups"] == {"F": group.rate.as_dict()}
    assert [row["group"] for row in trait.rows()] == ["F"]


def test_a_difference_is_found_and_named() -> None:
    found = np.repeat([1.0, 0.0, 1.0, 0.0], [38, 2, 20, 20])
    sex = ["F"] * 40 + ["M"] * 40
    coin = ["heads", "tails"] * 40
    by_sex, by_coin = compare_groups(found, {"sex": sex, "coin": coin, "nothing": [None] * 80})
    assert by_sex.p_value < 0.001
    assert by_sex.corrected == pytest.approx(2 * by_sex.p_value)
    assert (by_sex.verdict, by_coin.verdict) == ("differs", "no difference shown")
    assert by_coin.p_value > 0.3


def test_the_test_against_every_permutation(monkeypatch: pytest.MonkeyPatch) -> None:
    found = np.array([1.0, 1, 0, 1, 0, 0, 0])
    group = np.array([0, 0, 0, 1, 1, 2, 2])

    def spread(outcomes: np.ndarray) -> float:
        return sum(
            (group == g).sum() * (outcomes[group == g].mean() - found.mean()) ** 2 for g in range(3)
        )

    deals = [spread(np.array(deal)) for deal in permutations(found)]
    exact = np.mean(np.array(deals) >= spread(found) - 1e-9)
    assert permutation_test(found, group) == pytest.approx(exact, abs=0.015)


def test_the_test_keeps_its_level(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subgroups, "PERMUTATIONS", 199)
    rng = np.random.default_rng(3)
    group = np.repeat([0, 1, 2], [20, 30, 40])
    alarms = [
        permutation_test((rng.uniform(size=90) < 0.7).astype(float), group, trial) <= 0.05
        for trial in range(600)
    ]
    assert 0.02 < np.mean(alarms) < 0.08


def test_many_people_are_dealt_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    found, group = np.repeat([1.0, 0.0, 1.0], 20), np.repeat([0, 1, 1], 20)
    whole = permutation_test(found, group, 1)
    monkeypatch.setattr(subgroups, "_AT_A_TIME", 6000)
    assert permutation_test(found, group, 1) == whole


def test_constant_outcomes_differ_nowhere() -> None:
    assert permutation_test(np.ones(60), np.repeat([0, 1], 30)) == 1.0


def test_holms_correction() -> None:
    assert holm([]) == []
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.9, 0.8]) == [1.0, 1.0]


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_holm_lies_between_nothing_and_bonferroni(p_values: list[float]) -> None:
    corrected = holm(p_values)
    for p, after in zip(p_values, corrected, strict=True):
        assert p <= after <= min(1, len(p_values) * p) + 1e-12
    assert np.argsort(corrected, kind="stable").tolist() == sorted(
        range(len(p_values)), key=lambda i: (corrected[i], i)
    )


def test_age_bands() -> None:
    ages = [0, 17.9, 18, 39.9, 40, 60, 74.9, 75, 103]
    assert [age_band(age) for age in ages] == [
        "0-17", "0-17", "18-39", "18-39", "40-59", "60-74", "60-74", "75+", "75+",
    ]  # fmt: skip
    assert age_band(None) is None
    with pytest.raises(FaceblindError, match="got 200"):
        age_band(200)


def test_each_person_needs_a_label() -> None:
    with pytest.raises(FaceblindError, match="expected 3 labels, got 2"):
        compare_groups([1, 0, 1], {"sex": ["F", "M"]})
