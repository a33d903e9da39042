"""E-mail through Django's framework, so that every backend of Django works: SMTP, SES, any anymail provider."""

import logging
import smtplib
from typing import Any

import django
from botocore.exceptions import BotoCoreError, ClientError
from django.conf import settings
from django.core import mail
from django.core.mail import EmailMultiAlternatives
from django.core.mail.backends.smtp import EmailBackend as SmtpBackend
from django.utils.module_loading import import_string
from django.views.decorators.debug import sensitive_variables

from ..cognito.client import silence
from . import aws
from .base import Failure, Message, SendFailed

logger = logging.getLogger(__name__)

# Since Django 6.1 a backend is one of the site's mailers, or says whose it is.
_MAILER = {"alias": "cognito_passwordless"} if django.VERSION >= (6, 1) else {}
# Django waits for a mail server without end unless told otherwise, and a worker with it.
TIMEOUT = 10  # seconds, for each step of the conversation


class DjangoEmailSender:
    """Sends by Django's mail: ``mailer`` names an entry of ``MAILERS`` (Django 6.1), ``backend`` a backend whose
    keyword arguments the other options are. Without either, what the site has set up.

    ``from_email`` defaults to ``DEFAULT_FROM_EMAIL``. ``rate`` is the provider's quota, as in ``"14/1s"``, kept by all
    workers together. ``timeout`` is in seconds. Raises `TypeError` for options of no backend.
    """

    def __init__(
        self,
        *,
        from_email: str | None = None,
        backend: str | None = None,
        mailer: str | None = None,
        rate: str | None = None,
        **options: Any,
    ) -> None:
        if options and not backend:
            raise TypeError(f"{', '.join(options)}: options of a backend, and none is named")
        self.from_email = from_email
        self.backend = backend
        self.mailer = mailer
        self.rate = rate
        self.options = options

    def check(self) -> list[str]:
        """What is wrong with the options."""
        found = []
        if self.mailer and (self.backend or self.options):
            found.append("'mailer' stands alone: set the rest in MAILERS")
        if self.mailer and self.mailer not in getattr(settings, "MAILERS", {}):
            found.append(f"MAILERS has no {self.mailer!r}")
        if self.backend:
            try:
                import_string(self.backend)
            except ImportError as error:
                found.append(f"'backend' cannot be imported: {error}")
        return found

    @sensitive_variables()
    def send(self, message: Message) -> str:
        connection = self.connection()
        email = EmailMultiAlternatives(message.subject, message.text, self.from_email, [message.recipient])
        # RFC 3834: no out-of-office answers to a machine.
        email.extra_headers["Auto-Submitted"] = "auto-generated"
        if message.html:
            email.attach_alternative(message.html, "text/html")
        with silence():
            _open(connection)
            try:
                _hand_over(connection, email)
            finally:
                _close(connection)
        return str(getattr(getattr(email, "anymail_status", None), "message_id", "") or "")

    def reach(self) -> None:
        """Connects to the mail server, logs in and leaves; nothing is sent. Does nothing with a backend other than
        SMTP. Raises `SendFailed`."""
        connection = self.connection()
        if isinstance(connection, SmtpBackend):
            _open(connection)
            _close(connection)

    def connection(self) -> Any:
        """The backend that messages go by, not yet open. Raises `SendFailed` where it cannot be built."""
        mailers = getattr(mail, "mailers", None)
        if self.mailer or (mailers is not None and not self.backend):
            if mailers is None:
                raise SendFailed("no_mailers", Failure.REFUSED)
            connection = mailers[self.mailer or "default"]
        elif self.backend:
            connection = import_string(self.backend)(**_MAILER, **self.options)
        else:
            connection = mail.get_connection()
        if isinstance(connection, SmtpBackend) and connection.timeout is None:
            connection.timeout = TIMEOUT
        return connection


def _open(connection: Any) -> None:
    """Connects and logs in. Whatever fails here, nothing has been sent."""
    try:
        connection.open()
    except smtplib.SMTPResponseException as error:  # an authentication that is refused among them
        failure = _refused(error.smtp_code, for_everybody=True)
    except (smtplib.SMTPException, OSError) as error:
        failure = SendFailed(type(error).__name__, Failure.LATER, for_everybody=True)
    else:
        return
    raise failure


@sensitive_variables()
def _hand_over(connection: Any, email: EmailMultiAlternatives) -> None:
    try:
        count = connection.send_messages([email])
    except Exception as error:  # noqa: BLE001  (whatever a backend raises, its frames hold the message)
        failure = _meaning(error)
    else:
        if count != 0:  # some backends return None
            return
        failure = SendFailed("not_sent", Failure.REFUSED)
    # Outside the except block: no __context__, so no frame of the backend with the message.
    raise failure


def _close(connection: Any) -> None:
    """Ends the conversation. What has been accepted is sent, however the server says goodbye."""
    try:
        connection.close()
    except (smtplib.SMTPException, OSError) as error:
        logger.debug("A mail server broke off at the end: %s", type(error).__name__)


def _meaning(error: Exception) -> SendFailed:
    match error:
        case smtplib.SMTPRecipientsRefused():
            code = min((status for status, _ in error.recipients.values()), default=550)
            # 4xx is mostly greylisting: "come back later".
            return SendFailed(f"smtp_{code}", Failure.LATER if code < 500 else Failure.RECIPIENT)
        case smtplib.SMTPResponseException():
            return _refused(error.smtp_code)
        case ClientError() | BotoCoreError():  # django-ses, anymail's Amazon SES
            return aws.failed(error, "ses")
    status = getattr(error, "status_code", None) or getattr(getattr(error, "response", None), "status_code", None)
    if isinstance(status, int):  # anymail, and whatever else speaks HTTP
        later = Failure.LATER if status == 429 or status >= 500 else Failure.REFUSED
        return SendFailed(f"http_{status}", later, for_everybody=status == 401)
    # RFC 1047: a connection that is lost before the last answer leaves it open whether the server took the message.
    lost = isinstance(error, smtplib.SMTPServerDisconnected | OSError) and not isinstance(
        error, ConnectionRefusedError
    )
    return SendFailed(type(error).__name__, Failure.UNKNOWN if lost else Failure.REFUSED)


def _refused(code: int, *, for_everybody: bool = False) -> SendFailed:
    later = Failure.LATER if code < 500 else Failure.REFUSED
    return SendFailed(f"smtp_{code}", later, for_everybody=for_everybody)
