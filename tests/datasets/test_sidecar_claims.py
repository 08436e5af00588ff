"""Only what was done counts as done."""

from __future__ import annotations

import pytest

from faceblind.datasets.sidecar_claims import claims_protection

NOT_DONE = [
    "defacing to be done", "not yet defaced", "planned", "undefaced", "no defacing", "pending",
    "to be defaced", "defaced: false", "defacing pending", "defacing planned for 2025", "face",
    "will be defaced", "should be defaced", "needs defacing", "before defacing", "un-defaced",
    "awaiting defacing", "not_yet_defaced", "notDefaced", "toBeDefaced", "defacing TODO",
    "defacing: TBD", "defaced?", "defacing failed", "defacing skipped", "face visible",
    "original, to be defaced later", "defacing (not yet done)", "defacing, not yet",
    "deface = none",
    "Defaced: N/A", "has not been defaced", "noch nicht defaced", "kein defacing", "sin defacing",
    "pas de defacing", "must be defaced before sharing", "defacing in progress", "nondefaced",
    "mri_deface could not be run", "defaced: unknown", "defacing was reverted", "face present",
    "skull stripping planned", "facial features present", "face will be removed", "defaced - no",
    "removal of face pending", "113102 not applied", "the defacing step was omitted",
    {"Defacing": {"status": "pending"}}, {"Defaced": ["no"]}, {"defaced": []}, {"defaced": {}},
    {"defaced": None}, {"defaced": 0}, {"defaced": ""}, {"method": "pydeface", "applied": False},
    {"tool": "pydeface", "done": "no"}, ["Defacing", "pending"], ["defacing", False], [None], None,
    True, False, 0, 1.5, [], {}, {"CodeValue": "113102", "status": "planned"}, {"undefaced": True},
    {"defacing": {"performed": "not yet"}},
]  # fmt: skip
DONE = [
    "defaced with pydeface 2.0", "mri_reface 0.3.4", "DICOM 113102", "deface", "Defacing",
    "face removed and ears kept", "Face masked", "removed facial features", "fsl_deface 0.1",
    "facial features were blurred", "face is no longer recognisable", "defaced, brain preserved",
    "mri_deface v1.22, manually checked", "defacing: done", "skull-stripped with BET",
    {"CodeValue": 113102}, {"defaced": True}, {"defaced": 1}, {"defaced": "yes"},
    {"method": "pydeface", "status": "done"}, {"tool": ["pydeface"]}, ["names removed", "mideface"],
]  # fmt: skip


@pytest.mark.parametrize("said", NOT_DONE, ids=str)
def test_plans_denials_and_doubts_claim_nothing(said):
    assert not claims_protection(said)


@pytest.mark.parametrize("said", DONE, ids=str)
def test_what_was_done_is_claimed(said):
    assert claims_protection(said)
