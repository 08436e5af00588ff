"""A head without its face: what is looked for once, and what is believed of it."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from faceblind.attacks import faceless as module
from faceblind.attacks.faceless import (
    CLEAR_DEEP,
    CLEAR_OUTLINE,
    LEAST_SCALP,
    MOST_OTHER_OUTLINE,
    MOST_UNLIKE,
    Faceless,
)
from faceblind.head.brain_pose import LEAST_DEEP, LEAST_SHARE, BrainPose

FOUND = SimpleNamespace(name="by the brain")


@pytest.fixture
def searches(monkeypatch, phantom):
    """The phantom by scalp and brain, with shares that a test sets; counts the searches."""
    made = phantom(seed=1)
    alignment = made.head.alignment

    class Searches:
        scalp = alignment
        share, deep = LEAST_SHARE, LEAST_DEEP

        def __init__(self):
            self.made = []

        def head(self):
            return Faceless(made.head.skin, made.scan, None, None)

    searches = Searches()
    moved = np.array(alignment.scan_to_template)
    moved[:3, 3] += (0.0, 4.0, -6.0)
    searches.moved = moved

    def by_scalp(skin, scan, *, targets):
        searches.made.append("scalp")
        return searches.scalp

    def by_brain(scan_to_template, scan, head):
        searches.made.append("brain")
        assert scan_to_template is searches.scalp.scan_to_template
        return BrainPose(moved, searches.share, searches.deep)

    monkeypatch.setattr(module, "align_by_scalp", by_scalp)
    monkeypatch.setattr(module, "find_brain_pose", by_brain)
    return searches


def test_each_search_is_made_once_and_only_if_asked(searches):
    head = searches.head()
    assert searches.made == []
    assert head.by_scalp is searches.scalp
    assert searches.made == ["scalp"]
    assert head.by_brain is head.by_brain
    assert head.surely_by_brain is head.by_brain
    assert searches.made == ["scalp", "brain"]


def test_the_head_lies_where_the_brain_has_it(searches):
    found = searches.head().by_brain
    origin = np.linalg.inv(searches.moved)[:3, 3]
    here = found.scan_to_template[:3, :3] @ origin + found.scan_to_template[:3, 3]
    # In steps of whole millimetres and degrees.
    assert np.linalg.norm(here) < 2.5
    assert found.confidence == searches.scalp.confidence
    assert not np.allclose(found.scan_to_template, searches.scalp.scan_to_template)


@pytest.mark.parametrize(
    ("share", "deep", "likely", "sure"),
    [
        (LEAST_SHARE, LEAST_DEEP, True, True),
        (LEAST_SHARE, LEAST_DEEP - 0.01, True, False),
        (LEAST_SHARE - 0.01, LEAST_DEEP, False, False),
    ],
)
def test_what_a_brain_tells_depends_on_how_much_it_explains(searches, share, deep, likely, sure):
    searches.share, searches.deep = share, deep
    head = searches.head()
    assert (head.by_brain is not None) is likely
    assert (head.surely_by_brain is not None) is sure


def test_without_a_scalp_there_is_no_brain_either(searches):
    searches.scalp = None
    head = searches.head()
    assert head.by_brain is None
    assert head.surely_by_brain is None
    assert head.by_scalp_alone is None
    assert searches.made == ["scalp"]


def test_before_the_brain_there_was_the_scalp(searches):
    head = searches.head()
    other = replace(searches.scalp)
    assert head.before_brain(other) is other
    assert searches.made == []
    assert head.before_brain(head.by_brain) is searches.scalp
    assert head.before_brain(other) is other


@pytest.mark.parametrize(("share", "believed"), [(LEAST_SCALP, True), (LEAST_SCALP - 0.01, False)])
def test_a_scalp_alone_must_be_borne_out_as_far_as_it_is_seen(searches, share, believed):
    alignment = searches.scalp
    searches.scalp = replace(
        alignment,
        seen={**alignment.seen, "scalp": 0.5},
        support={**alignment.support, "scalp": 0.5 * share},
    )
    found = searches.head().by_scalp_alone
    assert found is (searches.scalp if believed else None)


def test_a_scalp_out_of_view_tells_nothing(searches):
    alignment = searches.scalp
    out = {"scalp": 0.0}
    searches.scalp = replace(
        alignment, seen={**alignment.seen, **out}, support={**alignment.support, **out}
    )
    assert searches.head().by_scalp_alone is None


def faceless(deep_share: float, size: float, share: float = 0.4) -> Faceless:
    """A head whose brain has `size` times the template's millimetres of its scalp, upwards."""
    found = Faceless(None, None, None, None)  # type: ignore[arg-type]
    pose = BrainPose(np.diag([1.1, 1.1, 1.1 * size, 1.0]), share, deep_share)
    scalp = SimpleNamespace(scan_to_template=np.diag([1.1, 1.1, 1.1, 1.0]))
    found.__dict__.update(by_scalp=scalp, _pose=pose, by_brain=FOUND)
    return found


@pytest.mark.parametrize(
    ("deep_share", "log_size", "believed"),
    [
        (CLEAR_DEEP + 0.01, 0.0, True),
        (CLEAR_DEEP + 0.01, 2 * MOST_UNLIKE, True),
        (CLEAR_DEEP - 0.01, 0.9 * MOST_UNLIKE, True),
        (CLEAR_DEEP - 0.01, 1.1 * MOST_UNLIKE, False),
        (CLEAR_DEEP - 0.01, -1.1 * MOST_UNLIKE, False),
        (LEAST_DEEP - 0.01, 0.0, False),
    ],
)
def test_a_weak_brain_must_be_like_its_skull(deep_share, log_size, believed):
    head = faceless(deep_share, float(np.exp(log_size)))
    assert head.surely_by_brain is (FOUND if believed else None)
    # Where no brain shows below the cortex, it is not called unlike the skull.
    assert head.is_unlike_skull is (not believed and deep_share >= LEAST_DEEP)


@pytest.mark.parametrize(
    ("deep_share", "log_size", "share", "told"),
    [
        (0.003, 0.0, CLEAR_OUTLINE, True),
        (0.003, 0.0, CLEAR_OUTLINE - 0.01, False),
        (0.003, 0.9 * MOST_OTHER_OUTLINE, 0.4, True),
        (0.003, 1.1 * MOST_OTHER_OUTLINE, 0.4, False),
        (0.003, -1.1 * MOST_OTHER_OUTLINE, 0.4, False),
        (LEAST_DEEP + 0.01, 0.0, 0.4, False),
    ],
)
def test_an_outline_of_its_skulls_size_tells_where_nothing_else_does(
    deep_share, log_size, share, told
):
    head = faceless(deep_share, float(np.exp(log_size)), share)
    assert head.by_outline is (FOUND if told else None)
    assert not (head.by_outline and head.surely_by_brain)


def test_no_scalp_or_no_brain_tells_nothing():
    assert faceless(0.5, 1.0, LEAST_SHARE - 0.01).surely_by_brain is None
    alone = faceless(0.5, 1.0)
    alone.__dict__.update(by_scalp=None, by_brain=None)
    assert alone.surely_by_brain is None
    assert not alone.is_unlike_skull
    assert alone.by_outline is None
    unseen = faceless(0.003, 1.0)
    unseen.__dict__.update(by_brain=None)
    assert unseen.by_outline is None
