"""Whether the site's own senders can send: mail servers that answer, accounts that are out of their sandboxes."""

import re
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, Final, NamedTuple

from django.core.exceptions import ImproperlyConfigured
from django.core.mail.backends.smtp import EmailBackend as SmtpBackend
from django.utils.module_loading import import_string

from ...cognito import mail_account, messaging_tier, sms_account
from ...conf import DEFAULT_SENDERS, conf
from ...delivery.email import DjangoEmailSender
from ...delivery.end_user_messaging import EndUserMessagingSender
from ...delivery.sns import SnsSender
from . import aws_account
from .findings import Finding, Verdict, ok, problem, unknown
from .probes import Unanswered, ask

# https://docs.aws.amazon.com/general/latest/gr/ses.html
_SES_HOST: Final = re.compile(r"email-smtp(?:-fips)?\.([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?")
_SES_BACKENDS: Final = ("anymail.backends.amazon_ses", "django_ses")


class _Asked(NamedTuple):
    question: Callable[[], Any]
    judge: Callable[[Any], Verdict]


def diagnose_senders() -> list[Finding]:
    """A finding for each account and each mail server that a sender of the settings needs. Costs no statement."""
    asked = dict(_all())
    answers = ask({name: item.question for name, item in asked.items()})
    return [item.judge(answers[name]).on("senders", name) for name, item in asked.items()]


def _all() -> Iterator[tuple[str, _Asked]]:
    for channel in DEFAULT_SENDERS:
        for number, entry in enumerate(_entries(channel), start=1):
            for what, asked in _asked(entry):
                yield f"{channel} {number}, {what}", asked


def _asked(entry: Mapping[str, Any]) -> list[tuple[str, _Asked]]:
    try:
        return list(_of(import_string(entry["BACKEND"])(**entry.get("OPTIONS", {}))))
    except Exception:  # noqa: BLE001  (what cannot be imported or built, the system checks tell)
        return []


def _entries(channel: str) -> list[Any]:
    """None for SMS where no country is allowed: nothing is ever sent by them."""
    try:
        return list(conf.senders(channel)) if channel != "sms" or conf.sms_countries else []
    except ImproperlyConfigured:
        return []


def _of(sender: object) -> Iterator[tuple[str, _Asked]]:
    match sender:
        case SnsSender():
            where = sender.region or "the default region"
            yield (
                "SNS",
                _Asked(partial(sms_account, sender.region, sender.endpoint_url), partial(aws_account.sms, where)),
            )
        case EndUserMessagingSender():
            where = sender.region or "the default region"
            question = partial(messaging_tier, sender.region, sender.endpoint_url)
            yield "End User Messaging", _Asked(question, partial(aws_account.messaging, where))
        case DjangoEmailSender():
            yield from _of_mail(sender)


def _of_mail(sender: DjangoEmailSender) -> Iterator[tuple[str, _Asked]]:
    backend = sender.connection()
    region = ""
    if isinstance(backend, SmtpBackend):
        where = f"{backend.host}:{backend.port}"
        yield "mail server", _Asked(sender.reach, partial(_mail_server, where))
        found = _SES_HOST.fullmatch(str(backend.host))
        region = found[1] if found else ""
    if region or type(backend).__module__.startswith(_SES_BACKENDS):
        where = region or "the default region"
        yield "SES", _Asked(partial(mail_account, region or None), partial(aws_account.mail, where))


def _mail_server(where: str, answer: Unanswered | None) -> Verdict:
    if answer is None:
        return ok(f"the mail server {where} lets us in")
    if answer.code and answer.code != "TimeoutError":
        return problem(
            f"the mail server {where} does not let us in: {answer.code}", "Look at host, port, TLS, user and password."
        )
    return unknown(f"no answer in time from {where}", "Let this machine reach the mail server.")
