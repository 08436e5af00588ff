from __future__ import annotations

import json
from dataclasses import replace

import pytest

from faceblind.attacks.brain import Brain
from faceblind.attacks.fills import Fill
from faceblind.attacks.findings import Findings
from faceblind.attacks.metadata.texts import Finding
from faceblind.attacks.region_presence import EARS, RegionPresence, remaining_face_share
from faceblind.attacks.settings import SETTINGS
from faceblind.attacks.surface import LOOKED_AT
from faceblind.attacks.verdict import AGAIN, judge
from faceblind.attacks.wrapped import Piece
from faceblind.identification.ranking import Link


def findings(**changes) -> Findings:
    bare = RegionPresence(0.0, 0.0, 0.0, 1.0)
    clean = Findings(
        regions=dict.fromkeys(LOOKED_AT, bare), remaining=0.0, remaining_under_fills=0.0,
        remaining_in_the_dark=0.0, remaining_in_later_volumes=0.0, fills=(), replaced="",
        detector_max=0.1, detector_views=0, pieces=(), brain=Brain(None, (), 0.0), metadata=(),
    )  # fmt: skip
    return replace(clean, **changes)


def with_regions(**shares: float) -> dict[str, RegionPresence]:
    return {
        n: RegionPresence(100.0 * s, s, 0.0, 1.0) for n in LOOKED_AT for s in [shares.get(n, 0.0)]
    }


NEAR = Link("originals", 1.0, 84, "as-is", 2.0, 4)
FAR = Link("originals", 40.0, 84, "as-is", -2.0, 4)


def test_nothing_found_passes():
    verdict = judge("a", findings())
    assert verdict.status == "pass"
    assert tuple(map(str, verdict.reasons)) == (
        "no region of the face remains (0% of a recognisable face)",
    )


def test_a_whole_face_remains():
    assert remaining_face_share(with_regions(**dict.fromkeys(LOOKED_AT, 1.0))) == pytest.approx(1.0)


def test_a_face_fails_and_is_named():
    regions = with_regions(nose=1.0, eyes=0.9)
    verdict = judge("a", findings(regions=regions, remaining=remaining_face_share(regions)))
    assert verdict.status == "fail"
    assert "eyes and nose remain" in verdict.reasons[0].text


@pytest.mark.parametrize(
    ("changes", "status", "words"),
    [
        (
            {"remaining_under_fills": 0.8, "fills": (Fill("constant", 90.0, 0.8),)},
            "fail",
            "under a fill",
        ),
        ({"remaining_in_the_dark": 0.8}, "fail", "look like air"),
        ({"remaining_in_later_volumes": 0.8}, "fail", "later volumes"),
        ({"remaining_under_fills": 0.2}, "unsure", "under a fill"),
        ({"pieces": (Piece(9.0, "posterior"),)}, "unsure", "on its posterior side"),
        ({"pieces": (Piece(9.0, "posterior", "nose"),)}, "unsure", "a wrapped nose"),
        ({"remaining": 0.9, "replaced_by_other": True}, "unsure", "another tool's average"),
        (
            {"remaining": 0.9, "replaced_by_other": True, "links": (FAR,)},
            "pass",
            "linking did not find",
        ),
        ({"remaining": 0.9, "replaced_by_other": True, "links": (NEAR,)}, "fail", "rank 1 of 84"),
        ({"remaining": 0.9, "blur_mm": 6.0}, "fail", "only blurred, by 6 mm"),
        ({"brain": Brain(12.0, ("frontal",), 0.0)}, "fail", "12 mm³ of the brain"),
        ({"brain": Brain(None, ("frontal",), 40.0)}, "unsure", "empty"),
        ({"metadata": (Finding("x", "is a name", "identifies"),)}, "fail", "x: is a name"),
        ({"metadata": (Finding("x", "is text", "note"),)}, "pass", ""),
        ({"detector_views": 60}, "unsure", "60 of 81"),
        ({"links": (Link("originals", 1.0, 84, "as-is", 2.0, 4),)}, "fail", "rank 1 of 84"),
        ({"links": (Link("originals", 1.0, 84, "as-is", 0.1, 4),)}, "unsure", "rank 1 of 84"),
        (
            {"links": (Link("originals", 1.0, 12, "as-is", 2.0, 4),)},
            "unsure",
            "chance alone gives up to 33%",
        ),
        ({"links": (Link("originals", 1.0, 30, "as-is", 2.0, 1),)}, "fail", "rank 1 of 30"),
        ({"links": (Link("originals", 40.0, 84, "as-is", -2.0, 4),)}, "pass", ""),
    ],
)
def test_each_attack_counts(changes, status, words):
    verdict = judge("a", findings(**changes))
    assert verdict.status == status
    assert words in " ".join(reason.text for reason in verdict.reasons)


