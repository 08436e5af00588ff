"""The command lines of deface and reface: what is file, session and folder, and the exit codes."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from typer.testing import CliRunner

from faceblind.cli.main import app
from faceblind.cli.protect import report
from faceblind.workflows import protect as workflow
from faceblind.workflows.protect_settings import ProtectionResult


@pytest.fixture
def calls(monkeypatch):
    """Record what the verbs ask for, and answer with one success and one failure."""
    seen = []

    def answer(name, result):
        def function(*args, **kwargs):
            seen.append((name, args, kwargs))
            return result

        monkeypatch.setattr(workflow, name, function)

    good = ProtectionResult(Path("a.nii.gz"), Path("o.nii.gz"), None, {"face": 0.05})
    bad = ProtectionResult(
        Path("b.nii.gz"), None, "b.nii.gz: the file is truncated; fetch it again"
    )
    answer("protect_file", good)
    answer("protect_session", [good])
    answer("protect_folder", [good, bad])
    return seen


def invoke(*args: str):
    return CliRunner().invoke(app, args)


@pytest.mark.parametrize("method", ["deface", "reface"])
def test_a_file(calls, method):
    result = invoke(method, "a.nii.gz", "o.nii.gz", "--keep-ears", "--keep", "eyes", "--seed", "7")
    assert result.exit_code == 0
    name, args, _ = calls[0]
    assert name == "protect_file"
    assert args[:2] == (Path("a.nii.gz"), Path("o.nii.gz"))
    settings = args[2]
    assert (settings.method, settings.seed) == (method, 7)
    assert settings.options.keep_ears
    assert settings.options.keep_eyes
    assert settings.strict
    assert not settings.keep_fiducials
    assert not settings.options.teeth
    assert not settings.options.neck
    assert "5% of the face" in result.stderr


def test_a_folder_with_failures(calls, tmp_path):
    result = invoke("deface", str(tmp_path), "out")
    assert result.exit_code == 1
    assert calls[0][0] == "protect_folder"
    assert "failed: b.nii.gz: the file is truncated" in result.stderr
    assert "Protected 1 of 2" in result.stdout


def test_a_session(calls):
    result = invoke("reface", "a.nii.gz", "b.nii.gz", "out", "--session", "--no-strict")
    assert result.exit_code == 0
    name, args, _ = calls[0]
    assert name == "protect_session"
    assert args[0] == [Path("a.nii.gz"), Path("b.nii.gz")]
    assert not args[2].strict


@pytest.mark.parametrize("method", ["deface", "reface"])
def test_what_goes_and_stays_besides(calls, method):
    options = ("--teeth", "--neck", "--keep-fiducials")
    assert invoke(method, "a.mgz", "o.mgz", *options).exit_code == 0
    name, args, _ = calls[0]
    assert name == "protect_file"
    assert args[2].keep_fiducials
    assert args[2].options.teeth
    assert args[2].options.neck


def test_both_verbs_say_what_they_do():
    assert "become air" in invoke("deface", "--help").stdout
    assert "same average face" in invoke("reface", "--help").stdout


def test_a_folder_that_is_named_like_a_scan_is_a_slip(calls, tmp_path):
    for args in (
        (str(tmp_path), "out.nii.gz"),
        ("--session", "a.nii.gz", "out.nii.gz"),
        ("a.nii.gz", "out.nii.gz", "--apply-to", "map.nii.gz"),
        ("a.nii.gz", "out.mgz", "--save-transforms"),
    ):
        result = invoke("deface", *args)
        assert result.exit_code == 2
        assert "OUT" in result.stderr
    assert not calls


@pytest.mark.parametrize("name", ["x.img", "x.json", "x.nii.zip", "x.nii.bz2", "x.IMA"])
def test_a_file_of_an_unknown_ending_is_no_folder(calls, tmp_path, name):
    out = tmp_path / name
    result = invoke("deface", "a.nii.gz", str(out))
    assert result.exit_code == 2
    shown = " ".join(result.stderr.replace("│", " ").split())
    assert "is named like a file but not like a scan (.nii.gz, .nii, .mgz, .mgh, .nrrd)" in shown
    assert not calls
    assert not out.exists()
    out.mkdir()
    assert invoke("deface", "a.nii.gz", str(out)).exit_code == 0
    assert calls[0][0] == "protect_session"


def test_plain_names_and_version_numbers_are_folders(calls, tmp_path):
    for args in (
        ("a.nii.gz", "out"),
        ("a.nii.gz", "out-1.0"),
        ("a.nii.gz", "out.v2"),
        ("a.nii.gz", "out.set", "--session"),
        ("a.nii.gz", "out.set", "--apply-to", "map.nii.gz"),
        (str(tmp_path), "out.set"),
    ):
        assert invoke("deface", *args).exit_code in (0, 1)
    assert [name for name, *_ in calls] == ["protect_session"] * 5 + ["protect_folder"]


def test_scans_that_carry_extensions_are_named(tmp_path, capsys):
    image = nib.Nifti1Image(np.zeros((3, 3, 3), np.uint8), np.eye(4))
    nib.save(image, tmp_path / "plain.nii.gz")
    image.header.extensions.append(nib.nifti1.Nifti1Extension("comment", b"Jane Doe"))
    nib.save(image, tmp_path / "carries.nii.gz")
    names = ("plain.nii.gz", "carries.nii.gz", "absent.nii.gz")
    results = [ProtectionResult(Path("in", name), tmp_path / name) for name in names]
    assert (
        report([*results, ProtectionResult(Path("failed.nii"), None, "failed.nii: bad")], tmp_path)
        == 1
    )
    assert capsys.readouterr().err.splitlines() == [
        "carries.nii.gz: carries header extensions, which may hold names",
        "failed: failed.nii: bad",
    ]


def test_names_with_line_breaks_and_colours_stay_one_line(capsys):
    left = ProtectionResult(Path("a\nb.nii.gz"), Path("o.nii.gz"), None, {"face": 0.05})
    bad = ProtectionResult(
        Path("b"), None, "\x1b[31mb\nc.nii.gz: the file is empty; fetch it again"
    )
    assert report([left, bad], Path("out")) == 1
    shown = capsys.readouterr().err
    assert shown.splitlines() == [
        "a b.nii.gz: left because the brain is near: 5% of the face",
        "failed:  [31mb c.nii.gz: the file is empty; fetch it again",
    ]


def test_wrong_usage(calls):
    assert invoke("deface", "a.nii.gz").exit_code == 2
    assert invoke("deface", "a.nii.gz", "b.nii.gz", "out").exit_code == 2
    assert invoke("deface", "a.nii.gz", "o.nii.gz", "--keep", "nose").exit_code == 2
    assert not calls
