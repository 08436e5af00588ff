"""Parts of pages that are made at build time: options of the commands, results of the benchmarks.

A page names the part in a comment, such as ``<!-- generated: commands -->``; what `PARTS` gives for
that name takes the comment's place before the page is parsed. Nothing is written into the sources.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from command_pages import commands
from evidence_pages import evidence

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment

PARTS: dict[str, Callable[[], str]] = {"commands": commands, "evidence": evidence}
MARK = re.compile(r"^<!-- generated: ([a-z-]+) -->$", re.MULTILINE)


def fill(app: Sphinx, docname: str, source: list[str]) -> None:  # noqa: ARG001
    """Put the generated parts into a page that names them."""
    source[0] = MARK.sub(lambda mark: PARTS[mark[1]](), source[0])


def always(app: Sphinx, env: BuildEnvironment, *_: Any) -> list[str]:  # noqa: ARG001
    """Pages with generated parts are read anew in every build: they follow other files."""
    return [name for name in env.found_docs if MARK.search(env.doc2path(name).read_text("utf-8"))]


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx."""
    app.connect("source-read", fill)
    app.connect("env-get-outdated", always)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
