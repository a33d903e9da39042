"""What an event records besides its outcome: by step, redacted, bounded, and never at the cost of a sign-in."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from cognito_passwordless.flows.events import journey
from cognito_passwordless.flows.events.redaction import REMOVED, Secrets, without
from cognito_passwordless.local import LocalCognito, LocalPool
from cognito_passwordless.models import JourneyEvent

pytestmark = pytest.mark.django_db(transaction=True)
ANN = "ann@example.com"
HERE = __name__
Record = Callable[..., None]


@pytest.fixture
def choose(settings: Any) -> Record:
    def chosen(rule: Any) -> None:
        settings.COGNITO_PASSWORDLESS = {**settings.COGNITO_PASSWORDLESS, "EVENT_DATA": rule}

    return chosen


# Callables of a site's: what they return, and what they were given.
seen: list[journey.StepEvent] = []
held: list[Any] = []


def remembers(step: journey.StepEvent) -> Any:
    seen.append(step)
    return {"step": step.step, "first": step.output.get("created")}


def gives(step: journey.StepEvent) -> Any:
    return held[0]


def raises(step: journey.StepEvent) -> Any:
    raise ValueError("a text with 123456 in it")


def breaks_the_database(step: journey.StepEvent) -> Any:
    with connection.cursor() as cursor:
        cursor.execute("SELECT nothing FROM nowhere")


def swallows_a_broken_database(step: journey.StepEvent) -> Any:
    from django.db import DatabaseError

    try:
        breaks_the_database(step)
    except DatabaseError:
        return {"all": "well"}


@pytest.fixture(autouse=True)
def _fresh() -> None:
    seen.clear()
    held.clear()


def sign_in(client: Client, cognito: LocalCognito) -> str:
    """By the pool's code, after a wrong one; gives the code."""
    client.post("/login/", {"identifier": ANN})
    code = cognito.last_code(ANN) or ""
    client.post("/login/code/", {"code": "00000000"})
    client.post("/login/code/", {"code": code})
    assert "_auth_user_id" in client.session
    return code


def data() -> dict[str, Any]:
    """The data of the last event of each step."""
    return dict(JourneyEvent.objects.order_by("pk").values_list("step", "data"))


def test_by_default_nothing(client: Client, cognito: LocalCognito, pool: LocalPool) -> None:
    pool.add_user(ANN)
    sign_in(client, cognito)
    assert data() == {"sent": None, "answered": None, "migrated": None, "signed_in": None}


def test_input_and_output_are_redacted(client: Client, cognito: LocalCognito, pool: LocalPool, choose: Record) -> None:
    pool.add_user(ANN, attributes={"given_name": "Annabel"}, groups=["staff"])
    choose("io")
    code = sign_in(client, cognito)
    told = data()
    assert told["sent"]["output"] == {
        "sender": "cognito",
        "to": "a•••@e•••.com",
        "pool_challenge": "EMAIL_OTP",
    }
    assert told["answered"]["input"]["identifier"] == "a•••@e•••.com"
    assert told["answered"]["input"]["attempts"] == 2
    assert told["answered"]["output"]["email"] == "a•••@e•••.com"
    assert told["answered"]["output"]["attributes"] == ["given_name"]
    assert told["signed_in"]["output"] == {"method": "cognito_otp", "created": True}
    everything = json.dumps(list(JourneyEvent.objects.values_list("data", flat=True)))
    for secret in (code, ANN, "Annabel", "00000000"):
        assert secret not in everything


def test_a_dict_chooses_by_step(client: Client, cognito: LocalCognito, pool: LocalPool, choose: Record) -> None:
    pool.add_user(ANN)
    choose({"answered": "io", "signed_in": f"{HERE}.remembers"})
    sign_in(client, cognito)
    told = data()
    assert (told["sent"], told["migrated"]) == (None, None)
    assert set(told["answered"]) == {"input", "output"}
    assert told["signed_in"] == {"step": "signed_in", "first": True}
    (step,) = seen
    assert (step.outcome, step.connection, step.route) == ("ok", "main", "cognito_otp")
    assert step.user_id
    assert step.attempt == JourneyEvent.objects.latest("pk").attempt
    assert ANN not in repr(step) + repr(step.input) + repr(step.output)


