"""What the pages and messages say, read as HTML: `tests/browser` shows them to a browser."""

import re
import time
from collections.abc import Callable
from datetime import timedelta
from html.parser import HTMLParser

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from cognito_passwordless.conf import conf
from cognito_passwordless.delivery import Message
from cognito_passwordless.local import LocalCognito, LocalPool
from cognito_passwordless.models import ChallengeSession
from cognito_passwordless.web import context
from cognito_passwordless.web.forms import CodeForm

pytestmark = pytest.mark.django_db(transaction=True)
TOKEN = re.compile(r'(name="csrfmiddlewaretoken" value=)"[^"]*"')
TIME = re.compile(r'(?<=data-seconds-left=")\d+|(?<=data-seconds-to-resend=")\d+|\d+ (?:minute|second)s?')


@pytest.fixture
def bob(make_user: Callable[..., User]) -> User:
    return make_user("bob@example.com")


def code_page(identifier: str, *, wrong_codes: int = 0, **data: str) -> str:
    """The code page of a fresh browser, without what is random."""
    client = Client()
    response = client.post("/login/", {"identifier": identifier, **data}, follow=True)
    for _ in range(wrong_codes):
        response = client.post("/login/code/", {"code": "00000000"})
    return TOKEN.sub(r"\1", response.content.decode()).replace(identifier, "WHO")


@pytest.mark.parametrize("wrong_codes", [0, 1, 3])
@pytest.mark.parametrize("channel", ["email", "sms"])
def test_the_code_page_does_not_tell_who_is_known(bob: User, pool: LocalPool, channel: str, wrong_codes: int) -> None:
    pool.add_user("ann@example.com")
    pool.add_user("eve@example.com", enabled=False)
    shown = set()
    left = 180 if wrong_codes < conf.otp.max_attempts else 0  # as long as the pool waits
    for name in ("bob", "ann", "eve", "nobody"):
        began = time.monotonic()
        page = code_page(f"{name}@example.com", channel=channel, wrong_codes=wrong_codes)
        took = time.monotonic() - began
        # No page may promise a time of its own: what it says is the policy's, less what has passed on a busy machine.
        for seconds, policy in (("left", left), ("to-resend", conf.otp.resend_cooldown)):
            (said,) = re.findall(rf'data-seconds-{seconds}="(\d+)"', page)
            assert 0 <= policy - int(said) <= took + 1
        shown.add(TIME.sub("", page))
    assert len(shown) == 1


def test_the_hosted_login_is_called_by_its_connections_name(
    connect: Callable[..., object], cognito: LocalCognito
) -> None:
    connect(cognito.create_pool("named"), routes=["otp", "oidc"])
    assert "Sign in with Cognito" in code_page("nobody@example.com")


def test_both_channels_are_offered_to_everybody(bob: User) -> None:
    for identifier in ("bob@example.com", "nobody@example.com", "+4915112345678"):
        assert "Send it by SMS instead" in code_page(identifier, channel="email")
        assert "Send it by e-mail instead" in code_page(identifier, channel="sms")


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (600, "Enter it within 10 minutes."),
        (596, "Enter it within 10 minutes."),
        (594, "Enter it within 9 minutes."),
        (60, "Enter it within 1 minute."),
        (54, "Enter it within 54 seconds."),
        (1, "Enter it within 1 second."),
        (0, ""),
    ],
)
def test_the_time_left_in_words(seconds: int, said: str) -> None:
    now = timezone.now()
    challenge = ChallengeSession(
        identifier="bob@example.com",
        channel="email",
        created_at=now,
        last_sent_at=now,
        # Half a second for the test itself.
        expires_at=now + timedelta(seconds=seconds + 0.5 if seconds else 0),
    )
    assert context.code_context(challenge, CodeForm())["left_text"] == said


def test_hosted_login_is_offered_where_a_connection_has_one(client: Client, bob: User) -> None:
    client.post("/login/", {"identifier": "bob@example.com"})
    assert "Sign in with" not in client.get("/login/code/").content.decode()
    ChallengeSession.objects.update(hosted_login="main")
    page = client.get("/login/code/").content.decode()
    assert '<a class="cpw-button cpw-secondary" href="/login/cognito/main/">Sign in with main</a>' in page


def test_the_refusal_carries_the_sites_name(client: Client, bob: User, sent_code: Callable[[], str]) -> None:
    client.post("/login/", {"identifier": "bob@example.com"})
    User.objects.update(is_active=False)
    response = client.post("/login/code/", {"code": sent_code()})
    assert response.status_code == 403
    assert "<title>We can't sign you in yet · Example</title>" in response.content.decode()


class Tags(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def test_the_html_message_loads_nothing_and_shows_the_code_once(
    client: Client, bob: User, outbox: list[Message], sent_code: Callable[[], str]
) -> None:
    client.post("/login/", {"identifier": "bob@example.com"})
    html = outbox[-1].html
    tags = Tags(html).found
    assert html.count(sent_code()) == 1
    assert not {tag for tag, _ in tags} & {"img", "link", "script", "iframe"}
    assert [attrs["href"] for _, attrs in tags if "href" in attrs] == ["https://www.example.com"]
    assert "url(" not in html
    assert ("html", {"lang": "en", "dir": "ltr"}) in tags


def test_the_message_and_the_page_say_the_same_time(client: Client, bob: User, outbox: list[Message]) -> None:
    page = client.post("/login/", {"identifier": "bob@example.com"}, follow=True).content.decode()
    assert "Enter it within 10 minutes." in page
    assert "It can be used for 10 minutes." in outbox[-1].text
    assert "It can be used for 10 minutes." in outbox[-1].html
