"""Whether a scan shows a face, by regions and by skin."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nibabel.affines import apply_affine

from faceblind.head.presence import (
    BOUNDS,
    IMPORTANCE,
    Presence,
    find_presence,
    presence_of_moved,
    weigh,
)

shares = st.fixed_dictionaries({name: st.floats(0.0, 1.0) for name in IMPORTANCE})


def test_regions_count_by_what_they_give_a_recogniser():
    assert sum(IMPORTANCE.values()) == pytest.approx(1.0)
    everywhere = dict.fromkeys(IMPORTANCE, 1.0)
    shown = {name: float(name in ("eyes", "nose")) for name in IMPORTANCE}
    assert weigh(shown, everywhere) == Presence(pytest.approx(0.46), pytest.approx(1.0))
    no_chin = {name: float(name != "chin") for name in IMPORTANCE}
    assert weigh(shown, no_chin).share == pytest.approx(0.46 / 0.92)
    assert weigh(dict.fromkeys(IMPORTANCE, 0.0), dict.fromkeys(IMPORTANCE, 0.0)).share == 0.0


@given(seen=shares, part=st.floats(0.0, 1.0))
def test_what_lies_outside_the_field_of_view_changes_no_share(seen, part):
    found = weigh({name: part * share for name, share in seen.items()}, seen)
    assert found.seen <= 1.0 + 1e-9
    assert found.share == pytest.approx(part if found.seen > 1e-6 else 0.0)


def test_bounds_are_in_order():
    assert 0 < BOUNDS.least_seen < BOUNDS.none < BOUNDS.gone < BOUNDS.whole < 1


def test_a_missing_face_is_seen(phantom):
    alignment = phantom(seed=1).head.alignment
    assert not find_presence(alignment).is_gone
    gone = replace(alignment, support=dict.fromkeys(alignment.support, 0.05))
    assert find_presence(gone).is_gone
    # A field of view that ends above the brow tells nothing.
    assert not find_presence(replace(gone, seen=dict.fromkeys(gone.seen, 0.1))).is_gone


def test_a_face_that_a_companion_puts_there_needs_skin_of_its_own(phantom):
    made = phantom(seed=1)
    head, alignment = made.head, made.head.alignment
    whole = presence_of_moved(alignment, head.skin, made.scan)
    assert whole.share > 0.9
    assert whole.seen == pytest.approx(find_presence(alignment).seen, abs=0.05)
    front = apply_affine(alignment.scan_to_template_rigid, head.skin.points)[:, 1] > 40.0
    behind = replace(head.skin, edge=head.skin.edge | front)
    without = presence_of_moved(alignment, behind, made.scan)
    assert without.share < BOUNDS.gone
    assert without.seen == whole.seen
