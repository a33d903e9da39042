"""Cold starts of the triggers, each in a fresh process, all in one run: `python -m benchmarks.lambda_cold_start`.

Define and Verify are held against what any code trigger imports (`json, hmac, hashlib, secrets`), Create with its
first SMS against the same call by boto3 and, where node finds `@aws-sdk/client-sns` (``NODE_PATH``), by the AWS SDK
for JavaScript. A stand-in on loopback takes the SMS. Rounds are interleaved, so that a busy machine is busy for all.
"""

import os
import shutil
import statistics
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

ROOT = Path(__file__).parents[1]
ROUNDS = 20
TRIGGERS = "cognito_passwordless.lambda_triggers"
EVENT = (
    "{'triggerSource': 'CreateAuthChallenge_Authentication', 'userPoolId': 'p', 'userName': 'u', 'request': "
    "{'session': [], 'challengeName': 'CUSTOM_CHALLENGE', 'userAttributes': {'phone_number': '+4915100000123'}}}"
)
PYTHON = {
    "bare imports": "import json, hmac, hashlib, secrets",
    "define": f"import {TRIGGERS}.define_auth_challenge",
    "verify": f"import {TRIGGERS}.verify_auth_challenge_response",
    "create + SMS": f"from {TRIGGERS}.create_auth_challenge import handler; "
    f"assert handler({EVENT}, None)['response']['publicChallengeParameters']['message'] == 'code_sent'",
    "boto3 + SMS": "import boto3; boto3.client('sns').publish(PhoneNumber='+4915100000123', Message='123456')",
}
NODE = (
    "const {SNSClient, PublishCommand} = require('@aws-sdk/client-sns');"
    "new SNSClient({endpoint: process.env.AWS_ENDPOINT_URL})"
    ".send(new PublishCommand({PhoneNumber: '+4915100000123', Message: '123456'}))"
)
WARM = f"""
import time, contextlib, io
from {TRIGGERS} import create_auth_challenge as c, define_auth_challenge as d
from {TRIGGERS} import verify_auth_challenge_response as v
first = c.handler({EVENT}, None)['response']
row = {{'challengeName': 'CUSTOM_CHALLENGE', 'challengeResult': False}}
row['challengeMetadata'] = first['challengeMetadata']
base = {EVENT}
again = {{**base, 'request': {{**base['request'], 'session': [row]}}}}
answer = {{**base, 'request': {{'privateChallengeParameters': first['privateChallengeParameters'],
    'challengeAnswer': '000000'}}}}
calls = (('define', d.handler, again), ('create', c.handler, again), ('verify', v.handler, answer))
for name, handler, event in calls:
    spent = []
    for _ in range(2000):
        began = time.process_time_ns()
        with contextlib.redirect_stdout(io.StringIO()):
            handler(event, None)
        spent.append(time.process_time_ns() - began)
    print(name, sorted(spent)[1000] / 1000)
"""


class _Sns(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        body = (
            b'<PublishResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><PublishResult>'
            b"<MessageId>1</MessageId></PublishResult><ResponseMetadata><RequestId>1</RequestId>"
            b"</ResponseMetadata></PublishResponse>"
        )
        self.send_response(200)
        self.send_header("Content-Type", "text/xml")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


def milliseconds(command: list[str], environment: dict[str, str]) -> float:
    began = time.perf_counter()
    subprocess.run(
        command, check=True, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    return (time.perf_counter() - began) * 1000


def main() -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Sns)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    environment = {
        **os.environ,
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{server.server_port}",
        "AWS_REGION": "eu-west-1",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_EC2_METADATA_DISABLED": "true",
        "OTP_SECRET": "a secret of the benchmark",
    }
    commands = {name: [sys.executable, "-c", code] for name, code in PYTHON.items()}
    node = shutil.which("node")
    if node and os.environ.get("NODE_PATH"):
        commands["node + SMS"] = [node, "-e", NODE]
    taken: dict[str, list[float]] = {name: [] for name in commands}
    for command in commands.values():
        milliseconds(command, environment)  # byte code and file caches
    for _ in range(ROUNDS):
        for name, command in commands.items():
            taken[name].append(milliseconds(command, environment))
    median = {name: statistics.median(values) for name, values in taken.items()}
    for name, value in median.items():
        print(f"{name:14} {value:7.1f} ms  (least {min(taken[name]):.1f})")
    bare, boto = median["bare imports"], median["boto3 + SMS"]
    print(
        f"define {median['define'] / bare:.2f} and verify {median['verify'] / bare:.2f} of bare imports (at most 1.5)"
    )
    print(f"create {median['create + SMS'] / boto:.2f} of boto3 (at most 0.3)")
    warm = subprocess.run([sys.executable, "-c", WARM], check=True, cwd=ROOT, env=environment, capture_output=True)
    for row in warm.stdout.decode().splitlines():
        if not row.startswith("{"):
            print(f"warm {row} microseconds of CPU (at most 100)")


if __name__ == "__main__":
    main()
