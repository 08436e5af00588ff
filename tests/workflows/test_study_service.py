"""A study by a service: refused unless all is given, random names only, nothing left behind."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import faceblind
from faceblind.errors import FaceblindError, ServiceError
from faceblind.workflows import study_service
from faceblind.workflows.service_pictures import Pictures
from faceblind.workflows.study_material import IN_SILICO
from faceblind.workflows.study_service import ServiceChoice

KEY = "secret-key-of-the-test"
PEOPLE = ("sub-0001", "sub-0002", "sub-0003")


@pytest.fixture
def people(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Files of three synthetic people; their pictures are texts that the fake servers read."""
    root = tmp_path / "people"
    rows = ["file\tparticipant_id\tview\tconsent"]
    for person in PEOPLE:
        (root / "scans" / person / "anat").mkdir(parents=True)
        (root / "scans" / person / "anat" / f"{person}_T1w.nii.gz").touch()
        (root / f"{person}.jpg").touch()
        rows.append(f"{person}.jpg\t{person}\tfront\tyes")
    (root / "photos.tsv").write_text("\n".join(rows) + "\n")
    (root / "dataset_description.json").write_text('{"Name": "Synthetic volunteers"}')
    faces = {p: f"face:{p[-1]}".encode() for p in PEOPLE}
    renders = Pictures({p: (face, face, b"nothing") for p, face in faces.items()}, {})
    photos = Pictures({p: (face, face) for p, face in faces.items()}, {})
    monkeypatch.setattr(study_service, "render_pictures", lambda *_: renders)
    monkeypatch.setattr(study_service, "photograph_pictures", lambda *_: photos)
    return root


@pytest.fixture
def study(
    people: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., faceblind.study]:
    def run(fake: Any, choice: ServiceChoice, **options: Any) -> Any:
        name = choice.name.upper()
        monkeypatch.setenv(f"FACEBLIND_{name}_ENDPOINT", fake.endpoint)
        monkeypatch.setenv(f"FACEBLIND_{name}_KEY", KEY)
        return faceblind.study(
            people / "scans", people / "photos.tsv", tmp_path / "out", service=choice,
            n_jobs=1, show_progress=False, **options,
        )  # fmt: skip

    return run


def sent(fake: Any) -> str:
    return "".join(f"{path} {body.decode()}" for _, path, body in fake.log)


@pytest.mark.parametrize("name", ["azure", "compreface"])
def test_everybody_is_found_and_nothing_is_left(
    name: Any, request: Any, study: Any, tmp_path: Path, caplog: Any
) -> None:
    caplog.set_level(logging.DEBUG)
    fake = request.getfixturevalue(name)
    result = study(fake, ServiceChoice(name, may_upload=True))
    assert (result.rank1.hits, result.gallery_size, result.failed_to_enrol) == (3, 3, 0)
    assert (result.matching, result.note) == ("service", IN_SILICO)
    assert not getattr(fake, "groups", None)
    assert not getattr(fake, "subjects", None)
    assert "sub-" not in sent(fake)
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    told = summary["settings"]["service"]
    assert told["name"] == name
    assert told["candidates_returned"] == [3, 3]
    assert (told["renders_without_face"], told["photographs_without_face"]) == (3, 0)
    assert summary["settings"]["pictures_per_gallery_person"] == [2, 2]
    assert told["requests_estimated"] >= told["requests"] - 1
    assert not (tmp_path / "out" / "private" / study_service.NOTE).exists()
    written = "".join(p.read_text() for p in (tmp_path / "out").rglob("*") if p.is_file())
    for secret in (KEY, fake.endpoint):
        assert secret not in written
    assert KEY not in caplog.text
    assert faceblind.write_report(result, tmp_path / "out").is_file()
    assert f"remote service {name}" in (tmp_path / "out" / "report.html").read_text()


