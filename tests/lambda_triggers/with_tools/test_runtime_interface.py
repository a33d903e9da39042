"""The zip under Lambda's own runtime interface client, with a small Runtime API on loopback.

Uses every Python of ``LAMBDA_PYTHONS`` (paths, separated by colons) that has `awslambdaric`, or this one.
"""

import json
import os
import subprocess
import sys
import threading
import zipfile
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from cognito_passwordless.lambda_triggers.deploy import packaging
from tests.services import missing

from ..rounds import ENVIRONMENT
from ..standin import provider
from ..test_handlers import EVENTS, NOWHERE

PYTHONS = os.environ.get("LAMBDA_PYTHONS", sys.executable).split(":")


class RuntimeApi(ThreadingHTTPServer):
    """Gives one event to whoever asks for the next, and keeps the answer."""

    def __init__(self, event: dict[str, Any]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.event = json.dumps(event).encode()
        self.given = False
        self.answered = threading.Event()
        self.path, self.answer = "", b""


class _Handler(BaseHTTPRequestHandler):
    server: RuntimeApi
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if self.server.given:
            # A runtime waits here for its next event until it is stopped.
            self.server.answered.wait(30)
            return
        self.server.given = True
        self.send_response(200)
        for name, value in {
            "Lambda-Runtime-Aws-Request-Id": "request-1",
            "Lambda-Runtime-Deadline-Ms": "99999999999999",
            "Lambda-Runtime-Invoked-Function-Arn": "arn:aws:lambda:eu-west-1:123456789012:function:f",
            "Lambda-Runtime-Trace-Id": "Root=1",
            "Content-Type": "application/json",
            "Content-Length": str(len(self.server.event)),
        }.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(self.server.event)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if not self.headers.get("Content-Length"):
            body = self._chunks()
        self.server.path, self.server.answer = self.path, body
        self.send_response(202)
        self.send_header("Content-Length", "0")
        self.end_headers()
        self.server.answered.set()

    def _chunks(self) -> bytes:
        body = b""
        while size := int(self.rfile.readline().strip() or b"0", 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    archive, _ = packaging.build(tmp_path_factory.mktemp("build"))
    target = tmp_path_factory.mktemp("task")
    zipfile.ZipFile(archive).extractall(target)
    return target


@pytest.fixture(params=PYTHONS)
def python(request: pytest.FixtureRequest) -> str:
    has = subprocess.run([request.param, "-c", "import awslambdaric"], capture_output=True, check=False)
    if has.returncode:
        missing(f"awslambdaric is not installed for {request.param}")
    found: str = request.param
    return found


def invoke(python: str, task: Path, trigger: str, event: dict[str, Any], **environment: str) -> tuple[str, Any, str]:
    api = RuntimeApi(event)
    thread = threading.Thread(target=api.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    process = subprocess.Popen(
        [python, "-m", "awslambdaric", f"cognito_passwordless.lambda_triggers.{trigger}.handler"],
        cwd=task,
        env={
            "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{api.server_port}",
            "AWS_LAMBDA_FUNCTION_NAME": "f",
            "AWS_LAMBDA_FUNCTION_VERSION": "1",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
            "LAMBDA_TASK_ROOT": str(task),
            "PATH": os.environ["PATH"],
            **environment,
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        assert api.answered.wait(30), process.poll()
    finally:
        process.kill()
        output, _ = process.communicate()
        api.shutdown()
        api.server_close()
    return api.path, json.loads(api.answer), output


def test_every_trigger_answers_from_the_zip(python: str, unpacked: Path) -> None:
    """A process each, as in the cloud; all at once."""
    everything = {
        **ENVIRONMENT,
        "AWS_REGION": "eu-west-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_ENDPOINT_URL": NOWHERE,
        "DJANGO_URL": NOWHERE,
        "DJANGO_HMAC_KEY": "key",
    }
    with ThreadPoolExecutor(4) as pool:
        running = {
            trigger: pool.submit(invoke, python, unpacked, trigger, asked(), **everything)
            for trigger, asked in EVENTS.items()
        }
        found = {trigger: future.result() for trigger, future in running.items()}
    assert len(found) == 13
    # With Django and the senders away, these three have to refuse; no import fails, whatever is asked.
    refused = {trigger for trigger, (path, _, _) in found.items() if path.endswith("/error")}
    assert refused == {"user_migration", "custom_email_sender", "custom_sms_sender"}
    for trigger in refused:
        sentence = "This is not possible at the moment. Please try again later."
        assert found[trigger][1]["errorMessage"] == sentence


def test_a_code_is_sent_from_the_zip(python: str, unpacked: Path) -> None:
    with provider() as sns:
        sns.body = b"<PublishResponse/>"
        aws = {
            "AWS_REGION": "eu-west-1",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_ENDPOINT_URL": sns.url,
        }
        asked = EVENTS["create_auth_challenge"]()
        path, answer, output = invoke(python, unpacked, "create_auth_challenge", asked, **ENVIRONMENT, **aws)
        assert path.endswith("/request-1/response")
        assert answer["response"]["publicChallengeParameters"]["message"] == "code_sent"
        assert sns.form["PhoneNumber"] == "+4915100000123"
    line = next(json.loads(row) for row in output.splitlines() if row.startswith("{"))
    assert (line["requestId"], line["outcome"]) == ("request-1", "code_sent")


def test_a_refusal_is_one_fixed_sentence(python: str, unpacked: Path) -> None:
    asked = EVENTS["pre_sign_up"]()
    path, answer, _ = invoke(python, unpacked, "pre_sign_up", asked, EMAIL_DOMAINS_ALLOWED="example.org")
    assert path.endswith("/request-1/error")
    assert answer["errorMessage"] == "This is not allowed."
