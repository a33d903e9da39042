"""Writes docs/causes.md from the registry: ``python docs/make_causes.py``."""

from pathlib import Path

from cognito_passwordless.causes import Reason

PAGE = Path(__file__).with_name("causes.md")
HEAD = """# Causes

Every word that this package records for why a step ended as it did: the `cause` of an [event](events.md) or a
message, the reason why nothing was sent, the last error of a pool user, and the outcomes of an import's dry run.
It is the registry `cognito_passwordless/causes.py`, which the admin, the commands and the [doctor](doctor.md)
read. This page is written by `docs/make_causes.py`.

The category says whose business a cause is: the sign-in's own (`flow`), the setup's (`configuration`), or the
network's and the provider's (`system`). A cause for a "person" may be told to anybody who signs in, because it
says nothing about any account; all others are for operators. `limit_…` is a budget of that name in
[`LIMITS`](limits.md), category `flow`. A word that is not here is a [sender](senders.md)'s own, such as an SMTP
code or a number of Twilio's.

| cause | category | for | meaning | what to do |
|---|---|---|---|---|
"""


def page() -> str:
    words = ((reason.name, reason.value) for reason in Reason)
    rows = (f"| `{name}` | {w.category} | {w.audience} | {w.sentence} | {w.remedy} |\n" for name, w in words)
    return HEAD + "".join(rows)


if __name__ == "__main__":
    PAGE.write_text(page())
