"""Who a person is: pure rules, without Django. `flows` gather the facts and carry the verdicts out."""

from .pool_code import Proof, could_have_gone_to, judge

__all__ = ["Proof", "could_have_gone_to", "judge"]
