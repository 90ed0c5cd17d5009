"""A server on loopback that speaks as much of OpenAI's protocol as the course's clients need."""

import contextlib
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TypeVar

import pytest


@dataclass
class FakeServer:
    """What the server does and what it saw; ``completion`` is a subclass's."""

    models: tuple[str, ...] = ("large",)
    failures: list[int | None] = field(default_factory=list)  # statuses that come first
    complain: Callable[[dict], str | None] = lambda body: None  # of a request; it is refused then
    body: str | None = None  # is sent in place of every reply
    body_type: str = "application/json"
    pieces: int = 1  # in which a body is sent, with a pause between them
    pause: float = 0.0
    asked: list[dict] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    url: str = ""
    busy: int = 0
    most_busy: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def failure(self, body: dict) -> int | None:
        """The status with which this request fails, if it does."""
        return self.failures.pop(0) if self.failures else None

    def completion(self, body: dict) -> dict:
        """What answers a request that does not fail."""
        raise NotImplementedError


def forget_servers(monkeypatch: pytest.MonkeyPatch) -> None:
    """What this machine's variables say of a judge, a teacher or a proxy is no test's business."""
    for name in ("JUDGE_MODEL", "JUDGE_URL", "JUDGE_KEY", "TEACHER_URL", "TEACHER_KEY"):
        monkeypatch.delenv(f"LESSONS_LIB_{name}", raising=False)
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)


Server = TypeVar("Server", bound=FakeServer)


@contextlib.contextmanager
def serve(fake: Server) -> Iterator[Server]:
    """Serve while this holds; ``fake.url`` is the address."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *arguments):
            pass

        def do_GET(self):
            data = [{"id": name, "object": "model", "created": 0} for name in fake.models]
            self.answer(200, {"object": "list", "data": data})

        def do_POST(self):
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            with fake.lock:
                fake.asked.append(body)
                fake.paths.append(self.path)
                fake.keys.append(self.headers.get("Authorization", ""))
                fake.busy += 1
                fake.most_busy = max(fake.most_busy, fake.busy)
                failure = fake.failure(body)
            threading.Event().wait(fake.pause)
            with fake.lock:
                fake.busy -= 1
            if failure is not None:
                self.refuse(failure, f"failure {failure}")
            elif complaint := fake.complain(body):
                self.refuse(400, complaint)
            elif fake.body is not None:
                self.send(200, fake.body, fake.body_type)
            elif body["model"] not in fake.models:
                self.refuse(404, "no such model")
            else:
                self.answer(200, fake.completion(body))

        def refuse(self, status, message):
            self.answer(status, {"error": {"message": message, "type": "test"}})

        def answer(self, status, value):
            self.send(status, json.dumps(value), "application/json")

        def send(self, status, text, content_type):
            content = text.encode()
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(content)))
            if status in (429, 500, 503):
                self.send_header("retry-after-ms", "10")  # tests need not wait for a backoff
            self.end_headers()
            with contextlib.suppress(OSError):  # the client may have given up
                size = -(-len(content) // fake.pieces) or 1
                for start in range(0, len(content), size):
                    self.wfile.write(content[start : start + size])
                    if fake.pieces > 1:
                        threading.Event().wait(fake.pause)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    fake.url = f"http://127.0.0.1:{server.server_port}/v1"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield fake
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
