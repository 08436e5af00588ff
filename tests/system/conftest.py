"""A batch system of three small scripts."""

from __future__ import annotations

from pathlib import Path

import pytest

HERE = Path(__file__).parent
QSUB = """for script; do :; done
cp "$script" {home}/script.txt
PBS_JOBID=7 nohup bash {home}/script.txt >/dev/null 2>&1 &
echo $! >{home}/pid
echo "$!.server"
"""
QSTAT = """for id; do
    kill -0 $id 2>/dev/null && echo "$id.server faceblind me 00:00:01 R batch"
done
true
"""


@pytest.fixture
def batch(tmp_path, monkeypatch):
    """Makes a PBS of three small scripts that start jobs at once, on this machine."""
    folder, home = tmp_path / "bin", tmp_path / "pbs"
    folder.mkdir()
    home.mkdir()
    monkeypatch.setenv("PATH", str(folder), prepend=":")
    monkeypatch.setenv("PYTHONPATH", str(HERE), prepend=":")
    monkeypatch.syspath_prepend(str(HERE))

    def make(qsub=QSUB, qstat=QSTAT, qdel="kill $1\n"):
        for name, text in (("qsub", qsub), ("qstat", qstat), ("qdel", qdel)):
            path = folder / name
            path.write_text("#!/bin/bash\n" + text.format(home=home))
            path.chmod(0o755)
        return home

    return make
