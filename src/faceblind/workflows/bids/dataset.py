"""Files of a whole dataset: its description, tables of participants, notes."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any
from urllib.parse import quote

from faceblind._version import __version__
from faceblind.errors import FaceblindError, ScanError, why
from faceblind.system.claims import claim
from faceblind.system.files import move_into_place
from faceblind.system.outputs import PRIVATE, private_dir
from faceblind.system.tables import write_json
from faceblind.workflows.bids.copies import keep_rows, record_of, stage_copy
from faceblind.workflows.bids.manifest import DATASET, FileRecord, Manifest, State, TaskRecord
from faceblind.workflows.bids.plan import DESCRIPTION, Plan
from faceblind.workflows.bids.session import Output
from faceblind.workflows.bids.settings import BidsSettings

BIDS_VERSION = "1.11.1"
CONTAINER = "FACEBLIND_CONTAINER"
"""Environment variable that an image of a container sets: its type and tag, ``docker:NAME:TAG``."""
_WAIT_S = 600.0
_README = """# Scans without faces

Made by faceblind {version} from another dataset: head scans in which the face was {done}.
The images are those of the original in all voxels outside the region that was replaced. Each was
attacked after its protection, and only those that passed are here.
"""


def write_dataset_files(plan: Plan, output: Output, settings: BidsSettings) -> list[str]:
    """Write the files that belong to no participant, by what is in place now.

    Parameters
    ----------
    plan : Plan
    output : Output
    settings : BidsSettings

    Returns
    -------
    list of str
        One line for each file that could not be copied.
    """
    with claim(output.claim(DATASET), wait_s=_WAIT_S) as held:
        if not held:
            return ["the files of the whole dataset: another run writes them; start this one again"]
        stage = output.stage(DATASET)
        shutil.rmtree(stage, ignore_errors=True)
        private_dir(stage)
        with Manifest(output.root) as manifest:
            present = manifest.participants()
            files, failures = _staged(plan, output, settings, present)
            record = TaskRecord(DATASET, "passed", version=__version__, settings=settings.digest())
            manifest.begin_placing(record, [], files)
            for file in files:
                move_into_place(stage / file.path, output.root / file.path, output.incoming)
            state: State = "failed" if failures else "done"
            manifest.finish(TaskRecord(DATASET, state, "", "", record.settings, __version__, 0.0))
        shutil.rmtree(stage, ignore_errors=True)
    return failures


def _staged(
    plan: Plan, output: Output, settings: BidsSettings, present: set[str]
) -> tuple[list[FileRecord], list[str]]:
    stage = output.stage(DATASET)
    files: list[FileRecord] = []
    failures = []
    for copy in plan.common:
        try:
            files.append(stage_copy(copy, stage))
        except FaceblindError as error:
            failures.append(why(error))
            continue
        if copy.inside == "participants.tsv":
            _keep_present(stage / copy.inside, present)
            files[-1] = record_of(stage, copy.inside, "copy")
    write_json(stage / DESCRIPTION, _description(plan.root, settings, output.root))
    files.append(record_of(stage, DESCRIPTION, "dataset"))
    files = [file for file in files if file.path != ".bidsignore"]
    _write_ignored(stage / ".bidsignore")
    files.append(record_of(stage, ".bidsignore", "dataset"))
    if settings.layout == "derivative":
        done = "removed" if settings.method == "deface" else "replaced by an average one"
        (stage / "README.md").write_text(_README.format(version=__version__, done=done))
        files.append(record_of(stage, "README.md", "dataset"))
    return files, failures


def _keep_present(table: Path, present: set[str]) -> None:
    """Only those participants that have a file: BIDS wants table and folders to agree."""
    text = table.read_bytes().decode("utf-8", errors="surrogateescape")
    kept = keep_rows(text, "participant_id", present.__contains__)
    if kept != text:
        table.write_bytes(kept.encode("utf-8", errors="surrogateescape"))


def _write_ignored(path: Path) -> None:
    """The dataset's own list, and the private folder."""
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    if PRIVATE not in text.splitlines():
        text += ("" if not text or text.endswith("\n") else "\n") + f"{PRIVATE}\n"
    path.write_text(text, encoding="utf-8", newline="\n")


def read_description(root: Path) -> dict[str, Any]:
    """What a dataset says of itself; empty if nothing.

    Parameters
    ----------
    root : Path

    Raises
    ------
    ScanError
        If that is no JSON object.
    """
    path = root / DESCRIPTION
    if not path.exists() and not path.is_symlink():
        return {}
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:
        raise ScanError(f"{path}: not readable JSON; repair it") from error
    if not isinstance(content, dict):
        raise ScanError(f"{path}: expected a JSON object; repair it")
    return content


def _description(source: Path, settings: BidsSettings, out: Path) -> dict[str, Any]:
    before = read_description(source)
    name = str(before.get("Name") or "Unnamed")
    earlier = before.get("GeneratedBy")
    ours = _generated_by(settings)
    if settings.layout == "publish":
        content = {"Name": name, "BIDSVersion": BIDS_VERSION} | before
        done = [*(earlier if isinstance(earlier, list) else []), ours]
        return content | {"DatasetType": "raw", "GeneratedBy": done}
    content = {
        "Name": f"{name}: scans without faces",
        "BIDSVersion": BIDS_VERSION,
        "DatasetType": "derivative",
        "GeneratedBy": [ours],
        "SourceDatasets": [_source_dataset(before)],
        "DatasetLinks": {"raw": quote(os.path.relpath(source, out).replace(os.sep, "/"))},
    }
    content |= {key: before[key] for key in ("License", "Authors") if key in before}
    return content


def _source_dataset(before: dict[str, Any]) -> dict[str, Any]:
    """How others find the original; where they cannot, its name in our links."""
    doi = before.get("DatasetDOI")
    if isinstance(doi, str) and doi:
        return {"DOI": doi}
    return {"URL": "bids:raw:"}


def _generated_by(settings: BidsSettings) -> dict[str, Any]:
    face = "removed" if settings.method == "deface" else "replaced by an average face"
    content: dict[str, Any] = {
        "Name": "faceblind",
        "Version": __version__,
        "Description": f"Faces {face}; every scan attacked afterwards, and left out unless it "
        "passed.",
    }
    kind, _, tag = os.environ.get(CONTAINER, "").partition(":")
    if kind and tag:
        content["Container"] = {"Type": kind, "Tag": tag}
    return content
