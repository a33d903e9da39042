"""Who a person is: pure rules, without Django. `flows` gather the facts and carry the verdicts out.

Laws: docs/laws.md; words: docs/glossary.md.
"""

from .addresses import Channel, channel_of, could_be_user_name
from .evidence import Claim, Decision, Evidence, Held, Holder, Policy, Record
from .pool_code import Proof, could_have_gone_to, proof_of_code
from .pool_users import PoolUser, State
from .verdicts import Action, Conflict, Refusal, Verdict, judge, obstacle_of

__all__ = [
    "Action",
    "Channel",
    "Claim",
    "Conflict",
    "Decision",
    "Evidence",
    "Held",
    "Holder",
    "Policy",
    "PoolUser",
    "Proof",
    "Record",
    "Refusal",
    "State",
    "Verdict",
    "channel_of",
    "could_be_user_name",
    "could_have_gone_to",
    "judge",
    "obstacle_of",
    "proof_of_code",
]
