"""Start a review: the folders, the server, and the address to open."""

from __future__ import annotations

import asyncio
import importlib.util
import logging
from collections.abc import Callable
from pathlib import Path

from faceblind.errors import FaceblindError, OutputError, ScanError
from faceblind.review.agreement import COLUMNS, table_rows
from faceblind.review.decisions import NAME, Decisions
from faceblind.review.scans import find_protected
from faceblind.review.security import HOST, new_token
from faceblind.review.session import Rater, Review
from faceblind.system.claims import claim
from faceblind.system.outputs import PRIVATE, prepare_output, private_dir
from faceblind.system.tables import write_tsv
from faceblind.workflows.withdrawal import ReviewedTree, is_own, tree_of

logger = logging.getLogger(__name__)

VERB = "review"
LONGEST_NAME = 80
MISSING = (
    "the review app needs Starlette and uvicorn; install them with: pip install 'faceblind[review]'"
)


def find_tree(
    protected: Path, originals: Path | None, out: Path | None, *, moves: bool | None
) -> ReviewedTree:
    """Where a review keeps its notes, and whether scans move.

    Parameters
    ----------
    protected : Path
    originals : Path or None
    out : Path or None
        Folder for the notes; by default in the private folder of a faceblind output, and beside
        the folder of any other tool.
    moves : bool or None
        See `faceblind.workflows.withdrawal.tree_of`.

    Raises
    ------
    FaceblindError
        If a folder cannot be used.
    """
    root = protected.expanduser().resolve()
    if not root.is_dir():
        raise ScanError(f"{protected}: not a folder; give the folder of protected scans")
    if originals is not None and not originals.exists():
        raise ScanError(f"{originals}: no such folder; check the path")
    if originals is not None and originals.expanduser().resolve() == root:
        raise ScanError(f"{originals}: is the protected folder itself; give the originals")
    notes = None
    if out is not None and is_own(root):
        # A run into this folder looks there for what was rejected.
        raise OutputError(f"{out}: decisions on this output lie in it; leave --out out")
    if not is_own(root):
        place = out or root.with_name(f"{root.name}-review")
        inputs = [root, *([originals] if originals is not None else [])]
        notes = prepare_output(place, VERB, inputs) / PRIVATE
    return tree_of(root, notes, moves=moves)


def write_export(tree: ReviewedTree, path: Path) -> None:
    """Write what was decided so far as a table.

    Parameters
    ----------
    tree : ReviewedTree
    path : Path
        A new file; an earlier table is replaced.

    Raises
    ------
    OutputError
        If nothing was decided, or the table cannot be written.
    """
    if not (tree.notes / NAME).is_file():
        raise OutputError(f"{tree.root}: holds no decisions yet; review it first")
    with Decisions(tree.notes) as decisions:
        rows = table_rows(decisions.current())
    write_tsv(path, rows, COLUMNS)


def rater_name(text: str) -> str:
    """A name that fits on one line.

    Raises
    ------
    FaceblindError
        If it is empty or too long, or holds control characters.
    """
    name = text.strip()
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise FaceblindError(f"rater: expected a name of at most {LONGEST_NAME} characters")
    return name


def serve(
    tree: ReviewedTree,
    originals: Path | None,
    audit: Path | None,
    rater: Rater,
    port: int,
    say: Callable[[str], None],
) -> None:
    """Serve the app on this computer until it is interrupted.

    Parameters
    ----------
    tree : ReviewedTree
    originals, audit : Path or None
        See `faceblind.review.scans.find_protected`.
    rater : Rater
    port : int
        0 takes any that is free.
    say : callable
        Is given the address.

    Raises
    ------
    FaceblindError
        If the app cannot be started.
    """
    if any(importlib.util.find_spec(name) is None for name in ("starlette", "uvicorn")):
        raise FaceblindError(MISSING)
    from faceblind.review.prepare import Pictures
    from faceblind.review.server import make_app

    private_dir(tree.notes)
    # Two at once would undo each other's moves.
    with claim(tree.notes / "running") as held:
        if not held:
            raise OutputError(f"{tree.notes}: another review of this folder is running; end it")
        scans = find_protected(tree, originals, audit)
        with Decisions(tree.notes) as decisions:
            review = Review(tree, scans, decisions, rater)
            pictures = Pictures(tree.notes / "cache")
            token = new_token()

            def started(bound: int) -> None:
                say(f"http://{HOST}:{bound}/?token={token}")
                # Afterwards: two processes that import would keep the address back.
                pictures.warm()

            try:
                _run(make_app(review, pictures, token), port, started)
            finally:
                pictures.close()
                review.close()


def _run(app: object, port: int, started: Callable[[int], None]) -> None:
    import uvicorn

    config = uvicorn.Config(
        app,  # type: ignore[arg-type]
        host=HOST,
        port=port,
        # What went wrong is said in the page; an end while it waits is no fault.
        log_level="critical",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        ws="none",
        lifespan="off",
        timeout_graceful_shutdown=2,
    )
    server = uvicorn.Server(config)

    async def main() -> None:
        running = asyncio.create_task(server.serve())
        while not server.started and not running.done():
            await asyncio.sleep(0.01)
        if server.started:
            started(server.servers[0].sockets[0].getsockname()[1])
        await running

    try:
        asyncio.run(main())
    except SystemExit as error:
        raise OutputError(
            f"port {port}: cannot be used; choose another or leave --port out"
        ) from error
    except KeyboardInterrupt:
        logger.info("The review has ended; all decisions are kept.")
