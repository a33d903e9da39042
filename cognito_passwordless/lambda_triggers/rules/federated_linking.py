"""Linking a federated user to the pool user who has proven the same e-mail address.

https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_AdminLinkProviderForUser.html
"""

from ..aws.client import json_call
from ..core.deadline import Deadline
from ..core.environment import Settings
from ..core.events import attributes_of, is_true, pool_of, username_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

TARGET = "AWSCognitoIdentityProviderService"
# In a user name these may be written in small letters; as a provider's name they are not.
SOCIAL = {name.lower(): name for name in ("Facebook", "Google", "LoginWithAmazon", "SignInWithApple")}


def link(event: object, *, settings: Settings, deadline: Deadline) -> str:
    """Links if both sides have proven the address and only one user has it, not a federated one.

    Without proof on both sides, an attacker who only claims the address would take the account over. Returns the
    outcome, as a word for the log.
    """
    attributes = attributes_of(event)
    email = attributes.get("email", "")
    # A federated user's name begins with the provider: ``Google_123``.
    provider, _, subject = username_of(event).partition("_")
    if not email or not is_true(attributes.get("email_verified")):
        return "unproven"
    if not provider or not subject or '"' in email or "\\" in email:
        return "unusable"
    listed = _call("ListUsers", {"Filter": f'email = "{email}"', "Limit": 3}, event, settings, deadline)
    users = [user for user in listed.get("Users") or [] if isinstance(user, dict)]
    if len(users) != 1 or not _may_be_linked(users[0], email):
        return "no_match"
    destination = {"ProviderName": "Cognito", "ProviderAttributeValue": users[0]["Username"]}
    source = {
        "ProviderName": SOCIAL.get(provider.lower(), provider),
        "ProviderAttributeName": "Cognito_Subject",
        "ProviderAttributeValue": subject,
    }
    _call(
        "AdminLinkProviderForUser", {"DestinationUser": destination, "SourceUser": source}, event, settings, deadline
    )
    return "linked"


def _may_be_linked(user: "dict[str, Any]", email: str) -> bool:
    attributes = {row.get("Name"): row.get("Value") for row in user.get("Attributes") or [] if isinstance(row, dict)}
    return (
        bool(user.get("Enabled"))
        and user.get("UserStatus") not in {"EXTERNAL_PROVIDER", "ARCHIVED", "UNCONFIRMED"}
        and str(attributes.get("email", "")).lower() == email.lower()
        and is_true(attributes.get("email_verified"))
    )


def _call(
    operation: str, parameters: "dict[str, Any]", event: object, settings: Settings, deadline: Deadline
) -> "dict[str, Any]":
    return json_call(
        "cognito-idp",
        f"{TARGET}.{operation}",
        {"UserPoolId": pool_of(event), **parameters},
        settings=settings,
        deadline=deadline.share(2),
    )
