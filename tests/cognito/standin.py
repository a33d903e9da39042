"""A pool that says what a test tells it to, over real HTTP on loopback."""

import json
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qsl


@dataclass(frozen=True)
class Reply:
    body: bytes
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Request:
    operation: str  # the API's name, or the path of a GET
    body: dict[str, Any]
    headers: dict[str, str]
    raw: bytes = b""


def reply(document: Any, status: int = 200) -> Reply:
    return Reply(json.dumps(document).encode(), status)


def error(name: str, message: str = "", status: int = 400) -> Reply:
    return reply({"__type": name, "message": message}, status)


def challenge(name: str, session: str = "s" * 40, **more: Any) -> Reply:
    return reply({"ChallengeName": name, "Session": session, "ChallengeParameters": {}} | more)


HANG = Reply(b"")
HANG_UP = Reply(b"")


class StandIn:
    """Answers are used up in order; the last one stays."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self._answers: dict[str, deque[Reply | Callable[[Request], Reply]]] = {}
        self._released = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def says(self, operation: str, *replies: Reply | Callable[[Request], Reply]) -> Self:
        self._answers[operation] = deque(replies)
        return self

    def operations(self) -> list[str]:
        return [request.operation for request in self.requests]

    def reset(self) -> None:
        """Forget a test: the same address for all of them, so that clients are built once."""
        self._released.set()
        self._released = threading.Event()
        self.requests = []
        self._answers = {}

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *args: object) -> None:
        self._released.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _next(self, request: Request) -> Reply:
        self.requests.append(request)
        waiting = self._answers.get(request.operation) or deque([error("NotPlanned")])
        answer = waiting.popleft() if len(waiting) > 1 else waiting[0]
        return answer(request) if callable(answer) else answer

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        pool = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                operation = self.headers.get("X-Amz-Target", "").rpartition(".")[2]
                # SNS is spoken to by forms.
                read = json.loads(body) if operation else dict(parse_qsl(body.decode()))
                self._answer(Request(operation or str(read.get("Action", "")), read, dict(self.headers), body))

            def do_GET(self) -> None:
                self._answer(Request(self.path, {}, dict(self.headers)))

            def _answer(self, request: Request) -> None:
                released = pool._released
                answer = pool._next(request)
                if answer is HANG:
                    released.wait(30)
                if answer is HANG or answer is HANG_UP:
                    self.close_connection = True
                    return
                self.send_response(answer.status)
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(answer.body)))
                self.end_headers()
                self.wfile.write(answer.body)

            def log_message(self, *args: Any) -> None:
                pass

        return Handler