@pytest.mark.parametrize(("name", "words"), [("brow", "brow remains"), ("cheeks", "cheeks remain")])
def test_one_region_is_told_in_good_grammar(name, words):
    verdict = judge("a", findings(regions=with_regions(**{name: 1.0}), remaining=0.2))
    assert f"{words} (20% of" in verdict.reasons[0].text


def test_ears_alone_are_doubted():
    verdict = judge("a", findings(regions=with_regions(**{"left ear": 0.8})))
    assert verdict.status == "unsure"
    assert "left ear remains" in verdict.reasons[0].text
    assert verdict.advice == (f"{AGAIN}, without --keep-ears",)


def test_an_intact_head_is_not_told_of_an_option_that_was_not_used():
    regions = with_regions(**dict.fromkeys(LOOKED_AT, 1.0))
    assert judge("a", findings(regions=regions, remaining=1.0)).advice == (AGAIN,)


def test_ears_enter_the_score_and_not_the_share_of_a_face():
    """Both ears alone score above what passes and below what fails."""
    both = findings(regions=with_regions(**{"left ear": 1.0, "right ear": 1.0}), remaining=0.0)
    one = findings(regions=with_regions(**{"left ear": 1.0}), remaining=0.0)
    assert both.score == pytest.approx(EARS)
    assert one.score == pytest.approx(EARS / 2)
    assert SETTINGS.pass_remaining < both.score < SETTINGS.fail_remaining
    assert both.face == 0.0
    shown = findings(regions=with_regions(**{"left ear": 1.0}), remaining=0.9)
    assert shown.score == pytest.approx(1 - 0.1 * (1 - EARS / 2))


def test_json_is_strict_and_whole():
    verdict = judge("a", findings(links=(Link("originals", 3.0, 84, "completed", 0.1, 4),)))
    assert verdict.as_dict()["link"] == {}
    found = verdict.as_dict(private=True)
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    keys = {"path", "status", "reasons", "regions", "detector", "peel", "link", "brain"}
    assert keys | {"metadata"} <= set(found)
    assert set(found["regions"]) == set(LOOKED_AT)
    assert {"area_mm2", "share"} <= set(found["regions"]["nose"])
    assert {"max", "views"} == set(found["detector"])
    assert "changed_mm3" in found["brain"]
    assert found["link"]["originals"]["rank"] == 3.0


def test_a_new_face_far_from_where_the_brain_has_it_is_doubted():
    found = replace(findings(), replaced="face", aside_mm=24.0)
    verdict = judge("scan", found)
    assert verdict.status == "unsure"
    assert "24 mm from where the brain" in verdict.reasons[0].text
    near = replace(found, aside_mm=10.0)
    assert judge("scan", near).status == "pass"
    assert judge("scan", replace(near, checked=False)).status == "unsure"
    assert judge("scan", replace(near, checked=False, aside_mm=5.0)).status == "pass"


