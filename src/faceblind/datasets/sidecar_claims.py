"""Whether a sidecar's words say that the face was taken out.

In doubt they do not: a scan that is protected a second time is refused by name, one that is taken
for protected would be left as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

# Names of what was done, or of the tools that do it.
_DONE = re.compile(
    r"(?:de|(?<!p)re)-?fac(?:e|ing)|mask_?face|skull.?strip|(?<!\d)113102(?!\d)|visual feature",
    re.IGNORECASE,
)
# A face is a word of its own: surface coils and interfaces are none.
_FACE = re.compile(r"(?:(?<![A-Za-z])[Ff]|(?<=[a-z])F)ac(?:e(?!t)|ial)")
# A face alone may just as well be there: something must have been done to it.
_GONE = re.compile(
    r"remov|mask|blur|eras|replac|delet|obscur|zeroed|blank|hidden|stripp|crop|cut\b|taken out"
    r"|anonymi|scrambl",
    re.IGNORECASE,
)
_NOT_SEEN = re.compile(
    r"(?:not|no longer|non|un)[\s_-]*(?:visible|present|recogni\w+|identif\w+)", re.IGNORECASE
)
# Negations, plans, doubts, failures; whole words after the text was split at capitals and joints.
_DENIED = re.compile(
    r"\b(?:no(?!\s+longer removed)|not(?!\s+only)|\w+n'?t|never|non|none|neither|nor|without|lacks?"
    r"|false|off|n/?a|nein|nicht|kein\w*|ohne|pas|sans|sin|senza|sem|niet|geen|zonder|ikke|inte|ej"
    r"|uten|utan|uden|nao|não|nie|bez|nem"
    r"|to\s*be|to\s*do|tb[ad]|will|shall|should|would|must|can|could|may|might|cannot|needs?|needed"
    r"|necessary|requir\w*|request\w*|recommend\w*|plan\w*|pend\w*|schedul\w*|await\w*|waiting"
    r"|intend\w*|expected|upcoming|later|future|soon|next|tomorrow|yet|still|until|unless|if|when"
    r"|before|prior|pre|ready|queued?|in\s*progress|ongoing|started|running|postponed|deferred"
    r"|outstanding|missing|skip\w*|omit\w*|forg\w*|cancel\w*|fail\w*|error\w*|abort\w*|attempt\w*|tried|incomplete|partial\w*"
    r"|unable|impossible|refused|declined|undone|undo|revers\w*|revert\w*|restored|disabled"
    r"|unknown|unclear|unsure|uncertain|unspecified|unprotected|maybe|perhaps|possibl\w*|probabl\w*"
    r"|optional|geplant|ausstehend|offen|folgt|wird|noch|pendiente|por hacer|faire|attente|da fare"
    r"|kept|keep|retain\w*|preserv\w*|intact|visible|present)\b|\?|[:=]\s*0(?![\d.])"
    r"|(?<![a-z])un-?$",
    re.IGNORECASE,
)
# What may be kept although the face is gone.
_OTHERS_KEPT = re.compile(
    r"\b(?:ears?|eyes?|brain|neck|teeth|rest|tissue|head)\s+(?:(?:was|were|is|are)\s+)?"
    r"(?:kept|retained|preserved|intact)\b"
    r"|\b(?:keep|preserv|retain)\w*\s+(?:the\s+)?(?:ears?|eyes?|brain|neck|teeth)\b",
    re.IGNORECASE,
)
_CLAUSE = re.compile(r"[;,()|\n]+|\.(?=\s|$)|\bbut\b", re.IGNORECASE)
_JOINTS = re.compile(r"(?<=[a-z])(?=[A-Z])|[\s_\-/]+(?![aA]\b)")
# Keys under which an object tells whether something happened.
_STATUS = re.compile(
    r"status|state|done|applied|perform|complet|success|finish|execut|enabled|active|result|stage"
    r"|when|value",
    re.IGNORECASE,
)
_MOST_WORDS = 40


def claims_protection(said: Any) -> bool:
    """Whether anything in nested lists and objects says that the face was taken out.

    Parameters
    ----------
    said : object
        As JSON gives it.
    """
    return any(_claims(text) for text in _statements(said))


def _statements(said: Any) -> Iterator[str]:
    """Each text, with the key that it stands under; nothing from what calls itself undone."""
    waiting: list[tuple[str, Any]] = [("", said)]
    while waiting:
        key, entry = waiting.pop()
        if isinstance(entry, dict):
            if not any(_STATUS.search(str(k)) and _denies(v) for k, v in entry.items()):
                # Keys far up say less, and nesting may be deep.
                above = key.split()[-_MOST_WORDS:]
                waiting += [(" ".join([*above, str(k)]), v) for k, v in entry.items()]
        elif isinstance(entry, list):
            if not any(_denies(one) for one in entry):
                waiting += [(key, one) for one in entry]
        elif not _denies(entry):
            yield f"{key}: {entry}" if key else str(entry)


def _denies(value: Any) -> bool:
    """Whether a value by itself says no, not yet or perhaps."""
    if value is None or value is False or (isinstance(value, int | float) and value == 0):
        return True
    if not isinstance(value, str) or _DONE.search(value) or _FACE.search(value):
        return False
    return bool(re.match(r"\s*$", value) or re.match(_DENIED, _spread(value).strip()))


def _claims(text: str) -> bool:
    """Whether a clause says that it was done, and neither itself nor the next one takes it back."""
    clauses = [_NOT_SEEN.sub("removed", clause) for clause in _CLAUSE.split(text)]
    for clause, after in zip(clauses, [*clauses[1:], ""], strict=True):
        face = _FACE.search(clause) and _GONE.search(clause)
        if not (face or _DONE.search(clause)):
            continue
        taken_back = _DENIED.match(_spread(after).strip())
        if not taken_back and not _is_denied(clause):
            return True
    return False


def _is_denied(clause: str) -> bool:
    parts = [p for m in _DONE.finditer(clause) for p in (clause[: m.start()], clause[m.end() :])]
    parts = parts or [clause]
    return any(_DENIED.search(_OTHERS_KEPT.sub("", _spread(part)).rstrip()) for part in parts)


def _spread(text: str) -> str:
    """A text with its words apart: at spaces, underscores, hyphens and capitals."""
    return _JOINTS.sub(" ", text)
