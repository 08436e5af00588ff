"""Memory by headers, before any scan is loaded."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np

from faceblind.workflows.bids.memory import BASE_MB, jobs_in_queue, jobs_within, needed_mb
from faceblind.workflows.bids.plan import Image, Task
from faceblind.workflows.bids.settings import Resources


def task(folder: Path, key: str, *shapes: tuple[int, ...]) -> Task:
    images = []
    for place, shape in enumerate(shapes):
        path = folder / f"{key}_{place}.nii"
        nib.save(nib.Nifti1Image(np.zeros(shape, np.uint8), np.eye(4)), path)
        images.append(Image(path, path.name, path.name, "T1w"))
    return Task(key, tuple(images), (), ())


def test_workers_times_peak_stay_within(tmp_path):
    small = task(tmp_path, "sub-1", (50, 50, 50))
    large = task(tmp_path, "sub-2", (200, 100, 100), (50, 50, 50))
    assert BASE_MB < needed_mb(small) < needed_mb(large)
    assert jobs_within([small], Resources(n_jobs=8)) == (8, {})
    limit = int(2.5 * needed_mb(large))
    assert jobs_within([small, large], Resources(n_jobs=8, memory_mb=limit)) == (2, {})
    jobs, too_large = jobs_within(
        [small, large], Resources(n_jobs=8, memory_mb=int(needed_mb(small)) + 1)
    )
    assert jobs == 1
    assert list(too_large) == ["sub-2"]
    assert "more than --mem-mb" in too_large["sub-2"]


def test_what_cannot_be_read_counts_little(tmp_path):
    broken = Task("sub-1", (Image(tmp_path / "absent.nii", "a", "a", "T1w"),), (), ())
    assert needed_mb(broken) == BASE_MB


def test_jobs_of_a_batch_system_get_room_and_stay_within_the_limit(tmp_path):
    small = task(tmp_path, "sub-1", (50, 50, 50))
    jobs, memory = jobs_in_queue([small], Resources(n_jobs=8))
    assert jobs == 8
    assert 1.5 * needed_mb(small) < memory < 1.5 * needed_mb(small) + 500
    assert jobs_in_queue([small], Resources(n_jobs=8, memory_mb=3 * memory + 1)) == (3, memory)
    assert jobs_in_queue([small], Resources(n_jobs=8, memory_mb=1)) == (1, memory)
