"""Nobody but the app's own pages, in the browser that was given the address, gets an answer."""

from __future__ import annotations

import pytest
from review_parts import GOOD, PORT, POSTING, TOKEN, ask

from faceblind.review.security import COOKIE, MOST_BYTES, POLICY, Guard, new_token


async def secret(scope, receive, send):
    await send(
        {"type": "http.response.start", "status": 200, "headers": [(b"Cache-Control", b"x")]}
    )
    await send({"type": "http.response.body", "body": b"secret"})


GUARDED = Guard(secret, TOKEN)


def test_the_right_browser_gets_in():
    answer = ask(GUARDED, "/")
    assert (answer.status, answer.body) == (200, b"secret")
    assert ask(GUARDED, "/", headers={**GOOD, "host": f"localhost:{PORT}"}).status == 200
    assert ask(GUARDED, "/", "POST", POSTING).status == 200


def test_every_answer_carries_the_policy():
    for answer in (ask(GUARDED, "/"), ask(GUARDED, "/", headers={"host": "evil"})):
        assert answer.header("content-security-policy") == POLICY
        assert answer.header("cache-control") == "no-store"
        assert answer.header("x-content-type-options") == "nosniff"
        assert answer.header("cross-origin-resource-policy") == "same-origin"
    assert "unsafe" not in POLICY
    assert "http" not in POLICY
    assert "default-src 'none'" in POLICY


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"cookie": ""}, 403),
        ({"cookie": f"{COOKIE}-{PORT}=wrong"}, 403),
        ({"cookie": f"{COOKIE}-{PORT}={TOKEN}x"}, 403),
        ({"cookie": f"{COOKIE}-{PORT + 1}={TOKEN}"}, 403),
        ({"cookie": f"{COOKIE}-{PORT}=é"}, 403),
        ({"host": "attacker.example"}, 400),
        ({"host": f"attacker.example:{PORT}"}, 400),
        ({"host": "127.0.0.1:1"}, 400),
        ({"host": "127.0.0.1"}, 400),
        ({"host": f"127.0.0.1:{PORT}@attacker.example"}, 400),
        ({"origin": "http://attacker.example"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": f"https://127.0.0.1:{PORT}"}, 403),
        ({"origin": f"http://localhost:{PORT}"}, 403),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-site"}, 403),
    ],
)
def test_a_foreign_request_is_refused(change, status):
    answer = ask(GUARDED, "/api/review", headers={**GOOD, **change})
    assert answer.status == status
    assert b"secret" not in answer.body


def test_a_request_names_one_host():
    headers = [*GOOD.items(), ("host", "attacker.example")]
    assert ask(GUARDED, "/", headers=headers).status == 400
    assert ask(GUARDED, "/", headers={"cookie": GOOD["cookie"]}).status == 400


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"origin": None}, 403),
        ({"content-type": "text/plain"}, 415),
        ({"content-type": "application/x-www-form-urlencoded"}, 415),
        ({"content-type": None}, 415),
        ({"content-length": str(MOST_BYTES + 1)}, 413),
        ({"content-length": "-1"}, 413),
        ({"cookie": None}, 403),
    ],
)
def test_what_a_form_of_another_page_can_post_is_refused(change, status):
    headers = {k: v for k, v in {**POSTING, **change}.items() if v is not None}
    answer = ask(GUARDED, "/api/scans/0/decision", "POST", headers, b"{}")
    assert answer.status == status
    assert b"secret" not in answer.body


@pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS", "PATCH", "HEAD", "TRACE"])
def test_other_methods_are_refused(method):
    assert ask(GUARDED, "/", method).status == 405


@pytest.mark.parametrize(
    "path",
    [
        "/../etc/passwd", "/pages/../../decisions.sqlite", "/pages/..", "/pages/%2e%2e/x",
        "/pages/..%2fx", "/pages/a\\b", "//etc/passwd", "/api/scans/0/..%5c",
    ],
)  # fmt: skip
def test_paths_that_lead_elsewhere_are_refused(path):
    assert ask(GUARDED, path).status == 404


def test_the_address_opens_once_for_a_cookie_that_no_script_reads():
    headers = {"host": GOOD["host"]}
    answer = ask(GUARDED, f"/?token={TOKEN}", headers=headers)
    assert (answer.status, answer.header("location")) == (303, "/")
    cookie = answer.header("set-cookie")
    assert cookie == f"{COOKIE}-{PORT}={TOKEN}; Path=/; HttpOnly; SameSite=Strict"
    assert ask(GUARDED, "/", headers={**headers, "cookie": cookie.split(";")[0]}).status == 200
    for wrong in ("x", TOKEN[:-1], ""):
        answer = ask(GUARDED, f"/?token={wrong}", headers=headers)
        assert answer.status == 403
        assert answer.header("set-cookie") is None
    assert ask(GUARDED, f"/api/review?token={TOKEN}", headers=headers).status == 403


def test_sockets_are_closed():
    assert ask(GUARDED, "/", kind="websocket").status == 1008


def test_tokens_are_long_and_never_the_same():
    assert len({new_token() for _ in range(100)}) == 100
    assert len(new_token()) >= 43
