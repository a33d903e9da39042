"""The ports of a local Cognito: one, and one more for each replica."""

from __future__ import annotations

import ipaddress
import logging
import socket
import threading
from collections.abc import Callable, Iterable
from contextvars import ContextVar
from typing import Any

from moto.moto_server.werkzeug_app import MotoRequestHandler
from werkzeug.serving import BaseWSGIServer, make_server

logger = logging.getLogger(__name__)
# The port that the request of this thread came to; each of werkzeug's threads answers one.
_port: ContextVar[int] = ContextVar("port", default=0)


class _Handler(MotoRequestHandler):  # type: ignore[misc]  # moto is untyped
    # One connection per request, so that no open one outlives `stop`.
    protocol_version = "HTTP/1.0"

    def log_request(self, code: object = "-", size: object = "-") -> None:
        # Without the query, which may hold a state or a code.
        logger.debug("%s %s %s", self.command, self.path.partition("?")[0], code)


class Listeners:
    """Servers on one host, each in a thread of its own. Raises ValueError for a host that is not loopback."""

    def __init__(self, host: str, port: int) -> None:
        self._host = _loopback(host)
        self._ports = [port]
        self._socket: socket.socket | None = None
        self._servers: list[tuple[BaseWSGIServer, threading.Thread]] = []

    def __bool__(self) -> bool:
        return bool(self._servers)

    def listen(self, port: int | None = None) -> None:
        """Take a port, by default the first one. Raises OSError if it is taken."""
        family = socket.AF_INET6 if ":" in self._host else socket.AF_INET
        wanted = self._ports[0] if port is None else port
        self._socket = socket.create_server((self._host, wanted), family=family)
        taken = self._socket.getsockname()[1]
        self._ports = [taken] if port is None else [*self._ports, taken]

    def serve(self, application: Callable[[Any, Any], Iterable[bytes]]) -> str:
        """Serve at the port that was taken last, and return its address."""
        port, listener = self._ports[-1], self._socket
        if listener is None:
            raise RuntimeError("listen first")

        def at_this_port(environ: Any, start_response: Any) -> Iterable[bytes]:
            _port.set(port)
            return application(environ, start_response)

        with listener:
            # werkzeug ends the whole process when it cannot bind, so it gets a bound socket.
            handler, number = _Handler, listener.fileno()
            server = make_server(self._host, port, at_this_port, threaded=True, request_handler=handler, fd=number)
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), name="local-cognito", daemon=True)
        thread.start()
        self._servers.append((server, thread))
        return self._at(port)

    def stop(self) -> None:
        while self._servers:
            server, thread = self._servers.pop()
            server.shutdown()
            thread.join()

    @property
    def url(self) -> str:
        return self._at(self._ports[0])

    @property
    def here(self) -> str:
        """The address that the request came to; outside a request, `url`."""
        return self._at(_port.get() or self._ports[0])

    def _at(self, port: int) -> str:
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"http://{host}:{port}"


def _loopback(host: str) -> str:
    address = "127.0.0.1" if host == "localhost" else host
    try:
        loopback = ipaddress.ip_address(address).is_loopback
    except ValueError:
        loopback = False
    if not loopback:
        raise ValueError(f"{host} is not loopback: the local Cognito has no authentication")
    return address
