"""Providers on loopback: one that answers as told, and one that never does."""

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs


class Provider(ThreadingHTTPServer):
    """Answers every POST with ``status`` and ``body``, and keeps what it was asked."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.status, self.body = 200, b"{}"
        self.delay = 0.0
        self.asked: list[tuple[str, dict[str, str], bytes]] = []
        # Goes over ``body`` for one operation of the AWS JSON protocol.
        self.by_operation: dict[str, bytes] = {}

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    @property
    def operations(self) -> "list[tuple[str, dict[str, Any]]]":
        """Every call of the AWS JSON protocol: its name, and what it said."""
        return [
            (headers["X-Amz-Target"].rpartition(".")[2], json.loads(body))
            for _, headers, body in self.asked
            if "X-Amz-Target" in headers
        ]

    @property
    def form(self) -> dict[str, str]:
        """The newest body, as a form."""
        return {name: values[0] for name, values in parse_qs(self.asked[-1][2].decode()).items()}


class _Handler(BaseHTTPRequestHandler):
    server: Provider

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        time.sleep(self.server.delay)
        self.server.asked.append((self.path, dict(self.headers), body))
        operation = self.headers.get("X-Amz-Target", "").rpartition(".")[2]
        answer = self.server.by_operation.get(operation, self.server.body)
        self.send_response(self.server.status)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def provider() -> Iterator[Provider]:
    with Provider() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@contextmanager
def hanging(*, dripping: bool = False) -> Iterator[str]:
    """The address of a server that takes connections and says nothing, or a byte now and then."""
    listener = socket.create_server(("127.0.0.1", 0))
    stop, open_sockets = threading.Event(), []

    def serve() -> None:
        while not stop.is_set():
            try:
                client, _ = listener.accept()
            except OSError:
                return
            open_sockets.append(client)
            if dripping:
                threading.Thread(target=drip, args=(client,), daemon=True).start()

    def drip(client: socket.socket) -> None:
        try:
            for byte in b"HTTP/1.1 200 OK\r\nX-Slow: " + b"x" * 1000:
                if stop.is_set():
                    return
                client.sendall(bytes([byte]))
                time.sleep(0.2)
        except OSError:
            return

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        stop.set()
        # Closing a listener does not wake who waits in `accept`; a last visitor does.
        with socket.create_connection(listener.getsockname()):
            thread.join(2)
        listener.close()
        for client in open_sockets:
            client.close()
