"""What a series says by itself: by levels, else by a dim face, searched for once."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from faceblind.errors import AlignmentError, FaceblindError, ScanError
from faceblind.head import own_head
from faceblind.head.own_head import OwnHead, find_own_head, or_dim
from faceblind.head.session import heads_of_session
from faceblind.head.whole_head import find_whole_head, head_of
from faceblind.scan import Scan


@pytest.fixture
def searched(monkeypatch: pytest.MonkeyPatch, phantom: Any) -> Any:
    """Levels that give what `by_levels` holds for a volume's first voxel, and counted searches."""
    made = phantom(seed=1)
    found = SimpleNamespace(made=made, by_levels={}, lower={}, dim=None, tried=[], searched=[])

    def find_skin(scan: Scan, head: str = "usual") -> Any:
        key = int(scan.voxels[0, 0, 0])
        if head == "usual":
            found.tried.append(key)
        if (found.lower if head == "lower" else found.by_levels).get(key) is None:
            raise ScanError("no head stands out")
        return replace(made.head.skin) if head == "lower" else made.head.skin

    def find_dim_head(scan: Scan) -> Any:
        found.searched.append(int(scan.voxels[0, 0, 0]))
        return found.dim

    def align(skin: Any, scan: Scan) -> Any:
        table = found.by_levels if skin is made.head.skin else found.lower
        return table[int(scan.voxels[0, 0, 0])]

    monkeypatch.setattr(own_head, "find_head", lambda scan, fraction: "lower")
    monkeypatch.setattr(own_head, "find_skin", find_skin)
    monkeypatch.setattr(own_head, "align", align)
    monkeypatch.setattr(own_head, "find_dim_head", find_dim_head)
    monkeypatch.setattr(own_head, "leaders", lambda scan: list(range(max(scan.voxels.ndim - 2, 1))))
    return found


def scan_of(*keys: int, shift_mm: float = 0.0) -> Scan:
    """A scan of no content, or a series of two, whose first voxels are the keys."""
    voxels = np.zeros((4, 4, 4, len(keys)), np.int16)
    voxels[0, 0, 0] = keys
    affine = np.diag([60.0, 60.0, 60.0, 1.0])
    affine[:3, 3] = shift_mm - 90.0
    return Scan(voxels if len(keys) > 1 else voxels[..., 0], affine, source=f"{keys[0]}.nii")


@pytest.mark.parametrize(
    ("confidence", "support", "trusted"),
    [(0.9, 1.0, True), (0.3, 1.0, False), (0.9, 0.05, False), (None, 1.0, False)],
)
def test_a_dim_face_is_searched_for_where_levels_show_none(
    searched: Any, confidence: float | None, support: float, trusted: bool
) -> None:
    alignment = searched.made.head.alignment
    shown = dict.fromkeys(alignment.support, support)
    searched.by_levels[1] = (
        None if confidence is None else replace(alignment, confidence=confidence, support=shown)
    )
    searched.dim = SimpleNamespace(skin="dim skin", alignment=alignment)
    own = find_own_head(scan_of(1))
    assert own.is_trusted == trusted
    assert searched.searched == []
    better: Any = or_dim(own)
    assert searched.searched == ([] if trusted else [1])
    assert (better is own) == trusted
    assert (better.skin == "dim skin") != trusted
    assert better.is_trusted


@pytest.mark.parametrize(
    ("usual", "confidence", "support", "believed"),
    [
        (None, 0.9, 0.7, True),
        (0.05, 0.9, 0.7, True),
        (0.5, 0.9, 0.7, True),
        (0.7, 0.9, 0.65, False),
        (0.8, 0.9, 1.0, False),
        (None, 0.9, 0.5, False),
        (None, 0.4, 1.0, False),
    ],
)
def test_a_lower_level_is_believed_where_it_shows_more_of_a_face(
    searched: Any, usual: float | None, confidence: float, support: float, believed: bool
) -> None:
    good = searched.made.head.alignment

    def showing(share: float, confidence: float) -> Any:
        return replace(good, confidence=confidence, support=dict.fromkeys(good.support, share))

    searched.by_levels[1] = None if usual is None else showing(usual, 1.0)
    searched.lower[1] = showing(support, confidence)
    own = find_own_head(scan_of(1))
    assert (own.alignment is searched.lower[1]) == believed
    assert searched.searched == []


def test_a_series_is_searched_once_and_levels_of_all_leaders_come_first(searched: Any) -> None:
    good = searched.made.head.alignment
    searched.by_levels = {1: None, 2: good}
    assert find_whole_head(scan_of(1, 2)).lead == 1
    assert searched.tried == [1, 2]
    assert searched.searched == []
    searched.by_levels = {1: None, 2: None}
    with pytest.raises(ScanError, match=r"1\.nii: no head stands out"):
        find_whole_head(scan_of(1, 2))
    assert searched.searched == [1]


def test_what_is_not_trusted_is_refused_with_its_reason(phantom: Any) -> None:
    made = phantom(seed=1)
    skin, good = made.head.skin, made.head.alignment
    scan = replace(made.scan, source="x.nii")
    unsure = replace(good, confidence=0.2)
    with pytest.raises(AlignmentError, match=r"x\.nii: .*not found with confidence \(0\.20"):
        head_of(OwnHead(scan, skin, unsure))
    assert head_of(OwnHead(scan, skin, unsure, lead=2), strict=False).lead == 2
    gone = replace(good, support=dict.fromkeys(good.support, 0.05))
    with pytest.raises(ScanError, match=r"x\.nii: no face was found"):
        head_of(OwnHead(scan, skin, gone), strict=False)
    with pytest.raises(AlignmentError, match="no head at all"):
        head_of(OwnHead(scan, skin, good, AlignmentError("no head at all")), strict=False)


@pytest.mark.parametrize(("seen", "asked"), [(1.0, []), (0.7, [2])])
def test_a_session_asks_a_companion_that_sees_the_face_before_it_searches(
    searched: Any, seen: float, asked: list[int]
) -> None:
    good = searched.made.head.alignment
    share = {name: seen * value for name, value in good.seen.items()}
    unsure = replace(good, confidence=0.2)
    searched.by_levels = {1: replace(good, seen=share), 2: unsure}
    first, second = heads_of_session([_like(searched, 1), _like(searched, 2)])
    assert not isinstance(first, FaceblindError)
    assert not isinstance(second, FaceblindError)
    assert second.alignment.confidence == good.confidence
    assert searched.searched == asked


def _like(searched: Any, key: int) -> Scan:
    """The phantom's scan, marked with a key."""
    voxels = np.array(searched.made.scan.voxels)
    voxels[0, 0, 0] = key
    return replace(searched.made.scan, voxels=voxels, source=f"{key}.nii", stored=None)
