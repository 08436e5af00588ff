"""The list of commands, by what a user wants to do, and examples."""

from __future__ import annotations

from typing import Any

from typer.core import TyperGroup

TASKS = {
    "Measure how recognisable people are": ("study", "link", "compare", "benchmark"),
    "Protect scans": ("deface", "reface", "bids", "status"),
    "Prove that the face is gone": ("audit", "review"),
    "Try it, and look": ("volunteers", "reconstruct", "doctor"),
}
"""Commands by task, in the order of the help."""

EXAMPLES = {
    "study": "faceblind study scans photos.tsv results",
    "link": "faceblind link flair t1w results",
    "compare": "faceblind compare study-before study-after --out results",
    "benchmark": "faceblind benchmark league -n 24",
    "deface": "faceblind deface raw defaced",
    "reface": "faceblind reface sub-01_T1w.nii.gz sub-01_refaced_T1w.nii.gz",
    "bids": "faceblind bids raw out participant --layout publish",
    "status": "faceblind status out",
    "audit": "faceblind audit defaced --originals raw --out results",
    "review": "faceblind review defaced --originals raw",
    "reconstruct": "faceblind reconstruct sub-01_T1w.nii.gz face",
    "volunteers": "faceblind volunteers people -n 24 --seed 1",
    "doctor": "faceblind doctor",
}
"""One line of each command, as a user would type it."""


def example(command: str) -> str:
    """The last paragraph of a command's help."""
    return f"Example: {EXAMPLES[command]}"


class TaskGroup(TyperGroup):
    """Lists commands by task, each with an example."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write a section for each task.

        Parameters
        ----------
        ctx : click Context
        formatter : click HelpFormatter
        """
        width = max(map(len, self.commands))
        for task, names in TASKS.items():
            with formatter.section(task):
                for name in names:
                    command = self.get_command(ctx, name)
                    assert command is not None
                    short = command.get_short_help_str(formatter.width - width - 4)
                    # click's own lists would wrap an example into the sentence before it.
                    formatter.write(f"  {name:{width}}  {short}\n")
                    formatter.write(f"  {'':{width}}  $ {EXAMPLES[name]}\n")
