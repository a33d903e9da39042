"""The helpers that find or start servers, on real ones."""

import sys
from pathlib import Path

import psycopg
import pytest
import redis

from . import services


@pytest.fixture
def nothing_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    closed = services.free_port()
    monkeypatch.setenv("TEST_POSTGRES_URL", f"postgres://me:a-password@127.0.0.1:{closed}/postgres")
    monkeypatch.setenv("TEST_REDIS_URL", f"redis://:a-password@127.0.0.1:{closed}/0")


@pytest.fixture
def nothing_installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(services, "DEBIAN_POSTGRES", tmp_path)


def require(*programs: object) -> None:
    if not all(programs):
        services.missing("there is no binary to start")


@pytest.mark.usefixtures("nothing_answers")
def test_a_postgresql_of_our_own_can_make_databases_and_is_gone_afterwards() -> None:
    require(services.postgres_binary("initdb"), services.postgres_binary("postgres"))
    with services.postgres() as url:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("CREATE DATABASE anything")
        assert services.postgres_answers(url)
    assert not services.postgres_answers(url)


@pytest.mark.usefixtures("nothing_answers")
def test_a_redis_of_our_own_works_and_is_gone_afterwards() -> None:
    require(services.shutil.which("redis-server"))
    with services.redis_server() as url:
        with redis.Redis.from_url(url) as client:
            assert client.set("anything", 1)
        assert services.redis_answers(url)
    assert not services.redis_answers(url)


def test_a_server_that_answers_is_used_and_stays(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEST_REDIS_URL", redis_url)
    with services.redis_server() as url:
        assert url == redis_url
    assert services.redis_answers(redis_url)


def test_a_postgresql_that_answers_is_used_and_stays(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEST_POSTGRES_URL", postgres_url)
    with services.postgres() as url:
        assert url == postgres_url
    assert services.postgres_answers(postgres_url)


@pytest.mark.usefixtures("nothing_answers", "nothing_installed")
def test_without_a_server_and_a_binary_the_reason_names_both_and_no_password() -> None:
    for service in (services.postgres, services.redis_server):
        with pytest.raises(services.Unavailable, match=r"answers at 127\.0\.0\.1:\d+.*PATH") as error, service():
            pass
        assert "a-password" not in str(error.value)
    with pytest.raises(services.Unavailable, match="no Chromium"):
        services.find_chromium()


@pytest.mark.usefixtures("nothing_answers")
def test_a_command_runs_with_servers_that_answer() -> None:
    require(services.postgres_binary("initdb"), services.shutil.which("redis-server"))
    code = """
import os, sys
from tests.services import postgres_answers, redis_answers
both = postgres_answers(os.environ["TEST_POSTGRES_URL"]) and redis_answers(os.environ["TEST_REDIS_URL"])
sys.exit(7 if both else 1)
"""
    assert services.main([sys.executable, "-c", code]) == 7


def test_a_server_that_dies_at_once_is_told_with_its_last_words(tmp_path: Path) -> None:
    command = ["/bin/sh", "-c", "echo out of luck; exit 3"]
    with (
        pytest.raises(services.Unavailable, match="out of luck"),
        services.process(command, lambda: False, tmp_path / "log"),
    ):
        pass


def test_what_is_missing_skips(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REQUIRE_SERVICES", raising=False)
    with pytest.raises(pytest.skip.Exception, match="no such thing"):
        services.missing("no such thing")


def test_what_is_missing_fails_where_services_are_required(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUIRE_SERVICES", "1")
    with pytest.raises(pytest.fail.Exception, match="no such thing"):
        services.missing("no such thing")
