"""A server on loopback that continues prompts, as much of OpenAI's protocol as a teacher needs."""

import contextlib
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class FakeTeacher:
    """What the server does and what it saw."""

    reply: Callable[[str], str] = lambda prompt: " Name a bird."
    finish: str = "stop"
    usage: dict | None = field(
        default_factory=lambda: {"prompt_tokens": 10, "completion_tokens": 6}
    )
    failures: list[int] = field(default_factory=list)  # statuses that come first
    complain: Callable[[dict], str | None] = lambda body: None  # of a request; it is refused then
    body: str | None = None  # is sent in place of every reply
    pause: float = 0.0
    asked: list[dict] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    url: str = ""
    busy: int = 0
    most_busy: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)


@contextlib.contextmanager
def serve_teacher(teacher: FakeTeacher) -> Iterator[FakeTeacher]:
    """Serve while this holds; ``teacher.url`` is the address."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *arguments):
            pass

        def do_GET(self):
            self.answer(200, {"object": "list", "data": [{"id": "large", "object": "model"}]})

        def do_POST(self):
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            with teacher.lock:
                teacher.asked.append(body)
                teacher.paths.append(self.path)
                teacher.keys.append(self.headers.get("Authorization", ""))
                teacher.busy += 1
                teacher.most_busy = max(teacher.most_busy, teacher.busy)
                failure = teacher.failures.pop(0) if teacher.failures else None
            threading.Event().wait(teacher.pause)
            with teacher.lock:
                teacher.busy -= 1
            if failure is not None:
                self.answer(failure, {"error": {"message": f"failure {failure}"}})
            elif complaint := teacher.complain(body):
                self.answer(400, {"error": {"message": complaint}})
            elif teacher.body is not None:
                self.send(200, teacher.body)
            else:
                chat = "messages" in body
                prompt = body["messages"][0]["content"] if chat else body["prompt"]
                text = teacher.reply(prompt)
                wrote = {"message": {"content": text}} if chat else {"text": text}
                choice = {**wrote, "finish_reason": teacher.finish}
                self.answer(200, {"choices": [choice] * body.get("n", 1), "usage": teacher.usage})

        def answer(self, status, value):
            self.send(status, json.dumps(value))

        def send(self, status, text):
            content = text.encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            if status in (429, 500, 503):
                self.send_header("retry-after-ms", "10")  # tests need not wait for a backoff
            self.end_headers()
            with contextlib.suppress(OSError):  # the client may have given up
                self.wfile.write(content)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    teacher.url = f"http://127.0.0.1:{server.server_port}/v1"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield teacher
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
