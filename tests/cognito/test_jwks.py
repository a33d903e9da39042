import threading
from typing import Any

import pytest
from jwt.algorithms import RSAAlgorithm

from cognito_passwordless.cognito import Cause, CognitoError, JwksCache
from cognito_passwordless.cognito.oidc.jwks import read_keys

from .signing import NOW, jwk, private_key
from .standin import Reply, StandIn, reply

PATH = "/.well-known/jwks.json"


def published_private_key() -> dict[str, Any]:
    private: dict[str, Any] = RSAAlgorithm.to_jwk(private_key(), as_dict=True)
    return private | {"kid": "k1", "use": "sig"}


def unavailable(cache: JwksCache, uri: str, now: float = NOW) -> None:
    with pytest.raises(CognitoError) as caught:
        cache.key(uri, "k1", now=now)
    assert caught.value.cause is Cause.unavailable


@pytest.fixture
def uri(standin: StandIn) -> str:
    standin.says(PATH, reply({"keys": [jwk("k1")]}))
    return standin.url + PATH


def test_a_key_is_fetched_once(standin: StandIn, uri: str) -> None:
    cache = JwksCache()
    keys = [cache.key(uri, "k1", now=NOW + second) for second in (0, 1, 3600)]
    assert keys == [private_key().public_key()] * 3
    assert len(standin.requests) == 1


def test_a_hundred_random_key_ids_cost_one_fetch_an_interval(standin: StandIn, uri: str) -> None:
    cache = JwksCache(interval=60)
    for number in range(100):
        assert cache.key(uri, f"random-{number}", now=NOW + number / 2) is None
    assert len(standin.requests) == 1
    for number in range(100):
        cache.key(uri, f"random-{number}", now=NOW + 60 + number / 2)
    assert len(standin.requests) == 2
    assert cache.key(uri, "k1", now=NOW + 110) is not None


def test_a_new_key_is_found_after_the_interval(standin: StandIn, uri: str) -> None:
    cache = JwksCache(interval=60)
    assert cache.key(uri, "k2", now=NOW) is None
    standin.says(PATH, reply({"keys": [jwk("k1"), jwk("k2", "second")]}))
    assert cache.key(uri, "k2", now=NOW + 59) is None
    assert cache.key(uri, "k2", now=NOW + 60) == private_key("second").public_key()


def test_a_withdrawn_key_is_forgotten(standin: StandIn, uri: str) -> None:
    cache = JwksCache(max_age=600)
    assert cache.key(uri, "k1", now=NOW)
    standin.says(PATH, reply({"keys": [jwk("k2", "second")]}))
    assert cache.key(uri, "k1", now=NOW + 599)
    assert cache.key(uri, "k1", now=NOW + 600) is None


def test_a_failed_fetch_is_remembered_for_a_moment(standin: StandIn, uri: str) -> None:
    cache = JwksCache(retry_after=5)
    standin.says(PATH, Reply(b"", 503))
    unavailable(cache, uri)
    unavailable(cache, uri, NOW + 4.9)
    assert len(standin.requests) == 1
    standin.says(PATH, reply({"keys": [jwk("k1")]}))
    assert cache.key(uri, "k1", now=NOW + 5)


def test_a_remembered_failure_does_not_collect_the_frames_of_every_caller(standin: StandIn, uri: str) -> None:
    cache, caught = JwksCache(retry_after=5), []
    standin.says(PATH, Reply(b"", 503))
    for _ in range(3):
        with pytest.raises(CognitoError) as failure:
            cache.key(uri, "k1", now=NOW)
        caught.append(failure.value)
    assert len({id(error) for error in caught}) == 3
    assert len({error.args for error in caught}) == 1


def test_a_reset_forgets_keys_and_failures(standin: StandIn, uri: str) -> None:
    cache = JwksCache()
    cache.key(uri, "k1", now=NOW)
    cache.reset()
    standin.says(PATH, Reply(b"", 503))
    unavailable(cache, uri)
    cache.reset()
    standin.says(PATH, reply({"keys": [jwk("k1")]}))
    assert cache.key(uri, "k1", now=NOW)


def test_a_failed_refetch_leaves_the_known_keys(standin: StandIn, uri: str) -> None:
    cache = JwksCache(interval=60)
    cache.key(uri, "k1", now=NOW)
    standin.says(PATH, Reply(b"", 503))
    for second in range(60, 120):
        assert cache.key(uri, "random", now=NOW + second) is None
        assert cache.key(uri, "k1", now=NOW + second)
    assert len(standin.requests) == 2


def test_a_clock_set_back_does_not_stop_fetching(standin: StandIn, uri: str) -> None:
    cache = JwksCache()
    cache.key(uri, "k1", now=NOW)
    assert cache.key(uri, "k1", now=NOW - 86_400)
    assert len(standin.requests) == 2


def test_many_threads_make_one_fetch(standin: StandIn, uri: str) -> None:
    cache, barrier, found = JwksCache(), threading.Barrier(16), []

    def look(number: int) -> None:
        barrier.wait()
        found.append(cache.key(uri, "k1" if number % 2 else f"random-{number}", now=NOW))

    threads = [threading.Thread(target=look, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(standin.requests) == 1
    assert sum(key is not None for key in found) == 8


def test_the_number_of_addresses_is_bounded() -> None:
    asked: list[str] = []

    def fetch(uri: str) -> Any:
        asked.append(uri)
        return {"keys": [jwk("k1")]}

    cache = JwksCache(max_uris=2, fetch=fetch)
    for uri in ("a", "b", "a", "c", "a", "b"):
        cache.key(uri, "k1", now=NOW)
    assert asked == ["a", "b", "c", "b"]


@pytest.mark.parametrize(
    "document",
    [None, [], "keys", {}, {"keys": None}, {"keys": {"kid": "k1"}}, {"keys": [{}] * 65}],
)
def test_what_is_not_a_key_set_is_refused(document: Any) -> None:
    with pytest.raises(CognitoError) as caught:
        read_keys(document)
    assert caught.value.cause is Cause.unavailable


@pytest.mark.parametrize(
    "bad",
    [
        "text",
        None,
        {},
        {"kty": "oct", "kid": "k1", "k": "c2VjcmV0"},
        jwk("k1", use="enc"),
        jwk("k1", alg="RS512"),
        jwk("k1") | {"kid": 5},
        published_private_key(),
        jwk("k1", n="!"),
        jwk("k1", n=5),
        jwk("k1", e=""),
        {"kty": "RSA", "kid": "k1"},
        jwk("k1", "small", 1024),
    ],
)
def test_a_key_that_is_none_is_left_out(bad: Any) -> None:
    assert list(read_keys({"keys": [bad, jwk("good")]})) == ["good"]


def test_alg_and_use_may_be_missing() -> None:
    bare = {k: v for k, v in jwk("k1").items() if k not in ("alg", "use")}
    assert list(read_keys({"keys": [bare]})) == ["k1"]
