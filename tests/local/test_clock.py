import pytest

from cognito_passwordless.local.testing.clock import Clock


def test_advancing_adds_up_on_top_of_the_real_time() -> None:
    clock = Clock(source=lambda: 1000.0)
    clock.advance(180)
    clock.advance(0.5)
    assert clock.now() == 1180.5


def test_time_does_not_go_back() -> None:
    with pytest.raises(ValueError, match="forward"):
        Clock().advance(-1)
