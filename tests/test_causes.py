"""The registry of causes is complete, and everything that shows a cause reads it."""

import re
import runpy
from pathlib import Path

import pytest

from cognito_passwordless import cognito
from cognito_passwordless.admin.words import CHOICES, EFFECTS, OUTCOMES
from cognito_passwordless.causes import LOGIN_ERRORS, Reason, explain
from cognito_passwordless.flows.conflicts import cases
from cognito_passwordless.flows.lifecycle import undo
from cognito_passwordless.identity import Conflict, Refusal
from cognito_passwordless.identity.pool_code import Proof

from .recorded_words import recorded_words

DOCS = Path(__file__).parent.parent / "docs"
# What an operator did is on the timeline too, in the admin's own words.
ACTS = {*CHOICES, *OUTCOMES}


def test_every_word_that_the_code_records_is_in_the_registry() -> None:
    recorded = recorded_words()
    assert {"unknown", "state_missing", "decision_withdrawn", "mfa_unknown", "value_taken", "busy"} <= recorded
    assert recorded - ACTS - Reason.__members__.keys() == set()


@pytest.mark.parametrize("words", [cognito.Cause, Conflict, Refusal, LOGIN_ERRORS, {*Proof} - {Proof.PROVEN}])
def test_every_cause_of_the_rules_is_in_the_registry(words: frozenset[str]) -> None:
    assert {str(word) for word in words} - Reason.__members__.keys() == set()


@pytest.mark.parametrize("cause", cognito.Cause)
def test_a_pools_causes_have_one_category(cause: cognito.Cause) -> None:
    assert explain(cause).category == cause.category


@pytest.mark.parametrize("reason", Reason)
def test_sentences_are_sentences(reason: Reason) -> None:
    assert re.fullmatch(r"[A-Z][a-z]* ?.*[^.]\.", reason.value.sentence)
    assert not reason.value.remedy or reason.value.remedy.endswith(".")
    assert reason.value.clause[0].islower()


def test_what_nobody_registered_is_called_a_senders_word() -> None:
    assert explain("twilio_21610").sentence == "A sender said 'twilio_21610'."
    assert explain("limit_sends").sentence == "The budget sends was used up."
    assert explain("").sentence == "The reason was not recorded."
    assert {explain(word).category for word in ("twilio_21610", "limit_sends", "")} == {"flow"}


def test_the_page_is_the_registry() -> None:
    """After a change: ``python docs/make_causes.py``."""
    assert runpy.run_path(str(DOCS / "make_causes.py"))["page"]() == (DOCS / "causes.md").read_text()


@pytest.mark.parametrize("page", ["conflicts.md", "events.md"])
def test_pages_name_no_cause_that_is_not_there(page: str) -> None:
    rows = re.findall(r"^\| ((?:`[a-z_]+`(?:, )?)+) \|", _section(page), re.MULTILINE)
    named = {word for row in rows for word in re.findall(r"`(\w+)`", row)} - {"cause"}
    assert named
    assert named - Reason.__members__.keys() == set()


def test_effects_have_words() -> None:
    source = "".join(Path(module.__file__ or "").read_text() for module in (cases, undo))
    told = set(re.findall(r'"(\w+_after_proof|\w+_goes|others_keep_theirs|\w+_set_aside|retried)"', source))
    assert told - EFFECTS.keys() == set()


def _section(page: str) -> str:
    text = (DOCS / page).read_text()
    return text.partition("## Causes" if page == "events.md" else "## Conflicts")[2].partition("\n## ")[0]
