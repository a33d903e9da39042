"""docs/steps.md, followed word for word: its views sign somebody in by both ways, and tell nobody who exists."""

import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import clear_url_caches

from cognito_passwordless import steps
from cognito_passwordless.local import LocalCognito, LocalPool
from cognito_passwordless.models import MigratedUser

from .local.hosted.browser import Browser
from .test_steps import begin_outage

pytestmark = pytest.mark.django_db(transaction=True)
PAGE = Path(__file__).parent.parent / "docs" / "steps.md"
BLOCK = re.compile(r"^```python\n# (\S+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
ANN = "ann@example.com"


@pytest.fixture
def pool(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: Any, cognito: LocalCognito, connect: Callable[..., Any]
) -> LocalPool:
    """The site of the page, and its pool with Ann in it."""
    blocks = BLOCK.findall(PAGE.read_text())
    assert [name for name, _ in blocks] == ["mysite/sign_in.py", "mysite/urls.py"]
    for name, text in blocks:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    for name in [name for name in sys.modules if name.split(".")[0] == "mysite"]:
        del sys.modules[name]
    settings.ROOT_URLCONF = "mysite.urls"
    clear_url_caches()
    made = cognito.create_pool("steps", callback_urls=["https://www.example.com/sign-in/back/"])
    connect(made)
    made.add_user(ANN)
    return made


def ask(client: Client, identifier: str = ANN) -> Any:
    return client.post("/sign-in/ask/", {"identifier": identifier})


def test_by_code(client: Client, cognito: LocalCognito, pool: LocalPool) -> None:
    asked = ask(client)
    assert asked.status_code == 200
    handle = client.cookies["sign_in_step"]
    assert handle["httponly"]
    assert handle.value not in asked.content.decode()
    wrong = client.post("/sign-in/answer/", {"code": "00000000"})
    assert wrong.status_code == 400
    assert wrong.json() == {"message": "That code is not right, or no longer valid. Check it, or send a new code."}
    response = client.post("/sign-in/answer/", {"code": cognito.last_code(ANN)})
    assert (response.status_code, response.headers["Location"]) == (302, "/accounts/email/")
    assert client.session["_auth_user_id"] == str(MigratedUser.objects.get().user_id)
    assert client.cookies["sign_in_step"].value == ""
    assert ANN in client.get("/accounts/email/").content.decode()


def test_by_hosted_login(client: Client, cognito: LocalCognito, pool: LocalPool) -> None:
    browser = Browser(cognito, pool)
    answer = browser.prove(browser.request(client.get("/sign-in/leave/").headers["Location"]), ANN).answer
    assert Client().get("/sign-in/back/", answer).status_code == 400
    response = client.get("/sign-in/back/", answer)
    assert response.status_code == 302
    assert response.headers["Referrer-Policy"] == "no-referrer"
    assert MigratedUser.objects.get().method == "cognito_oidc"
    assert "_auth_user_id" in client.session


def test_somebody_whom_the_pool_refuses_looks_like_everybody(cognito: LocalCognito, pool: LocalPool) -> None:
    person, refused = Client(), Client()
    cognito.fail("InitiateAuth", "UserNotConfirmedException", pool_id=pool.id)
    pages = [ask(refused, "zoe@example.com"), ask(person)]
    assert pages[0].status_code == pages[1].status_code
    assert pages[0].json().keys() == pages[1].json().keys()
    answers = [client.post("/sign-in/answer/", {"code": "12345678"}) for client in (refused, person)]
    assert answers[0].status_code == answers[1].status_code
    assert answers[0].content == answers[1].content


def test_trouble_of_everybodys_is_told(client: Client, cognito: LocalCognito, pool: LocalPool) -> None:
    begin_outage(cognito, pool, "ResourceNotFoundException")
    response = ask(client)
    assert response.status_code == 400
    assert "We can't send codes" in response.json()["message"]


def test_the_page_names_every_error_and_every_function() -> None:
    page = PAGE.read_text()
    source = "".join((Path(steps.__file__).parent / name).read_text() for name in ("api.py", "messages.py"))
    codes = set(re.findall(r'(?:error|StepError)\("(\w+)"', source))
    assert len(codes) >= 10
    assert {code for code in codes if f"| `{code}` |" not in page} == set()
    assert {name for name in steps.__all__ if f"`{name}" not in page} == set()
