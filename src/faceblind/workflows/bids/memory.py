"""How much memory a session needs, told from the headers of its images before any is loaded."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import nibabel as nib
import numpy as np
from nibabel.filebasedimages import ImageFileError
from nibabel.spatialimages import HeaderDataError, SpatialImage

from faceblind.system.threads import available_processors
from faceblind.workflows.bids.plan import Task
from faceblind.workflows.bids.settings import Resources

BASE_MB = 700.0
"""A worker with its models and the pictures of a face, measured 390 to 580, and 110 of numba."""
BYTES_PER_VOXEL = 16.0
"""Beside that, for each voxel of the largest image of a session. Measured 12 with 38 million voxels
in 16 bits."""
BYTES_PER_COMPANION = 8.0
"""And for each voxel of its other images, which are held together as they are stored."""
JOB_FACTOR, JOB_EXTRA_MB = 1.5, 400
"""What a job of a batch system asks for: such a system ends a job that takes more, and a worker's
companion process and libraries take 150 to 300 MB."""


def jobs_within(tasks: Sequence[Task], resources: Resources) -> tuple[int, dict[str, str]]:
    """How many processes fit into the memory, and which sessions do not.

    Parameters
    ----------
    tasks : sequence of Task
    resources : Resources

    Returns
    -------
    int
        Processes.
    dict of str to str
        Sessions that need more than there is, to a line that says so.
    """
    jobs = resources.n_jobs if resources.n_jobs != -1 else available_processors()
    limit = resources.memory_mb
    if limit is None:
        return jobs, {}
    needs = {task.key: needed_mb(task) for task in tasks}
    too_large = {
        key: f"needs about {need:.0f} MB, more than --mem-mb {limit}"
        for key, need in needs.items()
        if need > limit
    }
    largest = max((need for key, need in needs.items() if key not in too_large), default=1.0)
    return max(1, min(jobs, int(limit // largest))), too_large


def jobs_in_queue(tasks: Sequence[Task], resources: Resources) -> tuple[int, int]:
    """How many jobs a batch system is asked for, and the memory of each.

    Parameters
    ----------
    tasks : sequence of Task
        Those that fit, see `jobs_within`.
    resources : Resources

    Returns
    -------
    int
        Jobs.
    int
        MB of each.
    """
    largest = max(map(needed_mb, tasks), default=BASE_MB)
    memory = round(JOB_FACTOR * largest + JOB_EXTRA_MB)
    limit = resources.memory_mb
    jobs = resources.n_jobs if limit is None else min(resources.n_jobs, limit // memory)
    return max(1, jobs), memory


def needed_mb(task: Task) -> float:
    """Peak memory of a process that works on a session, MB.

    Parameters
    ----------
    task : Task
    """
    voxels = sorted((_voxels(image.source) for image in task.images), reverse=True)
    if not voxels:
        return BASE_MB
    peak = BYTES_PER_VOXEL * voxels[0] + BYTES_PER_COMPANION * sum(voxels[1:])
    return BASE_MB + peak / 1e6


def _voxels(path: Path) -> float:
    """Voxels of an image by its header; none where it cannot be read, which will be said later."""
    try:
        image = nib.load(path)
    except (OSError, ValueError, EOFError, HeaderDataError, ImageFileError):
        return 0.0
    return float(np.prod(image.shape)) if isinstance(image, SpatialImage) else 0.0
