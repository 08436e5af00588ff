"""The two-parameter law against its process, step by step, and against its authors' figures."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import digamma

from faceblind.identification import pitman_yor
from faceblind.identification.pitman_yor import PitmanYor, fit, fit_many, identified


def cells(size: int, discount: float, concentration: float) -> float:
    """Expected number of cells: each new person opens one with the process's probability."""
    expected = 0.0
    for n in range(size):
        expected += (concentration + discount * expected) / (n + concentration)
    return expected


@settings(max_examples=40, deadline=None)
@given(
    st.integers(1, 400),
    st.one_of(st.just(0.0), st.floats(1e-5, 0.99)),
    st.floats(-3, 12).map(lambda x: 10.0**x),
)
def test_the_process_step_by_step(size: int, discount: float, concentration: float) -> None:
    expected = cells(size, discount, concentration) / size
    assert identified(size, discount, concentration) == pytest.approx(expected, rel=1e-6)


@given(st.floats(0.2, 40), st.floats(0, 0.995))
def test_it_starts_at_one_and_falls(entropy: float, share: float) -> None:
    rates = PitmanYor(entropy, share).rate(np.geomspace(1, 1e10, 30))
    assert rates[0] == pytest.approx(1, abs=1e-7)
    assert np.all(np.diff(rates) <= 1e-9)
    assert rates[-1] >= 0


@given(st.floats(0.2, 30), st.floats(0, 0.99))
def test_parameters_have_the_entropy_that_was_asked_for(entropy: float, share: float) -> None:
    discount, concentration = pitman_yor.parameters(entropy, share)
    found = digamma(concentration + 1) - digamma(1 - discount)
    assert found == pytest.approx(entropy, rel=1e-6)
    assert digamma(1) - digamma(1 - discount) == pytest.approx(entropy * share, rel=1e-6, abs=1e-6)


def test_small_discounts_lose_no_digits() -> None:
    rates = PitmanYor(5.0, 1e-5).rate([1.0, 2.0, 1e6])
    without = PitmanYor(5.0, 0.0).rate([1.0, 2.0, 1e6])
    assert rates[0] == pytest.approx(1.0, abs=1e-14)
    assert rates == pytest.approx(without, rel=1e-3)


def test_inverse_digamma() -> None:
    x = np.geomspace(1e-3, 1e8, 60)
    assert pitman_yor.inverse_digamma(digamma(x)) == pytest.approx(x, rel=1e-8)


def test_the_example_of_the_authors_package() -> None:
    """Fitted to 1, 0.99, 0.95 at 1, 10, 100 their README prints 0.884 at 10^3, 0.815 at 10^4."""
    law = fit([10, 100], [0.99, 0.95])
    assert law.rate([10, 100]) == pytest.approx([0.99000117, 0.95000214], abs=5e-5)
    assert law.rate([1000, 10000]) == pytest.approx([0.88420427, 0.81462242], abs=1e-3)


@pytest.mark.parametrize("truth", [PitmanYor(6.0, 0.2), PitmanYor(8.0, 0.26), PitmanYor(9.0, 0.6)])
def test_a_known_law_is_found_again(truth: PitmanYor) -> None:
    sizes = [2, 5, 10, 20, 50, 84]
    found = fit(sizes, truth.rate(sizes))
    assert found.rate([2000, 10**6]) == pytest.approx(truth.rate([2000, 10**6]), abs=0.01)


def test_many_curves_are_fitted_each_by_itself() -> None:
    sizes = [2, 10, 84]
    laws = [PitmanYor(2.0, 0.1), PitmanYor(5.0, 0.4), PitmanYor(3.0, 0.0)]
    found = fit_many(sizes, np.array([law.rate(sizes) for law in laws]))
    for law, one in zip(laws, found, strict=True):
        assert one.rate([84, 500]) == pytest.approx(law.rate([84, 500]), abs=0.01)
