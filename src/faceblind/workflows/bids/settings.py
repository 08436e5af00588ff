"""How a dataset is protected, and the digest that tells one way from another."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal

from faceblind.datasets.bids_filters import Wanted
from faceblind.workflows.protect_settings import Method, ProtectionSettings

Layout = Literal["derivative", "publish"]
Steps = Literal["both", "protect", "audit"]


@dataclass(frozen=True)
class BidsSettings:
    """How a dataset is protected.

    Parameters
    ----------
    method : {"deface", "reface"}
    layout : {"derivative", "publish"}
        A derivative holds protected scans under new names; a dataset to be published is a raw one
        with the names of the original and all its other files.
    everything : bool
        Protect functional, diffusion, perfusion and field map images, too.
    force : bool
        Also protect what its sidecar calls protected already, if it shows a face.
    drop_extensions : bool
        Leave header extensions out; they may hold names.
    also : tuple of str
        Further folders of which texts and tables are copied, such as ``"code"``.
    steps : {"both", "protect", "audit"}
        Protect now and audit later, or only audit and publish what was protected.
    wanted : Wanted
        Which participants, sessions and series.
    validate : bool
        Refuse a folder that has no ``dataset_description.json``.
    """

    method: Method = "deface"
    layout: Layout = "derivative"
    everything: bool = False
    force: bool = False
    drop_extensions: bool = False
    also: tuple[str, ...] = ()
    steps: Steps = "both"
    wanted: Wanted = field(default_factory=Wanted)
    validate: bool = True

    @property
    def protection(self) -> ProtectionSettings:
        """How each scan is protected."""
        return ProtectionSettings(
            method=self.method, force=self.force, drop_extensions=self.drop_extensions
        )

    def digest(self) -> str:
        """What decides the bytes of an output, as hexadecimal text."""
        protection = asdict(self.protection)
        # What was refused without it is tried again anyhow; all else stays the same.
        del protection["force"]
        decides = {
            "layout": self.layout,
            "everything": self.everything,
            "protection": protection,
        }
        return hashlib.sha256(json.dumps(decides, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True)
class Resources:
    """What a run may use.

    Parameters
    ----------
    n_jobs : int
        Processes; -1 for all processors.
    threads : int or None
        Threads of each process; by default the processors are shared out.
    memory_mb : int or None
        All processes together.
    work : Path or None
        Folder for what is under way; by default in the private folder of the output.
    stop_at_first : bool
        End the run at the first failure.
    show_progress : bool
    scheduler : str or None
        Address or file of a Dask scheduler whose workers are to do the work.
    queue : {"slurm", "pbs"} or None
        Batch system whose jobs are to do the work, as many as `n_jobs`.
    queue_options : tuple of str
        Lines for the head of the job script.
    """

    n_jobs: int = -1
    threads: int | None = None
    memory_mb: int | None = None
    work: Path | None = None
    stop_at_first: bool = False
    show_progress: bool = True
    scheduler: str | None = None
    queue: Literal["slurm", "pbs"] | None = None
    queue_options: tuple[str, ...] = ()