def test_a_failure_in_the_middle_deletes_all(azure: Any, study: Any) -> None:
    azure.troubles.append(("/identify", 400, {}, {"error": {"code": "BadArgument"}}))
    with pytest.raises(ServiceError, match="HTTP 400, BadArgument"):
        study(azure, ServiceChoice("azure", may_upload=True))
    assert azure.groups == {}
    assert len(azure.asked("DELETE")) == 1


def test_a_short_list_is_a_miss_and_said(
    compreface: Any, study: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(study_service.CompreFace, "most_candidates", 1)
    swapped = Pictures({"sub-0001": (b"face:2",), "sub-0002": (b"face:2",)}, {})
    monkeypatch.setattr(study_service, "photograph_pictures", lambda *_: swapped)
    result = study(compreface, ServiceChoice("compreface"))
    # sub-0003 has a photograph in the table and none that shows a face.
    assert (result.rank1.hits, result.rank10.hits, result.failed_to_enrol) == (1, 1, 1)
    faceblind.write_report(result, tmp_path / "out")
    assert "did not return 1 of 3 people" in (tmp_path / "out" / "report.html").read_text()


def test_the_refusal_says_all_that_is_missing(
    people: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: Any
) -> None:
    pytest.importorskip("azure.ai.vision.face", reason="needs the extra azure")
    for name in ("FACEBLIND_AZURE_ENDPOINT", "FACEBLIND_AZURE_KEY"):
        monkeypatch.delenv(name, raising=False)
    (people / "dataset_description.json").unlink()
    done = command(
        "study", people / "scans", people / "photos.tsv", tmp_path / "out", "--service", "azure"
    )
    assert done.code == 1
    assert done.err.count("\n") == 1
    for words in (
        "nothing was uploaded", "--i-have-permission-to-upload", "FACEBLIND_AZURE_ENDPOINT",
        "FACEBLIND_AZURE_KEY", "--service-config, because these may be real people",
    ):  # fmt: skip
        assert words in done.err
    assert not (tmp_path / "out").exists()


CONFIG = """service = "azure"
permitted_by = "committee"
purpose = "test"
permitted_until = {}
"""


def test_real_people_need_a_sign_off_that_has_not_ended(
    azure: Any, study: Any, people: Path, tmp_path: Path
) -> None:
    (people / "dataset_description.json").unlink()
    config = tmp_path / "config.toml"
    config.write_text(CONFIG.format("2020-01-01"))
    choice = ServiceChoice("azure", may_upload=True, config=config)
    with pytest.raises(ServiceError, match="a permission that has not ended"):
        study(azure, choice)
    assert azure.log == []
    config.write_text(CONFIG.format("2999-01-01"))
    assert study(azure, choice).rank1.hits == 3
    assert (tmp_path / "out/private/service_config.toml").read_text() == config.read_text()


def test_a_real_scan_beside_synthetic_photographs_is_real(
    azure: Any, study: Any, people: Path, tmp_path: Path
) -> None:
    scan = people / "scans/sub-0001/anat/sub-0001_T1w.nii.gz"
    scan.rename(tmp_path / "real.nii.gz")
    scan.symlink_to(tmp_path / "real.nii.gz")
    with pytest.raises(ServiceError, match="may be real people"):
        study(azure, ServiceChoice("azure", may_upload=True))
    assert azure.log == []


def test_the_estimate_comes_before_the_upload(azure: Any, study: Any) -> None:
    with pytest.raises(ServiceError, match=r"nothing was uploaded; it takes 25 requests, 0\.0 MB"):
        study(azure, ServiceChoice("azure", may_upload=True, most_requests=24))
    assert azure.log == []


def test_what_a_service_cannot_do_is_refused(compreface: Any, study: Any) -> None:
    with pytest.raises(ServiceError, match="photo-to-scan only"):
        study(compreface, ServiceChoice("compreface"), direction="scan-to-photo")
    with pytest.raises(FaceblindError, match="leave out --recogniser and --matching"):
        study(compreface, ServiceChoice("compreface"), recogniser="sface")
    assert compreface.log == []