@pytest.mark.parametrize("method", ["cut", "face"])
def test_air_between_a_protection_and_the_head_is_doubted(method):
    found = replace(findings(), replaced=method, gap_share=0.4)
    verdict = judge("scan", found)
    assert verdict.status == "unsure"
    assert verdict.reasons[0].kind == "mislaid"
    assert "air lies between" in verdict.reasons[0].text
    assert judge("scan", replace(found, gap_share=0.2)).status == "pass"


def test_a_second_skin_below_a_new_face_is_doubted():
    found = replace(findings(), replaced="face", second_skin=0.85)
    verdict = judge("scan", found)
    assert verdict.status == "unsure"
    assert verdict.reasons[0].kind == "mislaid"
    assert "own forehead lies below faceblind's own average face" in verdict.reasons[0].text
    assert judge("scan", replace(found, second_skin=0.3)).status == "pass"


def test_a_feature_in_view_does_not_pass_whatever_the_score():
    chin = replace(findings().regions["chin"], area_mm2=900.0, share=0.6, seen=1.0)
    found = findings()
    found = replace(found, regions=found.regions | {"chin": chin}, remaining=0.05)
    verdict = judge("scan", found)
    assert verdict.status == "unsure"
    assert "chin remains in view" in verdict.reasons[0].text


def test_a_place_that_the_brain_does_not_tell_is_said_and_allows_less_in_view():
    found = replace(findings(), replaced="cut", placed=False)
    verdict = judge("scan", found)
    assert verdict.status == "pass"
    assert any("by the brain" in one for one in verdict.not_tested)
    for share, status in ((0.37, "pass"), (0.39, "unsure")):
        brow = replace(found.regions["brow"], area_mm2=900.0, share=share, seen=1.0)
        open_brow = replace(found, regions=found.regions | {"brow": brow})
        assert judge("scan", open_brow).status == status
        assert judge("scan", replace(open_brow, placed=True)).status == "pass"


@pytest.mark.parametrize(
    ("replaced", "share", "status"),
    [("cut", 0.39, "pass"), ("cut", 0.41, "unsure"), ("", 0.41, "pass"), ("", 0.51, "unsure")],
)
def test_our_cut_where_the_brain_has_it_leaves_less_in_view_than_others(replaced, share, status):
    found = replace(findings(), replaced=replaced, placed=True)
    brow = replace(found.regions["brow"], area_mm2=900.0, share=share, seen=1.0)
    verdict = judge("scan", replace(found, regions=found.regions | {"brow": brow}))
    assert verdict.status == status


@pytest.mark.parametrize(
    ("replaced", "short", "share", "status"),
    [
        ("cut", 6.1, 0.0, "pass"),
        ("cut", 6.3, 0.0, "unsure"),
        ("face", 6.1, 0.0, "pass"),
        ("face", 6.3, 0.0, "unsure"),
        ("cut", 2.4, 0.27, "pass"),
        ("cut", 2.6, 0.27, "unsure"),
        ("cut", 2.6, 0.23, "pass"),
        ("cut", -20.0, 0.27, "pass"),
        ("cut", float("nan"), 0.23, "pass"),
        ("cut", float("nan"), 0.27, "unsure"),
    ],
)
def test_a_place_that_only_the_skin_tells_bounds_what_may_be_in_view(
    replaced, short, share, status
):
    found = replace(findings(), replaced=replaced, placed=False, short_mm=short)
    brow = replace(found.regions["brow"], area_mm2=900.0, share=share, seen=1.0)
    verdict = judge("scan", replace(found, regions=found.regions | {"brow": brow}))
    assert verdict.status == status
    lies_wrong = [str(one) for one in verdict.reasons if one.kind == "mislaid"]
    assert len(lies_wrong) == (short > SETTINGS.most_short_mm)
    assert all("too low or too far forward" in one for one in lies_wrong)


def test_edges_that_do_not_tell_are_said():
    verdict = judge("scan", replace(findings(), replaced="cut", checked=False))
    assert any("edges of the skin" in one for one in verdict.not_tested)
