"""What is there to deploy with, judged by the tools that will read it."""

import datetime as dt
import json
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from ..services import missing, package

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples" / "deploy"
COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text())
UNITS = sorted(EXAMPLES.glob("*.service"))


def test_compose_is_as_its_specification_says() -> None:
    # compose-spec.json is schema/compose-spec.json of the project compose-spec (Apache-2.0).
    schema = json.loads((Path(__file__).parent / "compose-spec.json").read_text())
    package("jsonschema").Draft7Validator(schema).validate(COMPOSE)


def test_compose_refers_to_what_it_has() -> None:
    services = COMPOSE["services"]
    assert set(services) == {"web", "worker", "beat", "migrate", "cognito", "db", "redis", "mail"}
    for service in services.values():
        assert set(service.get("depends_on", {})) <= set(services)
        named = {volume.partition(":")[0] for volume in service.get("volumes", ())}
        assert named <= set(COMPOSE["volumes"])


@pytest.mark.parametrize("name", sorted(set(COMPOSE["services"]) - {"migrate"}))
def test_every_service_is_started_again(name: str) -> None:
    assert COMPOSE["services"][name]["restart"] == "unless-stopped"


def test_only_this_machine_reaches_it() -> None:
    ports = [port for service in COMPOSE["services"].values() for port in service.get("ports", ())]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_the_image_is_made_of_files_that_exist() -> None:
    lines = [line.split() for line in (ROOT / "Dockerfile").read_text().splitlines()]
    copied = [words[1] for words in lines if words[:1] == ["COPY"]]
    assert copied
    assert [path for path in copied if not (ROOT / path).exists()] == []


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_systemd_understands_a_unit(unit: Path, tmp_path: Path) -> None:
    analyze = shutil.which("systemd-analyze")
    if not analyze:
        pytest.skip("there is no systemd-analyze")
    # It looks for the programs.
    text = unit.read_text().replace("/srv/mysite", str(tmp_path)).replace("User=mysite\n", "")
    for name in ("gunicorn", "celery"):
        program = tmp_path / ".venv" / "bin" / name
        program.parent.mkdir(parents=True, exist_ok=True)
        program.write_text("#!/bin/sh\n")
        program.chmod(0o755)
    (tmp_path / unit.name).write_text(text)
    done = subprocess.run(
        [analyze, "verify", "--man=no", str(tmp_path / unit.name)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    # What it says of other units of this machine is not ours.
    assert (done.returncode, [line for line in done.stderr.splitlines() if unit.name in line]) == (0, []), done.stderr


def test_a_unit_is_started_again_for_ever() -> None:
    assert [unit.name for unit in UNITS] == ["mysite-beat.service", "mysite-web.service", "mysite-worker.service"]
    for unit in UNITS:
        assert {"Restart=always", "StartLimitIntervalSec=0"} <= set(unit.read_text().splitlines())


def test_nginx_understands_its_snippet(tmp_path: Path) -> None:
    nginx = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")
    if not nginx:
        missing("there is no nginx")
    certificate(tmp_path)
    snippet = (EXAMPLES / "nginx.conf").read_text().replace("/etc/ssl/mysite", str(tmp_path))
    (tmp_path / "site.conf").write_text(
        snippet.replace("listen 80;", "listen 127.0.0.1:8081;").replace("listen 443", "listen 8444")
    )
    whole = f"pid {tmp_path}/pid; events {{}} http {{ access_log off; include {tmp_path}/site.conf; }}"
    (tmp_path / "nginx.conf").write_text(whole)
    done = subprocess.run(
        [nginx, "-t", "-e", str(tmp_path / "errors"), "-c", str(tmp_path / "nginx.conf")],
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert done.returncode == 0, done.stderr
    assert "warn" not in done.stderr


def certificate(folder: Path) -> None:
    """One that signs itself, for a day."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "www.example.com")])
    now = dt.datetime.now(dt.UTC)
    made = x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + dt.timedelta(days=1))
    signed = made.sign(key, hashes.SHA256())
    (folder / "fullchain.pem").write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    (folder / "privkey.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
