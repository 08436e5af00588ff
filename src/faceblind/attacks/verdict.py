"""From findings to a verdict in plain words."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from faceblind.attacks.brain import BITE_ML, Brain
from faceblind.attacks.fills import Fill
from faceblind.attacks.metadata.texts import Finding
from faceblind.attacks.region_presence import Region, person_left
from faceblind.attacks.surface import FACE, LOOKED_AT
from faceblind.attacks.wrapped import Piece
from faceblind.identification.ranking import Link

Status = Literal["pass", "fail", "unsure", "not_examined"]

FAIL_LEFT = 0.25
"""Share of a recognisable face from which a scan fails; see `bench/README.md` for the choice."""
PASS_LEFT = 0.14
"""Share below which it passes; between the two nobody knows."""
WORSE = 0.1
"""By how much an attack must add to what lies open to be named."""
SHOWN = 0.3
"""Share of a region that is worth naming."""
DETECTED_VIEWS = 30
"""Views (of 81) with a detected face from which a scan without a face is doubted. Defaced heads,
like clouds, look like a face from some angle: the authors' own defaced scan has 13."""
IN_VIEW = {"": 0.5, "cut": 0.5, "face": 0.3}
"""Share of a region's skin from which no scan passes, by what faceblind put there.
Where the brain kept the brow's upper rim, our cuts show 0.32 of it and less; below a new face 0.17
and less."""
ASIDE_MM = 20.0
"""How far from there a new face is doubted: 5 to 18 mm in six heads that we refaced, 16 to 31 where
the face was laid 20 mm wrong."""
SURE = 0.05
"""Chance of a first rank by accident from which it is a doubt, not a failure."""
CLEAR_LEAD = 0.5
"""Lead over the second best, in spreads of all scores, from which a first rank is no accident."""

RECOGNISED = "recognised among"
"""How the reasons begin that tell a person's rank; see
`faceblind.workflows.audit_report.without_ranks`."""

AGAIN = "run faceblind deface or reface on the original"

UNCHECKED = (
    "the edges of the skin beside faceblind's own protection (air was wiped up to the skin, or the "
    "scan was resampled)"
)
ANONYMITY = (
    "A face verdict is no anonymity verdict: brain and skull shape alone can link scans of one "
    "person."
)
"""Said once with every report (arXiv 2602.10043)."""


@dataclass(frozen=True)
class Findings:
    """All that the attacks found in one scan.

    Parameters
    ----------
    regions : dict of str to Region
        Without what faceblind itself put there.
    left, peeled_left, raised_left, later_left : float
        Share of a recognisable face: as it is; under fills; in the dark; in later volumes.
    fills : tuple of Fill
    replaced : str
        ``"cut"`` or ``"face"`` where faceblind's own protection was recognised, else empty.
    detector_max : float
    detector_views : int
        Views of 81 in which a detector finds a face.
    pieces : tuple of Piece
    brain : Brain
    metadata : tuple of Finding
    links : tuple of Link
    blur_mm, sharp_left : float
        Width of a blur of the face, and the share of a face once it is undone.
    foreign : bool
        The face that shows looks like another tool's average, or is shared with other people.
    checked : bool
        False where faceblind's own protection was recognised, but not whether the person's skin
        shows beside it, see `faceblind.attacks.own_skin`.
    aside_mm : float
        How far faceblind's new face lies from where scalp and brain have the face.
    """

    regions: dict[str, Region]
    left: float
    peeled_left: float
    raised_left: float
    later_left: float
    fills: tuple[Fill, ...]
    replaced: str
    detector_max: float
    detector_views: int
    pieces: tuple[Piece, ...]
    brain: Brain
    metadata: tuple[Finding, ...]
    links: tuple[Link, ...] = ()
    blur_mm: float = 0.0
    sharp_left: float = 0.0
    foreign: bool = False
    checked: bool = True
    aside_mm: float = 0.0

    @property
    def face(self) -> float:
        """How much of a recognisable face any attack gets, 0 to 1."""
        hidden = (self.peeled_left, self.raised_left, self.later_left, self.sharp_left)
        return max(self.left, *hidden)

    @property
    def score(self) -> float:
        """How much of a recognisable person any attack gets, face and ears, 0 to 1."""
        return person_left(self.face, self.regions)


