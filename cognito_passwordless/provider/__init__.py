"""allauth's view of a connection: the provider ``cognito``, on top of its ``openid_connect``.

allauth's pages and signals know the pool identities by it. The sign-in itself is ours, from the first page to the
last: allauth's views would believe userInfo's ``"false"`` and verify no signature.

Laws: docs/laws.md; words: docs/glossary.md.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from allauth.account.models import EmailAddress
from allauth.socialaccount.providers.openid_connect.provider import (
    OpenIDConnectProvider,
    OpenIDConnectProviderAccount,
)
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from ..cognito import Connection, ConnectionConfigError
from ..connections import is_retired


class CognitoAccount(OpenIDConnectProviderAccount):
    """One linked pool identity."""

    def to_str(self) -> str:
        """What allauth's pages call it: the connection's name, never the bare sub."""
        return str(self.get_brand()["name"])


class CognitoProvider(OpenIDConnectProvider):
    """One connection. Signing in by it begins at the hosted login where that is its first route, else at our own login
    page."""

    id = "cognito"
    name = "Amazon Cognito"
    account_class = CognitoAccount
    # A token that a client hands in has no nonce of ours and no PKCE: nobody signs in by it.
    supports_token_authentication = False
    # allauth would import and mount our site URLs a second time: this package's `urls` are empty on purpose.
    package = "cognito_passwordless.provider"

    def __init__(self, request: HttpRequest, app: Any = None) -> None:
        super().__init__(request, app=app)
        self.name = getattr(app, "name", "") or type(self).name

    @property
    def sub_id(self) -> str:
        """What `SocialAccount.provider` holds: the connection's alias."""
        return str(self.app.provider_id or self.app.provider)

    @property
    def is_open(self) -> bool:
        """Whether browsers may be sent to this connection: not when it is disabled, retired or misconfigured."""
        app = self.app
        try:
            connection = Connection.from_settings(app.provider_id, app.name, app.client_id, app.secret, app.settings)
        except ConnectionConfigError:
            return False
        return connection.active and not is_retired(self.app.provider_id)

    def get_login_url(self, request: HttpRequest, **kwargs: str) -> str:
        """Where signing in begins, with the page to go to afterwards."""
        wanted = {name: value for name, value in kwargs.items() if name == "next" and value}
        if kwargs.get("process") == "connect":
            wanted["process"] = "connect"  # which our pages refuse
        if next(iter(self.app.settings.get("routes") or ()), "") == "oidc":
            url = reverse("cognito_passwordless:oidc_login", args=[self.sub_id])
        else:
            url = reverse("cognito_passwordless:login")
        return f"{url}?{urlencode(wanted)}" if wanted else url

    def get_callback_url(self) -> str:
        return reverse("cognito_passwordless:oidc_callback", args=[self.sub_id])

    def redirect(
        self, request: HttpRequest, process: str, next_url: str | None = None, data: Any = None, **kwargs: Any
    ) -> HttpResponse:
        """A sign-in that began on a page of allauth's goes on at ours. Connecting is refused: whose account a pool
        person is, `flows.migration` decides (law 7)."""
        if process == "connect":
            raise PermissionDenied
        return HttpResponseRedirect(self.get_login_url(request, **({"next": next_url} if next_url else {})))

    def verify_token(self, request: HttpRequest, token: Any) -> Any:
        raise PermissionDenied

    def extract_uid(self, data: Mapping[str, Any]) -> str:
        return str(data["sub"])

    def extract_extra_data(self, data: Mapping[str, Any]) -> dict[str, Any]:
        return dict(data)

    def extract_common_fields(self, data: Mapping[str, Any]) -> dict[str, Any]:
        names = {"email": "email", "name": "name", "first_name": "given_name", "last_name": "family_name"}
        return {field: data[claim] for field, claim in names.items() if isinstance(data.get(claim), str)}

    def extract_email_addresses(self, data: Mapping[str, Any]) -> list[EmailAddress]:
        """The address, never verified: what the pool says about it is only a claim."""
        email = data.get("email")
        return [EmailAddress(email=email, verified=False, primary=True)] if isinstance(email, str) and email else []


provider_classes = [CognitoProvider]
