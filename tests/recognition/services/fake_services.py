"""Local servers that implement what Azure Face and CompreFace document, as far as it is used.

A picture is the text ``face:NAME`` and shows that face, or anything else and shows none. Two
faces of one name are alike by 0.9, others by 0.2 and less.
"""

from __future__ import annotations

import base64
import json
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

KEY = "secret-key-of-the-test"
FACE = "/face/v1.2-preview.1"


def likeness(a: str, b: str) -> float:
    return 0.9 if a == b else 0.2 - 0.01 * (sum(map(ord, b)) % 7)


def face_of(picture: bytes) -> str | None:
    return picture[5:].decode() if picture.startswith(b"face:") else None


class Fake:
    """State and log of one server; `troubles` are answered first, one for each request.

    A trouble is (method and part of the path, status, headers, body).
    """

    key_header = ""

    def __init__(self) -> None:
        self.log: list[tuple[str, str, bytes]] = []
        self.troubles: list[tuple[str, int, dict[str, str], Any]] = []
        self.endpoint = ""

    def asked(self, words: str) -> list[tuple[str, str, bytes]]:
        return [one for one in self.log if words in f"{one[0]} {one[1]}"]

    def answer(self, method: str, path: str, body: bytes, key: str) -> tuple[int, dict, Any]:
        self.log.append((method, path, body))
        for trouble in self.troubles:
            if trouble[0] in f"{method} {path}":
                self.troubles.remove(trouble)
                return trouble[1:]
        if key != KEY:
            return 401, {}, {"error": {"code": "401", "message": "Access denied."}}
        parts = urlsplit(path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        return self.route(method, unquote(parts.path).strip("/").split("/"), query, body)

    def route(self, method: str, words: list[str], query: dict[str, str], body: bytes) -> Any:
        raise NotImplementedError


class FakeAzure(Fake):
    key_header = "Ocp-Apim-Subscription-Key"

    def __init__(self) -> None:
        super().__init__()
        self.groups: dict[str, dict[str, Any]] = {}
        self.faces: dict[str, str] = {}
        self.polls = 1

    def route(self, method: str, words: list[str], query: dict[str, str], body: bytes) -> Any:
        assert words[:2] == ["face", "v1.2-preview.1"], words
        match (method, *words[2:]):
            case ("POST", "detect"):
                assert query["recognitionModel"] == "recognition_04"
                assert int(query["faceIdTimeToLive"]) >= 60
                who = face_of(body)
                if who is None:
                    return 200, {}, []
                face = str(uuid.uuid4())
                self.faces[face] = who
                box = {"top": 1, "left": 1, "width": 9, "height": 9}
                return 200, {}, [{"faceId": face, "faceRectangle": box}]
            case ("PUT", "largepersongroups", group):
                assert json.loads(body)["recognitionModel"] == "recognition_04"
                self.groups[group] = {"people": {}, "trained": 0}
                return 200, {}, None
            case ("DELETE", "largepersongroups", group):
                if self.groups.pop(group, None) is None:
                    return 404, {}, _error("LargePersonGroupNotFound")
                return 200, {}, None
            case ("POST", "largepersongroups", group, "persons"):
                person = str(uuid.uuid4())
                self.groups[group]["people"][person] = []
                return 200, {}, {"personId": person}
            case ("POST", "largepersongroups", group, "persons", person, "persistedfaces"):
                who = face_of(body)
                if who is None:
                    return 400, {}, _error("InvalidImage", "No face detected in the image.")
                self.groups[group]["people"][person].append(who)
                return 200, {}, {"persistedFaceId": str(uuid.uuid4())}
            case ("POST", "largepersongroups", group, "train"):
                self.groups[group]["trained"] = 1
                return 202, {"operation-location": f"{self.endpoint}/x"}, None
            case ("GET", "largepersongroups", group, "training"):
                self.polls -= 1
                status = "running" if self.polls >= 0 else "succeeded"
                when = "2026-01-01T00:00:00Z"
                return 200, {}, {
                    "status": status, "createdDateTime": when, "lastActionDateTime": when,
                    "lastSuccessfulTrainingDateTime": when,
                }  # fmt: skip
            case ("POST", "identify"):
                return self.identify(json.loads(body))
        raise AssertionError(f"not documented: {method} {words}")

    def identify(self, wanted: dict[str, Any]) -> Any:
        group = self.groups[wanted["largePersonGroupId"]]
        assert group["trained"]
        assert 1 <= len(wanted["faceIds"]) <= 10
        assert 1 <= wanted["maxNumOfCandidatesReturned"] <= 100
        found = []
        for face in wanted["faceIds"]:
            scores = {
                person: max(likeness(self.faces[face], who) for who in faces)
                for person, faces in group["people"].items() if faces
            }  # fmt: skip
            best = sorted(scores, key=lambda person: -scores[person])
            kept = [p for p in best if scores[p] >= wanted["confidenceThreshold"]]
            kept = kept[: wanted["maxNumOfCandidatesReturned"]]
            found.append({
                "faceId": face,
                "candidates": [{"personId": p, "confidence": scores[p]} for p in kept],
            })  # fmt: skip
        return 200, {}, found


class FakeCompreFace(Fake):
    key_header = "x-api-key"

    def __init__(self) -> None:
        super().__init__()
        self.subjects: dict[str, list[str]] = {}

    def route(self, method: str, words: list[str], query: dict[str, str], body: bytes) -> Any:
        assert words[:3] == ["api", "v1", "recognition"], words
        content = json.loads(body) if body else {}
        who = face_of(base64.b64decode(content.get("file", "")))
        no_face = 400, {}, {"message": "No face is found in the given image", "code": 28}
        match (method, *words[3:]):
            case ("GET", "subjects"):
                return 200, {}, {"subjects": list(self.subjects)}
            case ("POST", "subjects"):
                self.subjects[content["subject"]] = []
                return 201, {}, {"subject": content["subject"]}
            case ("DELETE", "subjects", subject):
                del self.subjects[subject]
                return 200, {}, {"subject": subject}
            case ("POST", "faces"):
                if who is None:
                    return no_face
                self.subjects[query["subject"]].append(who)
                return 201, {}, {"image_id": str(uuid.uuid4()), "subject": query["subject"]}
            case ("POST", "recognize"):
                if who is None:
                    return no_face
                scores = {
                    name: max(likeness(who, one) for one in faces)
                    for name, faces in self.subjects.items() if faces
                }  # fmt: skip
                best = sorted(scores, key=lambda name: -scores[name])
                best = best[: int(query["prediction_count"])]
                named = [{"subject": name, "similarity": scores[name]} for name in best]
                plugins = {"detector": "facenet.FaceDetector", "calculator": "facenet.Calculator"}
                result = [{"box": {"probability": 1.0}, "subjects": named}]
                return 200, {}, {"result": result, "plugins_versions": plugins}
        raise AssertionError(f"not documented: {method} {words}")


def _error(code: str, message: str = "") -> dict[str, Any]:
    return {"error": {"code": code, "message": message}}


@contextmanager
def serving(fake: Fake) -> Iterator[Fake]:
    """The fake at ``fake.endpoint`` while the block runs."""

    class Handler(BaseHTTPRequestHandler):
        def handle_any(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            key = self.headers.get(fake.key_header, "")
            status, headers, content = fake.answer(self.command, self.path, body, key)
            data = b"" if content is None else json.dumps(content).encode()
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = do_PUT = do_DELETE = handle_any  # noqa: N815

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    fake.endpoint = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield fake
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