@dataclass(frozen=True)
class Verdict:
    """What is to be said of one scan.

    Parameters
    ----------
    path : str
        Of the scan, relative to the folder that was audited.
    status : {"pass", "fail", "unsure", "not_examined"}
        The last for files that no attack looks at, see `faceblind.attacks.unexamined`.
    reasons : tuple of str
        In plain words.
    advice : tuple of str
        What would mend it.
    not_tested : tuple of str
    findings : Findings or None
        None where the scan could not be examined.
    error : str
        Why it could not be examined; empty otherwise.
    """

    path: str
    status: Status
    reasons: tuple[str, ...]
    advice: tuple[str, ...] = ()
    not_tested: tuple[str, ...] = ()
    findings: Findings | None = field(default=None, repr=False)
    error: str = ""

    def as_dict(self) -> dict[str, Any]:
        """The object that ``--json`` prints."""
        base: dict[str, Any] = {
            "path": self.path,
            "status": self.status,
            "reasons": list(self.reasons),
            "advice": list(self.advice),
            "not_tested": list(self.not_tested),
        }
        found = self.findings
        if found is None:
            return base | {
                "score": None,
                "regions": {},
                "detector": {"max": None, "views": None},
                "replaced": None,
                "peel": {},
                "wrap": [],
                "link": {},
                "brain": {"changed_mm3": None, "where": [], "bite_ml": None},
                "metadata": [],
            }
        return base | {
            "score": round(found.score, 4),
            "regions": {
                name: {
                    "area_mm2": round(region.area_mm2, 1),
                    "share": round(region.share, 4),
                    "parallel": round(region.parallel, 4),
                    "seen": round(region.seen, 4),
                }
                for name, region in found.regions.items()
            },
            "detector": {"max": round(found.detector_max, 4), "views": found.detector_views},
            "replaced": found.replaced or ("perhaps" if found.foreign else None),
            "peel": {
                "fills": [
                    {"kind": f.kind, "millilitres": round(f.millilitres, 1)} for f in found.fills
                ],
                "face_left": round(found.peeled_left, 4),
                "face_in_the_dark": round(found.raised_left, 4),
                "face_in_later_volumes": round(found.later_left, 4),
                "blur_mm": round(found.blur_mm, 2),
                "face_sharpened": round(found.sharp_left, 4),
            },
            "wrap": [
                {"millilitres": round(p.millilitres, 1), "side": p.side, "like": p.like or None}
                for p in found.pieces
            ],
            "link": {
                link.against: {
                    "rank": link.rank,
                    "of": link.gallery,
                    "variant": link.variant,
                    "lead": round(link.lead, 3),
                }
                for link in found.links
            },
            "brain": {
                "changed_mm3": found.brain.changed_mm3,
                "where": list(found.brain.where),
                "bite_ml": round(found.brain.bite_ml, 2),
            },
            "metadata": [
                {"where": m.where, "what": m.what, "severity": m.severity} for m in found.metadata
            ],
        }


def judge(path: str, found: Findings, not_tested: tuple[str, ...] = ()) -> Verdict:
    """Put a verdict on findings.

    Parameters
    ----------
    path : str
        What to call the scan.
    found : Findings
    not_tested : tuple of str
        What was not tried, and why.
    """
    fails, doubts, advice = _face(found)
    for more in (_others(found), _links(found)):
        fails, doubts, advice = fails + more[0], doubts + more[1], advice + more[2]
    if found.replaced and not found.checked:
        not_tested = (*not_tested, UNCHECKED)
    status: Status = "fail" if fails else "unsure" if doubts else "pass"
    reasons = [*fails, *doubts]
    if found.replaced:
        reasons.append(_ours(found))
    elif found.foreign and not reasons:
        reasons.append("shows a face that linking did not find to be the person's")
    elif not reasons:
        rest = [n for n in FACE if found.regions[n].shown >= SHOWN]
        what = f"parts of {_listed(rest)} remain" if rest else "no region of the face remains"
        reasons.append(f"{what} ({found.face:.0%} of a recognisable face)")
    return Verdict(path, status, tuple(reasons), tuple(dict.fromkeys(advice)), not_tested, found)


def _ours(found: Findings) -> str:
    """What is to be said of faceblind's own protection."""
    if found.left >= PASS_LEFT:
        what = {"cut": "cut", "face": "average face"}[found.replaced]
        return f"faceblind's own {what} is there, but lies elsewhere than the face"
    if found.replaced == "cut":
        return "the face was removed along faceblind's own cut, which is everybody's"
    return "shows faceblind's average face, which is everybody's"


_Parts = tuple[list[str], list[str], list[str]]


