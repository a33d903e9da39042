"""A signal is heard wherever the waiting thread is at that moment."""

import os
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from cognito_passwordless import interruption
from cognito_passwordless.interruption import Interruption, until_interrupted

WATCHED = {Path(interruption.__file__).name, Path(threading.__file__).name}


@pytest.mark.parametrize("line", range(12))
def test_a_signal_at_any_line_of_wait_is_heard(line: int) -> None:
    stop = Interruption()
    passed = 0

    def at_each_line(frame: FrameType, what: str, _: Any) -> Any:
        nonlocal passed
        if Path(frame.f_code.co_filename).name not in WATCHED:
            return None
        if what == "line":
            passed += 1
            if passed == line + 1:
                sys.settrace(None)
                stop.set()
        return at_each_line

    def wait() -> None:
        sys.settrace(at_each_line)
        stop.wait(0.1)
        sys.settrace(None)
        stop.set()  # where `wait` has fewer lines

    waiting = threading.Thread(target=wait, daemon=True)
    waiting.start()
    waiting.join(30)
    assert not waiting.is_alive()
    assert stop.is_set()


def test_every_thread_that_waits_hears_it() -> None:
    stop = Interruption()
    heard: list[bool] = []
    threads = [threading.Thread(target=lambda: heard.append(stop.wait(30))) for _ in range(3)]
    for thread in threads:
        thread.start()
    stop.set()
    for thread in threads:
        thread.join()
    assert heard == [True] * 3


def test_without_a_signal_wait_is_over_after_its_time() -> None:
    assert Interruption().wait(0) is False


@pytest.fixture(autouse=True)
def hang_up_ends() -> Iterator[None]:
    """As in a terminal: what started this test may be `nohup`."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_sets_it_and_the_handlers_of_before_come_back(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    said: list[str] = []
    with until_interrupted(lambda: said.append("stopping")) as stop:
        assert not stop.is_set()
        os.kill(os.getpid(), number)
        assert stop.wait(30)
    assert said == ["stopping"]
    assert signal.getsignal(number) is before


def test_what_nohup_ignores_stays_ignored() -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    with until_interrupted() as stop:
        os.kill(os.getpid(), signal.SIGHUP)
        assert not stop.wait(0)
