"""Small heads before and after protection, and requests without a network."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np

from faceblind.review.decisions import Decisions
from faceblind.review.prepare import Pictures
from faceblind.review.scans import find_protected
from faceblind.review.session import Rater, Review
from faceblind.system.outputs import MARKER, PRIVATE
from faceblind.workflows.withdrawal import ReviewedTree, tree_of

TOKEN = "the-token-of-these-tests"
FACE = (slice(None), slice(75, None), slice(0, 50))
"""Voxels that the stand-in for a protection empties."""


def head(seed: int = 0) -> np.ndarray:
    """A ball with a nose and a brighter brain in it, voxels of 2.5 mm, uint8."""
    x, y, z = np.mgrid[0:80, 0:100, 0:96].astype(float)
    ball = ((x - 40) / 30) ** 2 + ((y - 50) / 38) ** 2 + ((z - 48) / 38) ** 2 < 1
    brain = ((x - 40) / 22) ** 2 + ((y - 45) / 28) ** 2 + ((z - 58) / 22) ** 2 < 1
    nose = (np.hypot(x - 40, z - 40) < 6) & (y > 60) & (y < 95)
    noise = np.random.default_rng(seed).integers(0, 6, x.shape)
    return (100 * (ball | nose) + 80 * brain + noise).astype(np.uint8)


def write(path: Path, voxels: np.ndarray) -> None:
    """A scan with the head in the middle of the world, anterior towards +y."""
    path.parent.mkdir(parents=True, exist_ok=True)
    affine = np.diag([2.5, 2.5, 2.5, 1.0])
    affine[:3, 3] = -1.25 * np.array(voxels.shape)
    nib.save(nib.Nifti1Image(voxels, affine), path)


@dataclass
class Folders:
    """A folder of originals and one of protected scans.

    Parameters
    ----------
    originals, protected : Path
    """

    originals: Path
    protected: Path

    @property
    def tree(self) -> ReviewedTree:
        return tree_of(self.protected, None)

    def review(self, rater: str = "anna", turn: int = 1) -> Review:
        """A review as `faceblind.review.serve.serve` sets it up."""
        scans = find_protected(self.tree, self.originals)
        return Review(self.tree, scans, Decisions(self.tree.notes), Rater(rater, turn))


def make_folders(root: Path, count: int = 3) -> Folders:
    folders = Folders(root / "raw", root / "out")
    for number in range(1, count + 1):
        inside = f"sub-{number:02}/anat/sub-{number:02}_T1w.nii.gz"
        voxels = head(number)
        write(folders.originals / inside, voxels)
        voxels[FACE] = np.random.default_rng(99).integers(0, 6, voxels[FACE].shape)
        write(folders.protected / inside, voxels)
        beside = (folders.protected / inside).with_name(f"sub-{number:02}_T1w.json")
        beside.write_text(json.dumps({"EchoTime": 0.003}))
    (folders.protected / MARKER).write_text('{"tool": "faceblind", "verb": "deface"}')
    verdicts = [
        verdict("sub-01", "pass", 0.01),
        verdict("sub-02", "fail", 0.9, ["the nose remains"], {"nose": {"share": 0.8}}),
        verdict("sub-03", "unsure", 0.2),
    ]
    audit = folders.protected / PRIVATE / "report" / PRIVATE / "audit.json"
    audit.parent.mkdir(parents=True)
    audit.write_text(json.dumps(verdicts[:count]))
    return folders


def verdict(person: str, status: str, score: float, reasons=(), regions=None) -> dict[str, Any]:
    return {
        "path": f"{person}/anat/{person}_T1w.nii.gz", "status": status, "score": score,
        "reasons": list(reasons), "regions": regions or {},
    }  # fmt: skip


@dataclass
class Answer:
    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes

    def header(self, name: str) -> str | None:
        found = [v.decode() for k, v in self.headers if k == name.lower().encode()]
        assert len(found) < 2
        return found[0] if found else None

    @property
    def json(self) -> Any:
        return json.loads(self.body)


PORT = 8123
GOOD = {"host": f"127.0.0.1:{PORT}", "cookie": f"faceblind-review-{PORT}={TOKEN}"}
POSTING = {
    **GOOD, "origin": f"http://127.0.0.1:{PORT}", "content-type": "application/json",
}  # fmt: skip


def ask(
    app: Any,
    path: str,
    method: str = "GET",
    headers: dict[str, str] | list[tuple[str, str]] | None = None,
    body: bytes = b"",
    kind: str = "http",
) -> Answer:
    """One request to an ASGI application, without any network."""
    given = list((GOOD if headers is None else headers).items()) if not isinstance(
        headers, list
    ) else headers  # fmt: skip
    if method == "POST" and "content-length" not in dict(given):
        given.append(("content-length", str(len(body))))
    raw, _, query = path.partition("?")
    scope = {
        "type": kind, "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method,
        "path": raw, "raw_path": raw.encode(), "query_string": query.encode(), "scheme": "http",
        "root_path": "", "server": ("127.0.0.1", PORT), "client": ("127.0.0.1", 1),
        "headers": [(k.lower().encode("latin-1"), v.encode("latin-1")) for k, v in given],
    }  # fmt: skip
    answer = Answer(0, [], b"")

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            answer.status, answer.headers = message["status"], list(message["headers"])
        elif message["type"] == "http.response.body":
            answer.body += message.get("body", b"")
        else:
            answer.status = message["code"]

    # In a thread of its own: the browser of other tests keeps a loop in this one.
    with ThreadPoolExecutor(1) as pool:
        pool.submit(asyncio.run, app(scope, receive, send)).result()
    return answer


class Served:
    """A review that a thread serves at an address of this machine.

    Parameters
    ----------
    folders : Folders
    rater : str
    """

    def __init__(self, folders: Folders, rater: str = "anna") -> None:
        import uvicorn

        from faceblind.review.server import make_app

        self.review = folders.review(rater)
        self.pictures = Pictures(folders.tree.notes / "cache", 1)
        app = make_app(self.review, self.pictures, TOKEN)
        config = uvicorn.Config(app, "127.0.0.1", 0, log_level="error", ws="none", lifespan="off")
        self.server = uvicorn.Server(config)
        self.thread = threading.Thread(target=self.server.run, daemon=True)
        self.thread.start()
        until = time.monotonic() + 20
        while not self.server.started and time.monotonic() < until:
            time.sleep(0.02)
        port = self.server.servers[0].sockets[0].getsockname()[1]
        self.address = f"http://127.0.0.1:{port}/?token={TOKEN}"

    def stop(self) -> None:
        """End it; all that was decided stays."""
        self.server.should_exit = True
        self.thread.join(20)
        self.pictures.close()
        self.review.close()
        self.review.decisions.close()
