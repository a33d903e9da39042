"""The judges: allauth's own specification for its own addresses, and our OpenAPI 3.1 file for all of ours, whatever a
client may send."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import allauth.headless.spec
import pytest
import yaml
from django.contrib.auth.models import User
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate as validate_specification

from cognito_passwordless.headless.views import SPECIFICATION
from cognito_passwordless.models import ChallengeSession

from .clients import ApiClient, codes

pytestmark = pytest.mark.django_db(transaction=True)
ANN = "ann@example.com"
OURS: dict[str, Any] = json.loads(SPECIFICATION.read_text())
ALLAUTHS: dict[str, Any] = yaml.safe_load(
    (Path(str(allauth.headless.spec.__file__)).parent / "doc" / "openapi.yaml").read_text()
)
CALLS = 2000


def resolved(specification: dict[str, Any], node: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in node:
        found: Any = specification
        for part in node["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        node = found
    return node


def judge(specification: dict[str, Any], address: str, method: str, response: Any) -> None:
    """Fails for a status that is not documented, and for a body that is not what the specification says."""
    operation = specification["paths"]["/_allauth/{client}/v1/" + address][method.lower()]
    documented = operation["responses"].get(str(response.status_code))
    assert documented, (address, response.status_code)
    content = resolved(specification, documented).get("content")
    if content is None:
        return
    schema = {**content["application/json"]["schema"], "components": specification["components"]}
    assert response["Content-Type"] == "application/json"
    Draft202012Validator(schema).validate(response.json())


def test_our_file_is_openapi_3_1_and_served(client: Client) -> None:
    validate_specification(OURS)
    response = client.get("/_allauth/code/openapi.json")
    assert (response.status_code, response.json()) == (200, OURS)


def walk(api: ApiClient, sent_code: Callable[[], str]) -> Iterator[tuple[str, str, Any]]:
    """Every answer of a sign-in, those of an impatient person included."""

    def call(address: str, method: str = "POST", **data: Any) -> tuple[str, str, Any]:
        api.call(method, address, data if method == "POST" else None)
        return address, method, api.last

    yield call("auth/code/confirm", code="12345678")  # 409
    yield call("auth/code/resend")  # 409
    yield call("auth/session", "GET")
    yield call("auth/code/request", email="nonsense")
    yield call("auth/code/request", email=ANN)
    yield call("auth/session", "GET")
    yield call("auth/code/resend")  # 429
    yield call("auth/code/confirm", code="x")
    yield call("auth/code/confirm", code="00000000")
    ChallengeSession.objects.update(last_sent_at="2020-01-01T00:00Z")
    yield call("auth/code/resend")
    yield call("auth/code/confirm", code=sent_code())
    yield call("auth/session", "GET")
    yield call("auth/session", "DELETE")


def test_allauths_specification_allows_every_answer(
    api: ApiClient, make_user: Callable[..., User], sent_code: Callable[[], str]
) -> None:
    make_user(ANN)
    seen = set()
    for address, method, response in walk(api, sent_code):
        judge(ALLAUTHS, address, method, response)
        seen.add((address, response.status_code))
    for address, statuses in {
        "auth/code/request": {400, 401},
        "auth/code/confirm": {200, 400, 409},
        "auth/code/resend": {200, 409, 429},
    }.items():
        assert {status for where, status in seen if where == address} == statuses


def test_our_specification_allows_every_answer(
    api: ApiClient, make_user: Callable[..., User], sent_code: Callable[[], str]
) -> None:
    make_user(ANN)
    for address, method, response in walk(api, sent_code):
        if "code" in address:
            judge(OURS, address, method, response)


def test_every_code_of_an_error_is_documented(api: ApiClient) -> None:
    """The fuzzing below finds the others."""
    documented = set(
        OURS["components"]["schemas"]["Error"]["properties"]["errors"]["items"]["properties"]["code"]["enum"]
    )
    answer = api.post("auth/code/request")
    assert {code for code, _ in codes(answer)} < documented


TEXT = st.text(max_size=60) | st.sampled_from(
    [ANN, "+4915112345678", "000000", "sms", "email", "\x00", "\ud800", "٣٤٥٦٧٨"]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=5,
)
BODY = st.fixed_dictionaries({}, optional=dict.fromkeys(("email", "phone", "channel", "code", "by"), TEXT | JSON))
ADDRESSES = [
    (path.removeprefix("/_allauth/{client}/v1/"), method.upper())
    for path, operations in OURS["paths"].items()
    for method in operations
    if method != "parameters"
]


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["browser", "app"])
@pytest.mark.filterwarnings("ignore::hypothesis.errors.NonInteractiveExampleWarning")
def test_whatever_is_sent_no_answer_is_undocumented(kind: str, settings: Any) -> None:
    many = {"starts_per_ip": "100000/1h", "sends": "100000/1h", "sends_per_recipient": "100000/1h"}
    settings.COGNITO_PASSWORDLESS = {**settings.COGNITO_PASSWORDLESS, "LIMITS": many}
    answered = fuzz(kind)
    assert not [status for status in answered if status >= 500]
    assert len(answered) == CALLS
    assert {200, 400, 401, 409, 429} <= set(answered)


def fuzz(kind: str) -> list[int]:
    client, answered = ApiClient(kind), []

    @settings(
        max_examples=CALLS, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck)
    )
    @given(
        st.sampled_from(ADDRESSES),
        BODY.map(json.dumps) | st.text(max_size=20) | JSON.map(json.dumps),
        st.sampled_from(["kept"] * 20 + ["", "code.", "code.\u00e9", "nonsense"]),
    )
    def call(operation: tuple[str, str], body: str, token: str) -> None:
        address, method = operation
        if kind == "app":
            client.http.cookies.clear()
        sent = client.token if token == "kept" else token
        response: Any = client.http.generic(
            method,
            f"/_allauth/{kind}/v1/{address}",
            body.encode("utf-8", "replace"),
            content_type="application/json",
            headers={"X-Session-Token": sent} if sent else {},
        )
        judge(OURS, address, method, response)
        client.token = response.json().get("meta", {}).get("session_token") or client.token
        answered.append(response.status_code)

    call()
    return answered[:CALLS]
