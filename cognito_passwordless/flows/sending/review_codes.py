"""Fixed codes for the reviewers of app stores: who may use one, and until when.

Such a code proves no address, so it opens only an account whose address Django has verified before, and never one of
staff, whatever `STAFF_SIGN_IN` says. Everybody else on the list signs in like anybody.
"""

from datetime import datetime

from ...conf import conf
from ...identifiers import Identifier
from ...otp import Code
from ..accounts import owners


def code_for(identifier: Identifier, now: datetime) -> Code | None:
    """The only code that signs this identifier in now, if it is a fixed one. No statement for people who are not on
    the list."""
    entries = [entry for entry in conf.review_codes if entry.identifier == identifier.value and entry.is_valid(now)]
    if not entries:
        return None
    return entries[0].code if owners.verified_owner(identifier) is not None else None
