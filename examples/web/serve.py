"""The example in one command: `python serve.py`. Codes are written to the console.

Installs what the page needs from npm, starts a local Cognito with our triggers, builds the page, and serves it.
"""

import argparse
import json
import os
import secrets
import subprocess
import sys
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1]))  # from a checkout, without installing

from cognito_passwordless.local import LocalCognito, LocalPool, Message  # noqa: E402
from cognito_passwordless.local.own_triggers import attach  # noqa: E402


class Page(SimpleHTTPRequestHandler):
    """index.html, the bundle, and where the Cognito is."""

    config = b"{}"
    bundle = HERE / "dist" / "main.js"

    def do_GET(self) -> None:
        if self.path == "/config.json":
            self.answer(self.config, "application/json")
        elif self.path == "/main.js":
            self.answer(self.bundle.read_bytes(), "text/javascript")
        elif self.path == "/":
            self.answer((HERE / "index.html").read_bytes(), "text/html; charset=utf-8")
        else:
            self.send_error(404)

    def answer(self, body: bytes, kind: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


def build(output: Path = Page.bundle, modules: Path = HERE / "node_modules") -> None:
    """Bundles the page. Raises `CalledProcessError` when esbuild says no."""
    program = modules / ".bin" / "esbuild"
    command = [program, "main.js", "--bundle", "--format=esm", "--log-level=error", f"--outfile={output}"]
    subprocess.run(command, cwd=HERE, check=True, env={**os.environ, "NODE_PATH": str(modules)})


def install() -> None:
    """What the page needs, once. Raises `CalledProcessError` when npm says no."""
    if not (HERE / "node_modules").is_dir():
        subprocess.run(["npm", "install", "--no-audit", "--no-fund"], cwd=HERE, check=True)


def example_pool(cognito: LocalCognito) -> LocalPool:
    pool = cognito.create_pool("example", client_secret=False)
    attach(cognito, pool, {"OTP_SECRET": secrets.token_hex(), "OTP_CHANNEL": "email", "OTP_APP_NAME": "Example"})
    return pool


def site(cognito: LocalCognito, pool: LocalPool, port: int, bundle: Path = Page.bundle) -> ThreadingHTTPServer:
    config = {"url": cognito.url, "user_pool_id": pool.id, "client_id": pool.client_id}
    handler = type("Configured", (Page,), {"config": json.dumps(config).encode(), "bundle": bundle})
    return ThreadingHTTPServer(("127.0.0.1", port), partial(handler))


def announce(message: Message) -> None:
    print(f"{message.medium} to {message.destination}: {message.code}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8100)
    options = parser.parse_args()
    install()
    build()
    with LocalCognito() as cognito:
        cognito.messages.listen(announce)
        server = site(cognito, example_pool(cognito), options.port)
        print(f"http://127.0.0.1:{server.server_port}/", flush=True)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            server.server_close()


if __name__ == "__main__":
    main()
