"""A whole run with the stand-ins, as a process of its own that a test may kill.

``python run_stand_in.py RAW OUT LAYOUT [LABEL ...]``
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import stand_ins

from faceblind.datasets.bids_filters import Wanted
from faceblind.workflows.bids.participant import run_participants
from faceblind.workflows.bids.settings import BidsSettings, Resources


def main() -> None:
    stand_ins.install()
    raw, out, layout, *labels = sys.argv[1:]
    resources = Resources(n_jobs=1, show_progress=False)
    settings = BidsSettings(layout=layout, wanted=Wanted(tuple(labels)))
    report = run_participants(raw, out, settings, resources)
    sys.exit(0 if report.ok else 1)


if __name__ == "__main__":
    main()
