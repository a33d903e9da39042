"""Signing in with a real broker, worker, mail server and SNS."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from .. import services
from ..http_browser import OTP, Browser
from .stage import Stage, Worker, code_in, eventually, stage


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    try:
        services.redis_binary()
    except services.Unavailable as error:
        services.missing(str(error))
    directory: Path = tmp_path_factory.mktemp("celery")
    with stage(directory) as made:
        yield made


@pytest.fixture(scope="module")
def worker(running: Stage) -> Worker:
    started = running.worker()
    started.wait_until_ready()
    return started


def test_an_email_sign_in_from_end_to_end(running: Stage, worker: Worker) -> None:
    browser = Browser(running.site.port)
    browser.start("ann@example.com")
    (text,) = eventually(lambda: running.emails("ann@example.com"), "the e-mail")
    assert browser.post(OTP, code=code_in(text)).signed_in
    delivery = "SELECT status, copies, tries FROM cognito_passwordless_delivery WHERE channel = 'email'"
    assert running.site.database.rows(delivery) == [("sent", 1, 1)]
    assert code_in(text) not in worker.log + running.site_log()


def test_an_sms_sign_in_from_end_to_end(running: Stage, worker: Worker) -> None:
    number = "+4915112345678"
    browser = Browser(running.site.port)
    browser.start("0151 12345678")
    (text,) = eventually(lambda: running.sms(number), "the SMS")
    assert text.splitlines()[-1] == f"@www.example.com #{code_in(text)}"
    reply = browser.post(OTP, code=text)
    assert reply.signed_in, running.site_log() + reply.body
    ((message_id,),) = running.site.database.rows(
        "SELECT provider_message_id FROM cognito_passwordless_delivery WHERE channel = 'sms'"
    )
    assert message_id


def test_the_command_finds_a_worker_that_fits(running: Stage, worker: Worker) -> None:
    done = running.command("cognito_workers", "--timeout", "3")
    assert done.returncode == 0, done.stderr
    assert "same key, listens on celery, cognito_email, cognito_sms" in done.stdout


def test_the_command_finds_a_site_with_another_key(running: Stage, worker: Worker) -> None:
    done = running.command("cognito_workers", "--timeout", "3", SECRET_KEY="k" * 50)
    assert done.returncode == 1
    assert "has another SECRET_KEY" in done.stderr
