"""From findings to a verdict in plain words."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from faceblind.attacks.brain import BITE_ML
from faceblind.attacks.findings import Findings
from faceblind.attacks.reasons import Kind, Reason, public_texts
from faceblind.attacks.settings import SETTINGS, AuditSettings
from faceblind.attacks.surface import FACE, LOOKED_AT
from faceblind.display import table_html

Status = Literal["pass", "fail", "unsure", "not_examined"]

LEAST_SEEN = 0.05
"""Share of a region in the field of view from which it is spoken of."""
AGAIN = "run faceblind deface or reface on the original"

UNCHECKED = (
    "the edges of the skin beside faceblind's own protection (air was wiped up to the skin, or the "
    "scan was resampled)"
)
UNPLACED = (
    "whether faceblind's own protection lies where the face was, by the brain (it does not show, "
    "or it is unlike its skull)"
)
ANONYMITY = (
    "A face verdict is no anonymity verdict: brain and skull shape alone can link scans of one "
    "person."
)
"""Said once with every report (arXiv 2602.10043)."""


@dataclass(frozen=True, repr=False)
class Verdict:
    """What is to be said of one scan.

    Parameters
    ----------
    path : str
        Of the scan, relative to the folder that was audited.
    status : {"pass", "fail", "unsure", "not_examined"}
        The last for files that no attack looks at, see `faceblind.attacks.unexamined`.
    reasons : tuple of Reason
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
    reasons: tuple[Reason, ...]
    advice: tuple[str, ...] = ()
    not_tested: tuple[str, ...] = ()
    findings: Findings | None = None
    error: str = ""

    def __repr__(self) -> str:
        said = "; ".join(public_texts(self.reasons)) or self.error
        return f"Verdict({self.status}: {said})"

    def _repr_html_(self) -> str:
        rows = [("reason", text) for text in public_texts(self.reasons)]
        rows += [("do", text) for text in self.advice]
        rows += [("not tested", text) for text in self.not_tested]
        if self.findings:
            rows.append(("score", f"{self.findings.score:.2f} of a recognisable person"))
        return table_html(rows, self.status)

    def as_dict(self, *, private: bool = False) -> dict[str, Any]:
        """The object that ``--json`` prints.

        Parameters
        ----------
        private : bool
            With a person's ranks among others, for the owner of the scans only.
        """
        base: dict[str, Any] = {
            "path": self.path,
            "status": self.status,
            "reasons": (
                [reason.text for reason in self.reasons]
                if private
                else list(public_texts(self.reasons))
            ),
            "kinds": list(dict.fromkeys(reason.kind for reason in self.reasons)),
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
            "replaced": found.replaced or ("perhaps" if found.replaced_by_other else None),
            "peel": {
                "fills": [
                    {"kind": f.kind, "millilitres": round(f.millilitres, 1)} for f in found.fills
                ],
                "remaining_face_share": round(found.remaining_under_fills, 4),
                "face_in_the_dark": round(found.remaining_in_the_dark, 4),
                "face_in_later_volumes": round(found.remaining_in_later_volumes, 4),
                "blur_mm": round(found.blur_mm, 2),
                "face_sharpened": round(found.remaining_deblurred, 4),
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
                if private
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


def judge(
    path: str,
    found: Findings,
    not_tested: tuple[str, ...] = (),
    settings: AuditSettings = SETTINGS,
) -> Verdict:
    """Put a verdict on findings.

    Parameters
    ----------
    path : str
        What to call the scan.
    found : Findings
    not_tested : tuple of str
        What was not tried, and why.
    settings : AuditSettings, optional
    """
    parts = _Parts()
    _face(found, settings, parts)
    _others(found, parts)
    _links(found, settings, parts)
    if found.replaced and not found.checked:
        not_tested = (*not_tested, UNCHECKED)
    if found.replaced and not found.placed:
        not_tested = (*not_tested, UNPLACED)
    status: Status = "fail" if parts.fails else "unsure" if parts.doubts else "pass"
    reasons = [*parts.fails, *parts.doubts]
    if found.replaced:
        reasons.append(_ours(found, settings))
    elif found.replaced_by_other and not reasons:
        text = "shows a face that linking did not find to be the person's"
        reasons.append(Reason("perhaps_average", text))
    elif not reasons:
        rest = [n for n in FACE if found.regions[n].shown >= settings.shown]
        what = f"parts of {_listed(rest)} remain" if rest else "no region of the face remains"
        text = f"{what} ({found.face:.0%} of a recognisable face)"
        reasons.append(Reason("nothing_remains", text))
    advice = tuple(dict.fromkeys(parts.advice))
    return Verdict(path, status, tuple(reasons), advice, not_tested, found)


@dataclass
class _Parts:
    """What a verdict is put together from."""

    fails: list[Reason] = field(default_factory=list)
    doubts: list[Reason] = field(default_factory=list)
    advice: list[str] = field(default_factory=list)

    def fail(self, kind: Kind, text: str, *, private: bool = False) -> None:
        self.fails.append(Reason(kind, text, private))

    def doubt(self, kind: Kind, text: str, *, private: bool = False) -> None:
        self.doubts.append(Reason(kind, text, private))

    @property
    def empty(self) -> bool:
        return not self.fails and not self.doubts


def _ours(found: Findings, settings: AuditSettings) -> Reason:
    """What is to be said of faceblind's own protection."""
    if found.remaining >= settings.pass_remaining:
        text = f"faceblind's own {_what(found)} is there, but lies elsewhere than the face"
    elif found.replaced == "cut":
        text = "the face was removed along faceblind's own cut, which is everybody's"
    else:
        text = "shows faceblind's average face, which is everybody's"
    return Reason("own_protection", text)


def _what(found: Findings) -> str:
    return {"cut": "cut", "face": "average face"}[found.replaced]


def _face(found: Findings, settings: AuditSettings, parts: _Parts) -> None:
    """The face, the ears, and where a protection lies."""
    named = [
        n for n in FACE
        if found.regions[n].shown >= settings.shown and found.regions[n].seen > LEAST_SEEN
    ]  # fmt: skip
    _remaining(found, named, settings, parts)
    if found.blur_mm and found.remaining >= settings.pass_remaining:
        parts.fail(
            "blurred", f"the face is only blurred, by {found.blur_mm:.0f} mm, which can be undone"
        )
    if parts.empty:
        least = settings.least_in_view(found.replaced, found.aside_mm, found.placed, found.short_mm)
        shown = [
            n for n in FACE
            if found.regions[n].share >= least and found.regions[n].seen > LEAST_SEEN
        ]  # fmt: skip
        if shown:
            text = f"{_remain(shown)} in view ({found.remaining:.0%} of a recognisable face)"
            parts.doubt("feature_in_view", text)
    most_aside = settings.aside_mm if found.checked else settings.aside_unchecked_mm
    if found.replaced and found.aside_mm > most_aside:
        far = f"{found.aside_mm:.0f} mm from where the brain has the face"
        parts.doubt("mislaid", f"faceblind's own {_what(found)} lies {far}")
    if found.replaced and found.short_mm > settings.most_short_mm:
        parts.doubt("mislaid", f"faceblind's own {_what(found)} lies too low or too far forward")
    if found.gap_share > settings.most_gap:
        parts.doubt("mislaid", f"air lies between faceblind's own {_what(found)} and the head")
    if found.second_skin > settings.most_second:
        text = f"the person's own forehead lies below faceblind's own {_what(found)}"
        parts.doubt("mislaid", text)
    parallel = [n for n in named if found.regions[n].share < 0.5 <= found.regions[n].parallel]
    if parallel and found.remaining >= settings.pass_remaining:
        parts.doubt("parallel", f"the cut runs parallel to the skin at {_listed(parallel)}")
    only_ears = parts.empty
    ears = [n for n in LOOKED_AT if n.endswith("ear") and found.regions[n].share >= settings.shown]
    if ears:
        parts.doubt("ears", f"{_remain(ears)}; ears are biometric")
    views = found.detector_views
    if not parts.fails and not found.replaced and views >= settings.detected_views:
        parts.doubt("detector", f"a face detector fires in {views} of 81 views")
    if not parts.empty:
        parts.advice.append(f"{AGAIN}, without --keep-ears" if ears and only_ears else AGAIN)
    if found.fills and found.remaining_under_fills >= settings.pass_remaining:
        parts.advice.append("a fill hides nothing: remove the face below it, too")


def _remaining(found: Findings, named: list[str], settings: AuditSettings, parts: _Parts) -> None:
    """How much of a face each attack got."""
    for share, how in (
        (found.remaining, ""),
        (found.remaining_under_fills, " under a fill that was taken off"),
        (found.remaining_in_the_dark, " in voxels that only look like air"),
        (found.remaining_in_later_volumes, " in later volumes of the series"),
        (found.remaining_deblurred, " once the blur is undone"),
    ):
        if share < settings.pass_remaining or (how and share < found.remaining + settings.worse):
            continue
        what = _remain(named) if named and not how else "a face remains"
        text = f"{what}{how} ({share:.0%} of a recognisable face)"
        if how or not found.replaced_by_other:
            (parts.fail if share >= settings.fail_remaining else parts.doubt)("face_remains", text)
        elif not any(link.against == "originals" for link in found.links):
            # Where originals were linked, that judged whose face it is.
            parts.doubt(
                "perhaps_average",
                f"{text}, perhaps another tool's average; only linking to the originals can tell "
                "(--originals, ten people)",
            )


def _others(found: Findings, parts: _Parts) -> None:
    """Wrapped pieces, the brain and metadata."""
    if found.pieces:
        piece = found.pieces[0]
        what = f"a wrapped {piece.like}" if piece.like else "a wrapped part of the face"
        parts.doubt(
            "wrapped",
            f"a piece of {piece.millilitres:.0f} ml lies outside the head on its {piece.side} "
            f"side; it may be {what}",
        )
        parts.advice.append("protect with a tool that clears the air, as faceblind does")
    where = _listed(list(found.brain.where))
    if found.brain.changed_mm3:
        parts.fail(
            "brain_changed",
            f"{found.brain.changed_mm3:.0f} mm³ of the brain were altered ({where})",
        )
        parts.advice.append("protect the original again with a tool that keeps the brain")
    elif found.brain.bite_ml > BITE_ML:
        parts.doubt(
            "brain_empty", f"{found.brain.bite_ml:.0f} ml inside the brain are empty ({where})"
        )
    sure = [m for m in found.metadata if m.severity == "identifies"]
    perhaps = [m for m in found.metadata if m.severity == "may identify"]
    if sure:
        parts.fail("metadata", f"metadata identify: {_listed([str(m) for m in sure])}")
    if perhaps:
        parts.doubt("metadata", f"metadata may identify: {_listed([str(m) for m in perhaps])}")
    if sure or perhaps:
        parts.advice.append("clear free text, dates and extensions (--drop-extensions)")


def _links(found: Findings, settings: AuditSettings, parts: _Parts) -> None:
    """Ranks among other people: for the owner's eyes only."""
    before = len(parts.fails)
    for link in found.links:
        if link.rank >= 2:
            continue
        text = f"recognised among {link.against}: rank {link.rank:g} of {link.gallery}"
        text += f" ({link.variant})"
        chance = min(1.0, link.tried / link.gallery)
        if chance > settings.chance:
            text += f"; chance alone gives up to {chance:.0%}"
            parts.doubt("recognised", text, private=True)
        elif link.lead >= settings.clear_lead:
            parts.fail("recognised", text, private=True)
        else:
            parts.doubt("recognised", text, private=True)
    if len(parts.fails) > before:
        parts.advice.append(AGAIN)


def _remain(names: list[str]) -> str:
    is_one = len(names) == 1 and names[0] not in ("eyes", "cheeks")
    return f"{_listed(names)} remain{'s' if is_one else ''}"


def _listed(names: list[str]) -> str:
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} and {names[-1]}"
