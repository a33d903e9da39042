"""E-mail by any SMTP server, so by SendGrid, Mailgun and the like as well.

``SMTP_HOST``, ``SMTP_PORT``, ``SMTP_SECURITY`` (starttls, tls or, on loopback only, none), ``SMTP_USER``,
``SMTP_PASSWORD`` (or ``…_ARN``), ``EMAIL_FROM``.
"""

import smtplib
import ssl
from email.message import EmailMessage
from email.utils import formatdate, make_msgid

from ...aws.http import LOOPBACK
from ...aws.secrets import secret
from ...core.deadline import Deadline
from ...core.environment import Settings
from ...errors import Misconfigured, Unavailable
from . import Message

PORTS = {"starttls": 587, "tls": 465, "none": 25}


def send(message: Message, *, settings: Settings, deadline: Deadline) -> str:
    host, security = settings.text("SMTP_HOST"), settings.choice("SMTP_SECURITY", *PORTS)
    source, user = settings.text("EMAIL_FROM"), settings.text("SMTP_USER")
    if not host or not source:
        raise Misconfigured("SMTP_HOST and EMAIL_FROM must be set")
    if security == "none" and host not in LOOPBACK:
        raise Misconfigured("SMTP_SECURITY none is for loopback only")
    password = secret("SMTP_PASSWORD", settings=settings, deadline=deadline) if user else ""
    port, timeout = settings.number("SMTP_PORT", PORTS[security]), max(deadline.left, 0.01)
    try:
        mail = _mail(message, source)
        tls = None if security == "none" else ssl.create_default_context()
        with (
            smtplib.SMTP_SSL(host, port, timeout=timeout, context=tls)
            if security == "tls"
            else smtplib.SMTP(host, port, timeout=timeout)
        ) as server:
            if security == "starttls":
                server.starttls(context=tls)
            if user:
                server.login(user, password)
            server.send_message(mail)
    except smtplib.SMTPRecipientsRefused:
        raise Unavailable("smtp_recipient", personal=True) from None
    except (OSError, ValueError, smtplib.SMTPException) as error:
        raise Unavailable(f"smtp_{type(error).__name__}") from None
    return "smtp"


def _mail(message: Message, source: str) -> EmailMessage:
    # EmailMessage refuses line breaks in a header with a ValueError, so an attacker cannot add a header.
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = source, message.recipient, message.subject
    mail["Date"], mail["Message-ID"] = formatdate(), make_msgid(domain=source.rpartition("@")[2].strip("> ") or None)
    mail.set_content(message.text)
    if message.html:
        mail.add_alternative(message.html, subtype="html")
    return mail
