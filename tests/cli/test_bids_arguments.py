"""Arguments as users of BIDS Apps write them."""

from __future__ import annotations

import pytest

from faceblind.cli.bids_arguments import spelled

FLAGS = {"-v", "--all"}


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        (
            "in out participant --participant-label 01 02 -v",
            "in out participant --participant-label 01 --participant-label 02 -v",
        ),
        ("--participant-label 01 in out participant", "--participant-label 01 in out participant"),
        ("in out participant --session_label=a", "in out participant --session-label=a"),
        ("in out participant --omp_nthreads 2 --all", "in out participant --omp-nthreads 2 --all"),
        ("in out participant -v --mem-mb 3", "in out participant -v --mem-mb 3"),
        ("in out participant --include", "in out participant --include"),
    ],
)
def test_spellings(given, meant):
    assert spelled(given.split(), FLAGS) == meant.split()


def test_a_settings_file(command, tmp_path):
    """Its values are defaults; the command line goes before them."""
    (tmp_path / "raw" / "sub-1" / "anat").mkdir(parents=True)
    (tmp_path / "raw" / "sub-1" / "anat" / "sub-1_T1w.nii.gz").touch()
    config = tmp_path / "run.toml"
    config.write_text(
        '[faceblind]\nmethod = "reface"\nskip_bids_validation = true\n"dry-run" = true\n'
    )
    args = ["bids", tmp_path / "raw", tmp_path / "out", "participant", "--config-file", config]
    assert "desc-refaced_T1w.nii.gz" in command(*args).out
    assert "desc-defaced_T1w.nii.gz" in command(*args, "--method", "deface").out
    config.write_text("colour = 1\n")
    done = command(*args)
    assert done.code == 2
    assert "'colour' is no option" in " ".join(done.err.split())
    config.write_text("colour")
    assert command(*args).code == 2
