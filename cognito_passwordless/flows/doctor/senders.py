"""Whether the site's own senders can send: mail servers that answer, accounts that are out of their sandboxes."""

import re
from collections.abc import Callable, Iterator
from contextlib import suppress
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
    asked: dict[str, _Asked] = {}
    for channel in DEFAULT_SENDERS:
        try:
            # Where no country is allowed, nothing is ever sent by SMS.
            entries = list(conf.senders(channel)) if channel != "sms" or conf.sms_countries else []
        except ImproperlyConfigured:
            continue
        for number, entry in enumerate(entries, start=1):
            with suppress(Exception):  # the system checks report what cannot be imported or built
                sender = import_string(entry["BACKEND"])(**entry.get("OPTIONS", {}))
                asked |= {f"{channel} {number}, {what}": item for what, item in _questions_for(sender)}
    answers = ask({name: item.question for name, item in asked.items()})
    return [item.judge(answers[name]).on("senders", name) for name, item in asked.items()]


def _questions_for(sender: object) -> Iterator[tuple[str, _Asked]]:
    where = getattr(sender, "region", None) or "the default region"
    match sender:
        case SnsSender():
            judge = partial(aws_account.sms, where)
            yield "SNS", _Asked(partial(sms_account, sender.region, sender.endpoint_url), judge)
        case EndUserMessagingSender():
            question = partial(messaging_tier, sender.region, sender.endpoint_url)
            yield "End User Messaging", _Asked(question, partial(aws_account.messaging, where))
        case DjangoEmailSender():
            backend, region = sender.connection(), ""
            if isinstance(backend, SmtpBackend):
                yield "mail server", _Asked(sender.reach, partial(_mail_server, f"{backend.host}:{backend.port}"))
                found = _SES_HOST.fullmatch(str(backend.host))
                region = found[1] if found else ""
            if region or type(backend).__module__.startswith(_SES_BACKENDS):
                judge = partial(aws_account.mail, region or "the default region")
                yield "SES", _Asked(partial(mail_account, region or None), judge)


def _mail_server(where: str, answer: Unanswered | None) -> Verdict:
    if answer is None:
        return ok(f"the mail server {where} lets us in")
    if answer.code and answer.code != "TimeoutError":
        return problem(
            f"the mail server {where} does not let us in: {answer.code}", "Look at host, port, TLS, user and password."
        )
    return unknown(f"no answer in time from {where}", "Let this machine reach the mail server.")
