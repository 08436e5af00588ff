"""Who may talk to the review app: one browser on this computer, from the app's own pages.

Pages of others run in the same browser. They can send requests to this computer, but they do not
know the token, and cannot forge ``Host`` and ``Origin``.
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import parse_qs

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

HOST = "127.0.0.1"
COOKIE = "faceblind-review"
MOST_BYTES = 1 << 16
"""Of a request's body; a comment has some thousand."""
POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        # The viewer turns its font, which it holds as data, into a picture.
        "img-src 'self' data: blob:",
        "connect-src 'self' data:",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
SAFE: Headers = [
    (b"content-security-policy", POLICY.encode()),
    (b"cache-control", b"no-store"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), microphone=(), geolocation=()"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
]


def new_token() -> str:
    """256 random bits, as text."""
    return secrets.token_urlsafe(32)


class Guard:
    """Refuses every request that is not from the app's own pages, and labels every answer.

    Parameters
    ----------
    app : callable
        ASGI application.
    token : str
        Opens the app: once as ``/?token=...``, then as a cookie.
    """

    def __init__(self, app: App, token: str) -> None:
        self._app, self._token = app, token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request or refuse it."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})
            return

        async def labelled(message: Message) -> None:
            if message["type"] == "http.response.start":
                names = {name for name, _ in SAFE}
                kept = [(k, v) for k, v in message.get("headers", []) if k.lower() not in names]
                message = {**message, "headers": [*kept, *SAFE]}
            await send(message)

        problem = self._problem(scope)
        if problem:
            await _answer(labelled, *problem)
        elif (given := _token_of_query(scope)) is not None:
            await self._open(scope, labelled, given)
        elif not self._is_open(scope):
            await _answer(labelled, 403, "open the address that 'faceblind review' printed")
        else:
            await self._app(scope, receive, labelled)

    def _problem(self, scope: Scope) -> tuple[int, str] | None:
        """Status and words for a request that no page of the app sends."""
        port = scope["server"][1]
        hosts = {f"{name}:{port}" for name in (HOST, "localhost")}
        given = _all(scope, b"host")
        if len(given) != 1 or given[0] not in hosts:
            return 400, "wrong host"
        origins = _all(scope, b"origin")
        if any(origin != f"http://{given[0]}" for origin in origins):
            return 403, "wrong origin"
        sites = _all(scope, b"sec-fetch-site")
        if any(site not in ("same-origin", "none") for site in sites):
            return 403, "wrong origin"
        raw = scope.get("raw_path") or scope["path"].encode()
        if b".." in raw or b"\\" in raw or b"%" in raw or b"//" in raw:
            return 404, "no such page"
        if scope["method"] == "GET":
            return None
        if scope["method"] != "POST":
            return 405, "not allowed"
        if len(origins) != 1:
            return 403, "wrong origin"
        if _all(scope, b"content-type") != ["application/json"]:
            return 415, "expected JSON"
        lengths = _all(scope, b"content-length")
        if len(lengths) != 1 or not lengths[0].isdecimal() or int(lengths[0]) > MOST_BYTES:
            return 413, "too long"
        return None

    def _cookie(self, scope: Scope) -> str:
        # Cookies do not tell ports apart: two reviews must not close each other.
        return f"{COOKIE}-{scope['server'][1]}"

    def _is_open(self, scope: Scope) -> bool:
        wanted = self._cookie(scope)
        for line in _all(scope, b"cookie"):
            for part in line.split(";"):
                name, _, value = part.strip().partition("=")
                if name == wanted and secrets.compare_digest(value.encode(), self._token.encode()):
                    return True
        return False

    async def _open(self, scope: Scope, send: Send, given: str) -> None:
        """Exchange the token in the address for a cookie that no script can read."""
        if not secrets.compare_digest(given.encode(), self._token.encode()):
            await _answer(send, 403, "wrong token")
            return
        cookie = f"{self._cookie(scope)}={self._token}; Path=/; HttpOnly; SameSite=Strict"
        headers = [(b"location", b"/"), (b"set-cookie", cookie.encode())]
        await _answer(send, 303, "", headers)


def _all(scope: Scope, name: bytes) -> list[str]:
    return [value.decode("latin-1") for key, value in scope["headers"] if key.lower() == name]


def _token_of_query(scope: Scope) -> str | None:
    if scope["path"] != "/" or scope["method"] != "GET":
        return None
    found = parse_qs(scope.get("query_string", b"").decode("latin-1")).get("token")
    return found[0] if found else None


async def _answer(send: Send, status: int, text: str, headers: Headers | None = None) -> None:
    body = text.encode()
    kind = (b"content-type", b"text/plain; charset=utf-8")
    length = (b"content-length", str(len(body)).encode())
    await send(
        {
            "type": "http.response.start",
            "status": status,
            "headers": [kind, length, *(headers or [])],
        }
    )
    await send({"type": "http.response.body", "body": body})