def _face(found: Findings) -> _Parts:
    """Failing reasons, doubts and advice about the face."""
    fails: list[str] = []
    doubts: list[str] = []
    advice: list[str] = []
    named = [n for n in FACE if found.regions[n].shown >= SHOWN and found.regions[n].seen > 0.05]
    for share, how in (
        (found.left, ""),
        (found.peeled_left, " under a fill that was taken off"),
        (found.raised_left, " in voxels that only look like air"),
        (found.later_left, " in later volumes of the series"),
        (found.sharp_left, " once the blur is undone"),
    ):
        if share < PASS_LEFT or (how and share < found.left + WORSE):
            continue
        what = _remain(named) if named and not how else "a face remains"
        text = f"{what}{how} ({share:.0%} of a recognisable face)"
        if not how and found.foreign:
            doubts += _somebodys(found, text)
            continue
        (fails if share >= FAIL_LEFT else doubts).append(text)
    if found.blur_mm and found.left >= PASS_LEFT:
        fails.append(f"the face is only blurred, by {found.blur_mm:.0f} mm, which can be undone")
    if not fails and not doubts:
        least = IN_VIEW[found.replaced]
        shown = [
            n for n in FACE if found.regions[n].share >= least and found.regions[n].seen > 0.05
        ]
        if shown:
            doubts.append(f"{_remain(shown)} in view ({found.left:.0%} of a recognisable face)")
    if found.replaced == "face" and found.aside_mm > ASIDE_MM:
        doubts.append(
            f"the new face lies {found.aside_mm:.0f} mm from where scalp and brain have the face"
        )
    parallel = [n for n in named if found.regions[n].share < 0.5 <= found.regions[n].parallel]
    if parallel and found.left >= PASS_LEFT:
        doubts.append(f"the cut runs parallel to the skin at {_listed(parallel)}")
    only_ears = not fails and not doubts
    ears = [n for n in LOOKED_AT if n.endswith("ear") and found.regions[n].share >= SHOWN]
    if ears:
        doubts.append(f"{_remain(ears)}; ears are biometric")
    if not fails and not found.replaced and found.detector_views >= DETECTED_VIEWS:
        doubts.append(f"a face detector fires in {found.detector_views} of 81 views")
    if fails or doubts:
        advice.append(f"{AGAIN}, without --keep-ears" if ears and only_ears else AGAIN)
    if found.fills and found.peeled_left >= PASS_LEFT:
        advice.append("a fill hides nothing: remove the face below it, too")
    return fails, doubts, advice


def _somebodys(found: Findings, text: str) -> list[str]:
    """What is to be doubted about a face that may be an average."""
    if any(link.against == "originals" for link in found.links):
        # Linking has judged whose face it is; what it found is said there.
        return []
    return [
        f"{text}, perhaps another tool's average; only linking to the originals can tell "
        "(--originals, ten people)"
    ]


def _others(found: Findings) -> _Parts:
    """The same about wrapped pieces, the brain and metadata."""
    fails: list[str] = []
    doubts: list[str] = []
    advice: list[str] = []
    if found.pieces:
        piece = found.pieces[0]
        what = f"a wrapped {piece.like}" if piece.like else "a wrapped part of the face"
        doubts.append(
            f"a piece of {piece.millilitres:.0f} ml lies outside the head on its {piece.side} "
            f"side; it may be {what}"
        )
        advice.append("protect with a tool that clears the air, as faceblind does")
    if found.brain.changed_mm3:
        fails.append(
            f"{found.brain.changed_mm3:.0f} mm³ of the brain were altered "
            f"({_listed(list(found.brain.where))})"
        )
        advice.append("protect the original again with a tool that keeps the brain")
    elif found.brain.bite_ml > BITE_ML:
        doubts.append(
            f"{found.brain.bite_ml:.0f} ml inside the brain are empty "
            f"({_listed(list(found.brain.where))})"
        )
    sure = [m for m in found.metadata if m.severity == "identifies"]
    perhaps = [m for m in found.metadata if m.severity == "may identify"]
    if sure:
        fails.append(f"metadata identify: {_listed([str(m) for m in sure])}")
    if perhaps:
        doubts.append(f"metadata may identify: {_listed([str(m) for m in perhaps])}")
    if sure or perhaps:
        advice.append("clear free text, dates and extensions (--drop-extensions)")
    return fails, doubts, advice


def _links(found: Findings) -> _Parts:
    fails: list[str] = []
    doubts: list[str] = []
    for link in found.links:
        if link.rank >= 2:
            continue
        text = f"{RECOGNISED} {link.against}: rank {link.rank:g} of {link.gallery}"
        text += f" ({link.variant})"
        chance = min(1.0, link.tried / link.gallery)
        if chance > SURE:
            doubts.append(f"{text}; chance alone gives up to {chance:.0%}")
        else:
            (fails if link.lead >= CLEAR_LEAD else doubts).append(text)
    return fails, doubts, [AGAIN] if fails else []


def _remain(names: list[str]) -> str:
    is_one = len(names) == 1 and names[0] not in ("eyes", "cheeks")
    return f"{_listed(names)} remain{'s' if is_one else ''}"


def _listed(names: list[str]) -> str:
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} and {names[-1]}"
