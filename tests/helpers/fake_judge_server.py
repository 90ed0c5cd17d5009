"""A server on loopback that speaks as much of OpenAI's protocol as a judge needs."""

import contextlib
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class FakeJudge:
    """What the server does and what it saw."""

    reply: Callable[[str], str] = lambda text: "70"  # the user's message → the judge's
    failures: list[int | None] = field(default_factory=list)  # statuses that come first
    refuse: Callable[[str], int | None] = lambda text: None  # a status for what is never answered
    complain: Callable[[dict], str | None] = lambda body: None  # of a request; it is refused then
    message: dict | None = None  # what stands beside role in place of every reply
    pieces: int = 1  # in which a body is sent, with a pause between them
    body: str | None = None  # is sent in place of every reply
    body_type: str = "application/json"
    models: tuple[str, ...] = ("tiny-judge",)
    asked: list[dict] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    url: str = ""
    busy: int = 0
    most_busy: int = 0
    pause: float = 0.0
    lock: threading.Lock = field(default_factory=threading.Lock)


@contextlib.contextmanager
def serve(judge: FakeJudge) -> Iterator[FakeJudge]:
    """Serve while this holds; ``judge.url`` is the address."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *arguments):
            pass

        def do_GET(self):
            data = [{"id": name, "object": "model", "created": 0} for name in judge.models]
            self.answer(200, {"object": "list", "data": data})

        def do_POST(self):
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            with judge.lock:
                judge.asked.append(body)
                judge.keys.append(self.headers.get("Authorization", ""))
                judge.busy += 1
                judge.most_busy = max(judge.most_busy, judge.busy)
                failure = judge.failures.pop(0) if judge.failures else None
                failure = failure or judge.refuse(body["messages"][-1]["content"])
            threading.Event().wait(judge.pause)
            with judge.lock:
                judge.busy -= 1
            if failure is not None:
                self.answer(failure, {"error": {"message": f"failure {failure}", "type": "test"}})
            elif complaint := judge.complain(body):
                self.answer(400, {"error": {"message": complaint, "type": "test"}})
            elif judge.body is not None:
                self.send(200, judge.body, judge.body_type)
            elif body["model"] not in judge.models:
                self.answer(404, {"error": {"message": "no such model", "type": "test"}})
            else:
                message = {
                    "role": "assistant",
                    "content": judge.reply(body["messages"][-1]["content"]),
                }
                if judge.message is not None:
                    message = {"role": "assistant"} | judge.message
                choice = {"index": 0, "message": message, "finish_reason": "stop"}
                self.answer(
                    200,
                    {
                        "id": "x",
                        "object": "chat.completion",
                        "created": 0,
                        "model": body["model"],
                        "choices": [choice],
                    },
                )

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
                size = -(-len(content) // judge.pieces) or 1
                for start in range(0, len(content), size):
                    self.wfile.write(content[start : start + size])
                    if judge.pieces > 1:
                        threading.Event().wait(judge.pause)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    judge.url = f"http://127.0.0.1:{server.server_port}/v1"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield judge
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