@pytest.mark.parametrize("name", ["raises", "breaks_the_database", "not_there"])
def test_a_callable_that_raises_loses_its_payload_and_not_the_sign_in(
    client: Client,
    cognito: LocalCognito,
    pool: LocalPool,
    choose: Record,
    name: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    pool.add_user(ANN)
    choose(f"{HERE}.{name}")
    sign_in(client, cognito)
    assert set(map(str, data().values())) == {"{'not_kept': 'raised'}"}
    assert "EVENT_DATA of the step answered raised" in caplog.text
    assert "123456" not in caplog.text


def test_one_that_swallows_an_error_of_the_database_does_not_take_the_proof_along(
    client: Client, cognito: LocalCognito, pool: LocalPool, choose: Record
) -> None:
    pool.add_user(ANN)
    choose(f"{HERE}.swallows_a_broken_database")
    sign_in(client, cognito)


@pytest.mark.parametrize("rule", [5, ["io"], {"answered": 5}])
def test_a_setting_that_cannot_be_used_is_no_way_to_stop_a_sign_in(
    client: Client, cognito: LocalCognito, pool: LocalPool, choose: Record, rule: Any
) -> None:
    pool.add_user(ANN)
    choose(rule)
    sign_in(client, cognito)


@pytest.mark.parametrize(
    ("payload", "kept"),
    [
        (object(), {"not_kept": "not_json"}),
        ({"when": {1, 2}}, {"not_kept": "not_json"}),
        (float("nan"), {"not_kept": "not_json"}),
        ("\ud800", {"not_kept": "not_json"}),
        ({"a": "x\0y"}, {"a": "xy"}),
        ("ä" * 2047, "ä" * 2047),
        ("ä" * 2048, {"not_kept": "too_large"}),
        (None, None),
        ([1, "two", {"three": 3.5}], [1, "two", {"three": 3.5}]),
    ],
)
def test_what_is_kept_is_json_of_a_bounded_size(
    client: Client, cognito: LocalCognito, pool: LocalPool, choose: Record, payload: Any, kept: Any
) -> None:
    pool.add_user(ANN)
    choose({"answered": f"{HERE}.gives"})
    held.append(payload)
    sign_in(client, cognito)
    assert data()["answered"] == kept


def test_a_payload_without_end_is_not_kept(
    client: Client, cognito: LocalCognito, pool: LocalPool, choose: Record
) -> None:
    pool.add_user(ANN)
    choose(f"{HERE}.gives")
    endless: list[Any] = []
    endless.append(endless)
    held.append(endless)
    sign_in(client, cognito)
    assert data()["answered"] == {"not_kept": "not_json"}


@pytest.mark.parametrize("form", ["{}", "{0:.4} {1}", "Your code: {}.", "x{}y", "{0:.3}-{2}"])
def test_the_pools_code_is_never_in_it(
    client: Client, cognito: LocalCognito, pool: LocalPool, choose: Record, form: str
) -> None:
    pool.add_user(ANN)
    choose({"answered": f"{HERE}.gives"})
    client.post("/login/", {"identifier": ANN})
    code = cognito.last_code(ANN) or ""
    held.append({"noted": form.format(code, code[4:], code[3:]), "number": int(code), "post": {"Code": code}})
    client.post("/login/code/", {"code": code})
    told = data()["answered"]
    assert REMOVED in told["noted"]
    assert (told["number"], told["post"]) == (REMOVED, {"Code": REMOVED})
    assert code not in json.dumps(told).replace(" ", "").replace("-", "")


def test_nor_is_ours_at_any_step(
    client: Client,
    make_user: Callable[..., User],
    choose: Record,
    sent_code: Callable[[], str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    make_user(ANN)
    choose({"answered": f"{HERE}.gives", "signed_in": f"{HERE}.gives"})
    client.post("/login/", {"identifier": ANN})
    code = sent_code()
    held.append({"noted": f"x{code}y", "number": int(code), "mail": f"to {ANN.upper()}"})
    client.post("/login/code/", {"code": code})
    for step in ("answered", "signed_in"):
        assert data()[step] == {"noted": REMOVED, "number": REMOVED, "mail": "to a•••@e•••.com"}


NOTHING_KNOWN = Secrets(frozenset(), ())


@pytest.mark.parametrize(
    "payload",
    [
        {"code": "abc"},
        {"otp_code": "abc"},
        {"sms-code": "abc"},
        {"id_token": "abc"},
        {"sessionid": "abc"},
        {"Authorization": "Basic abc"},
        {"HTTP_COOKIE": "abc"},
        {"password1": "abc"},
        {"deep": [{"refreshToken": ["abc"]}]},
        "eyJhbGciOiJSUzI1NiJ9.abc.abc",
        "Bearer eyJhbGciOiJSUzI1NiJ9.abc",
        "/back/?code=abc&state=1",
        "abc" * 15,
        "12345678",
        "123 456",
        "it is 123-456, they say",
        {"12345678": True},
    ],
)
def test_what_looks_like_a_secret_goes(payload: Any) -> None:
    shown = json.dumps(without(payload, NOTHING_KNOWN))
    assert REMOVED in shown
    for secret in ("abc", "123", "456"):
        assert secret not in shown


@pytest.mark.parametrize(
    "payload",
    [
        {"error_code": "throttled", "status_code": 200, "country_code": "DE"},
        {"code": None, "had_session": False},
        "2026-11-21T12:34:56.123456+00:00",
        "00fb9a04-e613-4278-b7fd-737666a2b8e5",
        {"order": 12345678, "price": 19.99, "share": "0.123456"},
        "/accounts/email/",
        ["a", 1, True, None],
    ],
)
def test_what_does_not_stays(payload: Any) -> None:
    assert without(payload, NOTHING_KNOWN) == payload


@pytest.mark.parametrize("rule", ["io", f"{HERE}.remembers"])
def test_data_costs_no_statement(
    client: Client, cognito: LocalCognito, pool: LocalPool, choose: Record, rule: str
) -> None:
    pool.add_user(ANN)

    def cost() -> int:
        with CaptureQueriesContext(connection) as captured:
            client.post("/login/code/", {"code": "00000000"})
        marks = ("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE")
        return len([query for query in captured if not query["sql"].startswith(marks)])

    client.post("/login/", {"identifier": ANN})
    plain = cost()
    choose(rule)
    assert cost() == plain
    assert JourneyEvent.objects.latest("pk").data
