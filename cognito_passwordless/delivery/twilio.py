"""SMS through Twilio. Needs the extra ``twilio``."""

import logging
import os
import re
import threading
from typing import Any

from django.views.decorators.debug import sensitive_variables

from .base import Failure, Message, SendFailed

try:
    import requests
    from twilio.base.exceptions import TwilioException, TwilioRestException
    from twilio.http.http_client import TwilioHttpClient
    from twilio.rest import Client
    from urllib3.exceptions import NewConnectionError
except ImportError as error:
    raise ImportError(
        "TwilioSender needs the package twilio: pip install 'django-cognito-passwordless[twilio]'"
    ) from error

TIMEOUT = 7.0  # seconds
LONGEST_VALIDITY = 36000  # seconds; the API takes no more

# https://www.twilio.com/docs/api/errors
_ABOUT_THE_NUMBER = frozenset(
    {
        21211,  # invalid 'To'
        21214,  # 'To' cannot be reached
        21217,  # 'To' does not appear to be valid
        21610,  # the recipient has replied STOP
        21614,  # 'To' is not a mobile number
    }
)
_ACCOUNT_SID = re.compile(r"AC[0-9a-fA-F]{32}")
_SERVICE_SID = re.compile(r"MG[0-9a-fA-F]{32}")

# Twilio's own logger writes addresses and headers, and other versions of it have written the body of requests.
_silent = logging.getLogger("cognito_passwordless.delivery.twilio.silent")
_silent.disabled = True

_clients: dict[tuple[object, ...], Client] = {}


def forget_clients() -> None:
    """Closes the connections of this process; the next message builds its client again."""
    while _clients:
        _clients.popitem()[1].http_client.session.close()


class _HttpClient(TwilioHttpClient):  # type: ignore[misc]
    """Twilio's own, which can be pointed elsewhere, and says nothing to any log."""

    def __init__(self, endpoint_url: str | None) -> None:
        super().__init__(timeout=TIMEOUT, logger=_silent)
        self._endpoint_url = endpoint_url

    def request(self, method: str, url: str, *args: Any, **options: Any) -> Any:
        if self._endpoint_url:
            url = re.sub(r"^https://[^/]+", self._endpoint_url.rstrip("/"), url)
        return super().request(method, url, *args, **options)


class TwilioSender:
    """Creates a message by Twilio's REST API.

    ``account_sid`` and ``auth_token`` (or ``api_key`` and ``api_secret``), and ``messaging_service_sid`` or
    ``from_number`` (a number in E.164, a short code or an alphanumeric sender id). ``region`` and ``edge`` as in
    https://www.twilio.com/docs/global-infrastructure. ``rate``: what the account may send, as in ``"10/1s"``, kept by
    all workers together. ``endpoint_url``: another host to call, for tests.

    Twilio is told how long the code is valid, and drops a message that waits longer in its queue.
    """

    def __init__(
        self,
        *,
        account_sid: str = "",
        auth_token: str = "",
        api_key: str = "",
        api_secret: str = "",
        messaging_service_sid: str = "",
        from_number: str = "",
        region: str | None = None,
        edge: str | None = None,
        rate: str | None = None,
        endpoint_url: str | None = None,
    ) -> None:
        self.rate = rate
        self._account_sid = account_sid
        self._login = (api_key, api_secret) if api_key else (account_sid, auth_token)
        self._place = (region, edge, endpoint_url)
        self._service, self._number = messaging_service_sid, from_number

    def check(self) -> list[str]:
        """What is wrong with the options."""
        found = []
        if not _ACCOUNT_SID.fullmatch(self._account_sid):
            found.append("'account_sid' must be AC and 32 hexadecimal digits")
        if not all(self._login):
            found.append("no credentials: set 'auth_token', or 'api_key' and 'api_secret'")
        if not (self._service or self._number):
            found.append("no origin: set 'messaging_service_sid' or 'from_number'")
        if self._service and not _SERVICE_SID.fullmatch(self._service):
            found.append("'messaging_service_sid' must be MG and 32 hexadecimal digits")
        return found

    @sensitive_variables()
    def send(self, message: Message) -> str:
        parameters: dict[str, Any] = {"to": message.recipient, "body": message.text}
        if self._service:
            parameters["messaging_service_sid"] = self._service
        if self._number:
            parameters["from_"] = self._number
        if message.valid_for:
            parameters["validity_period"] = min(LONGEST_VALIDITY, message.valid_for)
        try:
            return str(self._client().messages.create(**parameters).sid)
        except TwilioRestException as error:
            failure = _answered(error)
        except TwilioException as error:
            failure = SendFailed(f"twilio_{type(error).__name__}", Failure.REFUSED, for_everybody=True)
        except requests.RequestException as error:
            reason = getattr(error.args[0] if error.args else None, "reason", None)
            not_reached = isinstance(error, requests.ConnectTimeout) or isinstance(reason, NewConnectionError)
            known = Failure.LATER if not_reached else Failure.UNKNOWN
            failure = SendFailed(type(error).__name__, known, for_everybody=not_reached)
        except ValueError:
            failure = SendFailed("twilio_unreadable_answer", Failure.UNKNOWN)
        # Outside the except block: no __context__, so no frame of the client with the message.
        raise failure

    def _client(self) -> Client:
        """The client of this process and thread: its HTTP session is meant for one of each."""
        key = (self._account_sid, self._login, self._place, os.getpid(), threading.get_ident())
        if key not in _clients:
            region, edge, endpoint_url = self._place
            _clients[key] = Client(
                *self._login,
                account_sid=self._account_sid,
                region=region,
                edge=edge,
                http_client=_HttpClient(endpoint_url),
            )
        return _clients[key]


def _answered(error: TwilioRestException) -> SendFailed:
    if error.code in _ABOUT_THE_NUMBER:
        failure = Failure.RECIPIENT
    elif error.status == 429 or error.status >= 500:
        failure = Failure.LATER
    else:
        failure = Failure.REFUSED
    # 401: the credentials. Of a code that we do not know, only that this message is refused.
    return SendFailed(f"twilio_{error.code or error.status}", failure, for_everybody=error.status == 401)
