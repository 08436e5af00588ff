"""The review app: pages, what they show, and what they send back."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from faceblind._version import __version__
from faceblind.errors import FaceblindError, why
from faceblind.review.agreement import agreements, table
from faceblind.review.decisions import FAULTS, LONGEST_COMMENT
from faceblind.review.prepare import FILES, Pictures
from faceblind.review.redo import OPTIONS
from faceblind.review.security import App, Guard
from faceblind.review.session import ChangedError, Review
from faceblind.system.tables import plain

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

NIIVUE = "niivue-0.69.0.umd.js"
PAGES = {
    "index.html": "text/html",
    "sheets.html": "text/html",
    "review.css": "text/css",
    "api.js": "text/javascript",
    "review.js": "text/javascript",
    "views.js": "text/javascript",
    "stage.js": "text/javascript",
    "viewer.js": "text/javascript",
    "sheets.js": "text/javascript",
    NIIVUE: "text/javascript",
}
"""All that is served from the package, by name."""
_JSON = "application/json"
_KINDS = {"json": _JSON, "png": "image/png"}


def make_app(review: Review, pictures: Pictures, token: str) -> App:
    """The app, guarded.

    Parameters
    ----------
    review : Review
    pictures : Pictures
    token : str
        See `faceblind.review.security.Guard`.
    """
    from starlette.applications import Starlette
    from starlette.routing import Route

    handlers = _Handlers(review, pictures)
    routes = [
        Route("/", handlers.index),
        Route("/sheets", handlers.sheets),
        Route("/pages/{name}", handlers.page),
        Route("/api/review", handlers.review),
        Route("/api/agreement", handlers.agreement),
        Route("/api/decisions.tsv", handlers.decisions),
        Route("/api/scans/{number:int}", handlers.scan),
        Route("/api/scans/{number:int}/{name}", handlers.picture),
        Route("/api/scans/{number:int}/decision", handlers.decide, methods=["POST"]),
    ]
    return Guard(Starlette(routes=routes), token)


class _Handlers:
    def __init__(self, review: Review, pictures: Pictures) -> None:
        self._review, self._pictures = review, pictures

    async def index(self, _: Request) -> Response:
        return _page("index.html")

    async def sheets(self, _: Request) -> Response:
        return _page("sheets.html")

    async def page(self, request: Request) -> Response:
        return _page(request.path_params["name"])

    async def review(self, _: Request) -> Response:
        def content() -> dict[str, Any]:
            review = self._review
            return {
                "version": __version__,
                "rater": review.rater.name,
                "round": review.rater.round,
                "moves": review.tree.moves,
                "faults": FAULTS,
                "options": OPTIONS,
                "longest_comment": LONGEST_COMMENT,
                "scans": review.queue(),
            }

        return await _json(content)

    async def agreement(self, _: Request) -> Response:
        return await _json(lambda: agreements(self._review.decisions.current()))

    async def decisions(self, _: Request) -> Response:
        def made() -> Response:
            text = table(self._review.decisions.current())
            name = 'attachment; filename="decisions.tsv"'
            kind = "text/tab-separated-values; charset=utf-8"
            return _response(text.encode(), kind, headers={"content-disposition": name})

        return await _guarded(made)

    async def scan(self, request: Request) -> Response:
        return await _json(lambda: self._review.entry(request.path_params["number"]))

    async def picture(self, request: Request) -> Response:
        number, name = request.path_params["number"], request.path_params["name"]
        if name not in FILES:
            return _refused("no such picture", 404)

        def found() -> Response:
            path = self._pictures.get(number, self._review.source(number), name)
            kind = _KINDS.get(name.rpartition(".")[2], "application/octet-stream")
            return _response(path.read_bytes(), kind)

        return await _guarded(found)

    async def decide(self, request: Request) -> Response:
        try:
            content = json.loads(await request.body())
            choice, comment = content["choice"], content.get("comment", "")
            faults, settings = content.get("faults", []), content.get("settings", {})
            seen = content.get("seen")
        except (ValueError, KeyError, TypeError, AttributeError):
            return _refused("expected an object with a choice", 400)
        right = isinstance(choice, str) and isinstance(comment, str) and isinstance(faults, list)
        if not right or not isinstance(settings, dict) or not isinstance(seen, str | None):
            return _refused("expected texts, a list and an object", 400)
        if not all(isinstance(fault, str) for fault in faults):
            return _refused("faults: expected texts", 400)
        number = request.path_params["number"]
        return await _json(
            lambda: self._review.decide(number, choice, faults, comment, settings, seen)  # type: ignore[arg-type]
        )


def _page(name: str) -> Response:
    if name not in PAGES:
        return _refused("no such page", 404)
    content = (files("faceblind") / "review" / "pages" / name).read_bytes()
    return _response(content, f"{PAGES[name]}; charset=utf-8")


async def _json(content: Callable[[], Any]) -> Response:
    def made() -> Response:
        text = json.dumps(plain(content()), allow_nan=False)
        return _response(text.encode(), _JSON)

    return await _guarded(made)


async def _guarded(made: Callable[[], Response]) -> Response:
    """An answer made in a thread; what went wrong as one line without paths."""
    try:
        return await asyncio.to_thread(made)
    except ChangedError as error:
        return _refused(why(error), 412)
    except FaceblindError as error:
        return _refused(why(error).rpartition(": ")[2], 409)
    except OSError as error:
        return _refused(f"a file cannot be read or written ({error.strerror})", 409)
    except Exception as error:  # noqa: BLE001 - a review must survive one scan
        return _refused(why(error), 500)


def _refused(text: str, status: int) -> Response:
    return _response(json.dumps({"error": text}).encode(), _JSON, status)


def _response(
    content: bytes, kind: str, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    # Only who reviews needs the server.
    from starlette.responses import Response

    return Response(content, status, headers, kind)
