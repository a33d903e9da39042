"""The share of sent SMS codes that are entered, per block of numbers, network and country: rules without Django.

Numbers that an attacker rents ask for codes and enter none ("SMS pumping"). Each code that was not entered speaks for
that, each entered one against it, by how much more likely it is under a collapsed share than under the block's usual
one (Page's CUSUM, Biometrika 41, 1954). A sum at the limit closes. Honest weeks of a large site are some 100,000
messages: ``exp(limit)`` is how many a false alarm is away, about.
"""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Protocol
from uuid import UUID

import phonenumbers
from phonenumbers import PhoneNumberType

# Codes sent to these reach no person's phone, and some of them pay who rents them.
NO_SMS: Final = frozenset(
    {
        PhoneNumberType.TOLL_FREE,
        PhoneNumberType.PREMIUM_RATE,
        PhoneNumberType.SHARED_COST,
        PhoneNumberType.PAGER,
        PhoneNumberType.UAN,
        PhoneNumberType.VOICEMAIL,
    }
)
# The last digits of a number that its prefix leaves out. Ranges of ten thousand numbers are what is handed to one
# operator, and what a fraudster rents.
PREFIX_LEAVES_OUT: Final = 4
PATIENCE: Final = timedelta(minutes=10)  # a code that has not been entered by then counts as not entered
FIRST_USUAL: Final = 0.8  # of a site that has sent nothing yet
PRIOR: Final = 50.0  # messages of its own that a block's usual share needs to weigh as much as the wider one's
LEAST_USUAL, MOST_USUAL = 0.55, 0.9
SLACK: Final = 0.9  # a new block may well be somewhat worse than its network
COLLAPSED: Final = 0.3  # of the usual share
SLOW_DAY: Final = 0.7  # a provider's bad day explains a share down to so much of the usual one, for narrow blocks
LIMITS: Final = {"block": 14.0, "network": 40.0, "country": 40.0}
HALF_LIFE: Final = {"recent": timedelta(hours=6)}
USUAL_HALF_LIFE: Final = timedelta(days=14)
ALL, RECENT = "all", "recent"  # the keys of the site as a whole: usually, and in these hours
FIRST_WAIT, LONGEST_WAIT = timedelta(hours=1), timedelta(hours=48)  # between probes; doubled by each that is lost
HITS: Final = 2  # probes in a row that are entered open a block


class Block(Protocol):
    """What is kept of one key. ``sent`` and ``entered`` fade; ``probe`` is the attempt that is let through now."""

    key: str
    sent: float
    entered: float
    score: float
    seen_at: datetime
    closed_at: datetime | None
    probe_at: datetime | None
    probe: Any  # a UUID, as Django's fields and a plain class both have it
    wait: timedelta
    hits: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one message. ``weight``: below 1 for a number's further codes that were not entered, so that one
    person who has trouble is not taken for many."""

    number: str
    entered: bool
    at: datetime
    weight: float = 1.0


def takes_sms(number: str) -> bool:
    """Whether a number in E.164 may be a person's phone, by its type in the numbering plan."""
    try:
        return phonenumbers.number_type(phonenumbers.parse(number)) not in NO_SMS
    except phonenumbers.NumberParseException:
        return False


def keys_of(number: str) -> tuple[str, str, str]:
    """The keys of a number in E.164, the narrowest first. Its network is what the numbering plan calls the national
    destination code: ``network +49151``."""
    parsed = phonenumbers.parse(number)
    region = phonenumbers.region_code_for_number(parsed) or f"+{parsed.country_code}"
    digits = str(parsed.national_number)
    network = digits[: phonenumbers.length_of_national_destination_code(parsed) or 3]
    return (
        f"block {number[:-PREFIX_LEAVES_OUT]}",
        f"network +{parsed.country_code}{network[: max(1, len(digits) - PREFIX_LEAVES_OUT)]}",
        f"country {region}",
    )


def apply(blocks: dict[str, Any], outcomes: Iterable[Outcome], now: datetime) -> Iterator[Any]:
    """Counts what became of messages, in order, and yields each block that this closes. ``blocks`` holds one for every
    key of the numbers, and those of `ALL` and `RECENT`."""
    for outcome in outcomes:
        site = _usual(blocks[ALL], FIRST_USUAL)
        factor = min(1.0, max(SLOW_DAY, _usual(blocks[RECENT], site) / site))
        narrow_to_wide = [blocks[key] for key in keys_of(outcome.number)]
        usual = site
        if narrow_to_wide[0].closed_at is None:  # its numbers say nothing more about their network
            for block in reversed(narrow_to_wide):
                usual = _usual(block, usual)
                expected = usual * SLACK * (factor if block is narrow_to_wide[0] else 1.0)
                if block.closed_at is None and _count(block, outcome, expected):
                    _close(block, narrow_to_wide, now)
                    yield block
            # An attack under way teaches nothing: neither the usual share, nor that it is a slow day.
            if narrow_to_wide[0].score < LIMITS["block"] / 3:
                for block in (*narrow_to_wide, blocks[ALL], blocks[RECENT]):
                    _learn(block, outcome)


def _close(closing: Block, narrow_to_wide: Iterable[Block], now: datetime) -> None:
    closing.closed_at, closing.hits, closing.probe = now, 0, None
    closing.probe_at = now + closing.wait
    for block in narrow_to_wide:
        # What this one explains is held against no other.
        block.score = max(0.0, block.score - (0.0 if block is closing else closing.score))


def _usual(block: Block, wider: float) -> float:
    return (block.entered + PRIOR * wider) / (block.sent + PRIOR)


def _count(block: Block, outcome: Outcome, expected: float) -> bool:
    limit = LIMITS[block.key.partition(" ")[0]]
    usual = min(MOST_USUAL, max(LEAST_USUAL, expected))
    if outcome.entered:
        change = math.log(COLLAPSED)
    else:
        change = math.log((1 - COLLAPSED * usual) / (1 - usual)) * outcome.weight
    block.score += change
    if block.score < 0:
        block.score = 0.0
    return not block.score < limit  # what is no number closes, too


def _learn(block: Block, outcome: Outcome) -> None:
    age = max(timedelta(), outcome.at - block.seen_at)
    fades = 0.5 ** (age / HALF_LIFE.get(block.key, USUAL_HALF_LIFE))
    block.sent = block.sent * fades + (1.0 if outcome.entered else outcome.weight)
    block.entered = block.entered * fades + outcome.entered
    block.seen_at = max(block.seen_at, outcome.at)


def may_probe(blocks: Iterable[Block], now: datetime) -> bool:
    """Whether a message may go out to see whether these closed blocks are well again."""
    return all(block.probe is None and block.probe_at is not None and block.probe_at <= now for block in blocks)


def probe(block: Block, attempt: UUID, now: datetime) -> None:
    block.probe, block.probe_at = attempt, now


def judge_probe(block: Block, *, entered: bool, now: datetime) -> bool:
    """Ends the probe of a closed block, once its code was entered or `PATIENCE` is over. True where that opens it."""
    block.probe = None
    if not entered:
        block.hits, block.wait = 0, min(2 * block.wait, LONGEST_WAIT)
        block.probe_at = now + block.wait
        return False
    block.hits, block.wait, block.probe_at = block.hits + 1, FIRST_WAIT, now
    if block.hits < HITS:
        return False
    # Under watch, and without its past: it has changed.
    block.closed_at, block.probe_at, block.hits = None, None, 0
    block.score, block.sent, block.entered = LIMITS[block.key.partition(" ")[0]] / 2, 0.0, 0.0
    return True
