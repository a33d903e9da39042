"""What people see who wait for long work, and what a log gets."""

import io

from cognito_passwordless.management.progress_bar import ProgressBar


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_terminal_gets_a_bar_with_rate_and_time_left_in_one_line() -> None:
    out, clock = Terminal(), Clock()
    bar = ProgressBar(out, "main", clock=clock)
    bar.show(0, 10_000)
    clock.now += 2
    bar.show(3_000, 10_000)
    clock.now += 2
    bar.show(10_000, 10_000, last=True)
    first, second = out.getvalue().split("\r")[1:]
    assert first.strip() == "main [#########.....................] 3,000 of about 10,000, 1,500/s, 0:05 left"
    assert second.strip() == f"main [{'#' * 30}] 10,000 of 10,000, 2,500/s, 0:00 left"
    assert out.getvalue().endswith("\n")


def test_what_an_earlier_run_did_counts_for_no_rate() -> None:
    out, clock = Terminal(), Clock()
    bar = ProgressBar(out, "main", clock=clock)
    bar.show(9_000, 10_000)
    clock.now += 1
    bar.show(9_100, 10_000)
    assert "100/s, 0:09 left" in out.getvalue()


def test_a_log_gets_a_line_every_ten_seconds_and_the_last_one() -> None:
    out, clock = io.StringIO(), Clock()
    bar = ProgressBar(out, "main", clock=clock)
    for second in range(25):
        bar.show(second * 100, 1_000_000)
        clock.now += 1
    bar.show(2_500, 1_000_000, last=True)
    assert out.getvalue().splitlines() == [
        "main: 1,000 of about 1,000,000, 100/s, 2:46:30 left",
        "main: 2,000 of about 1,000,000, 100/s, 2:46:20 left",
        "main: 2,500 of about 1,000,000, 100/s, 2:46:15 left",
    ]


def test_a_pool_that_does_not_say_how_large_it_is_has_no_time_left() -> None:
    out, clock = Terminal(), Clock()
    bar = ProgressBar(out, "main", clock=clock)
    bar.show(0, None)
    clock.now += 1
    bar.show(60, None)
    assert out.getvalue().strip() == "main: 60, 60/s"


def test_a_pool_that_is_larger_than_it_said_is_never_more_than_whole() -> None:
    out, clock = Terminal(), Clock()
    bar = ProgressBar(out, "main", clock=clock)
    bar.show(0, 100)
    clock.now += 1
    bar.show(150, 100, last=True)
    assert f"[{'#' * 30}] 150 of 150, 150/s, 0:00 left" in out.getvalue()
