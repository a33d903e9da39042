"""A connection as a form: a field for each of its settings, judged by the rules that the system checks judge by.

Law of this file: the client's secret goes in and never comes out. The form's field is not the model's, so nothing
fills it in, and what was typed is not shown again.
"""

import re
from collections.abc import Mapping
from dataclasses import MISSING, fields
from typing import TYPE_CHECKING, Any, Final

from allauth.socialaccount.models import SocialApp
from django import forms
from django.core.checks import CheckMessage
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_variables

from ..checks.connections import apps_of_settings
from ..checks.cross_connection import because_of
from ..cognito import Connection, ConnectionConfigError
from ..cognito.connection_rules import AFTER_MIGRATION, SETTINGS
from ..connections import PROVIDER, is_retired
from ..models import ConnectionState, MigratedUser, PoolConnection

if TYPE_CHECKING:
    ModelForm = forms.ModelForm[Any]
else:
    ModelForm = forms.ModelForm  # which takes no parameters at run time

DEFAULTS: Final[Mapping[str, Any]] = {
    field.name: field.default for field in fields(Connection) if field.default is not MISSING
}
# These decide where the client's secret is sent to, and which issuer is trusted.
_WHERE_SECRETS_GO: Final = frozenset({"domain", "issuer", "issuers", "endpoint_url", "endpoints"})
_FIELDS: Final = {"alias": "provider_id", "client_secret": "new_secret"}
# At which field a check's message is shown; the others concern several.
_PLACES: Final = {"E602": "provider_id", "E603": "provider_id", "E604": "provider_id", "E605": "user_pool_id"}


class WordsField(forms.CharField):
    """A list, written with spaces or commas between its items."""

    def to_python(self, value: Any) -> Any:
        return re.findall(r"[^\s,]+", value or "")

    def prepare_value(self, value: Any) -> Any:
        return " ".join(map(str, value)) if isinstance(value, list | tuple) else value


def _text(label: Any, help_text: Any = "") -> forms.CharField:
    return forms.CharField(
        label=label, help_text=help_text, required=False, widget=forms.TextInput(attrs={"size": "60"})
    )


def _words(label: Any, help_text: Any = "") -> WordsField:
    return WordsField(label=label, help_text=help_text, required=False, widget=forms.TextInput(attrs={"size": "60"}))


def _flag(label: Any, help_text: Any = "") -> forms.BooleanField:
    return forms.BooleanField(label=label, help_text=help_text, required=False)


def _choice(label: Any, choices: list[tuple[str, Any]]) -> forms.ChoiceField:
    return forms.ChoiceField(label=label, choices=choices)


class OptionalJSONField(forms.JSONField):
    """Nothing is an empty field, not the word null."""

    def prepare_value(self, value: Any) -> Any:
        return super().prepare_value(value) if value else ""


def _json(label: Any, help_text: Any = "") -> forms.JSONField:
    return OptionalJSONField(
        label=label, help_text=help_text, required=False, widget=forms.Textarea(attrs={"rows": 3, "cols": 60})
    )


class PoolConnectionForm(ModelForm):
    """``connection`` is what was written, once it is valid, and ``warnings`` what is worth knowing of it."""

    new_secret = forms.CharField(
        label=_("Secret"),
        required=False,
        max_length=191,
        help_text=_("The app client's secret. It is never shown again; leave empty to keep the one that is stored."),
        widget=forms.PasswordInput(render_value=False, attrs={"autocomplete": "off", "size": "60"}),
    )
    clear_secret = _flag(_("Remove the stored secret"), _("For an app client without one."))
    enabled = _flag(_("Enabled"), _("If not, no sign-in uses this connection."))
    retired = _flag(
        _("Retired"),
        _("The pool is never called again, and its open sign-ins end. The command cognito_cutover checks first."),
    )
    region = _text(_("Region"), "eu-west-1")
    user_pool_id = _text(_("User pool"), "eu-west-1_…")
    routes = _words(_("Routes"), _("In order: otp (Cognito's code), oidc (its hosted login), local (our code)."))
    otp_flow = _choice(_("Flow"), [("USER_AUTH", "USER_AUTH"), ("CUSTOM_AUTH", "CUSTOM_AUTH")])
    first_factor = _choice(
        _("First factor"), [("none", _("none: the code alone")), ("password", _("password: before the code"))]
    )
    session_minutes = forms.IntegerField(
        label=_("Minutes that a code can be used"),
        help_text=_("3 to 15, as the app client's AuthSessionValidity says."),
    )
    own_triggers = _flag(_("Runs the triggers of this package"))
    lookup = _choice(
        _("Who may be in the pool"),
        [
            ("try", _("try: sign in there")),
            ("imported", _("imported: imported people only")),
            ("list_users", _("list_users: ask the pool's directory")),
        ],
    )
    domains = _words(_("E-mail domains"), _("Those that this connection answers for; none means all."))
    on_failure = _choice(
        _("When the pool is set up wrongly"),
        [("branch", _("branch: go on by the next route")), ("abort", _("abort: end the sign-in"))],
    )
    trust_verified = _flag(_("Trust verified addresses"), _("Of the pool, where Django had verified them before too."))
    trusted_providers = _words(
        _("Trusted identity providers"), _("Of the pool; addresses that they tell count as verified.")
    )
    also_known_as = _words(_("Also known as"), _("Other providers of allauth whose accounts are people of this pool."))
    domain = _text(_("Hosted login"), "https://login.example.com")
    scope = _words(_("Scope"))
    response_mode = _choice(_("Response mode"), [("query", "query"), ("form_post", "form_post")])
    callback_url = _text(_("Callback URL"), _("Only if it is not this site's own."))
    acr_values = _text("acr_values")
    claims = _json("claims", "JSON")
    authorize_params = _json(_("More parameters of the hosted login"), "JSON")
    global_sign_out = _flag(_("Signing out here ends the session at the hosted login too"))
    after_migration = forms.MultipleChoiceField(
        label=_("What the pool is told of the migrated"),
        choices=[(word, word) for word in AFTER_MIGRATION],
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    migrated_attribute = _text(_("Attribute that marks the migrated"))
    endpoint_url = _text(_("Address of the pool's API"), _("Only for a local Cognito."))
    issuer = _text(_("Issuer"), _("Only for a local Cognito, or a pool behind another OpenID provider."))
    issuers = _words(_("More issuers"), _("Of the same pool; Amazon's own need not be named."))
    regions = _words(_("Regions of replicas"), _("After a fail-over, one of them is the region."))
    endpoints = _json(_("Endpoints"), _("JSON; only where they differ from what the issuer says."))

    connection: Connection
    warnings: list[CheckMessage]

    class Meta:
        model = PoolConnection
        fields = ("provider_id", "name", "client_id", *(field.name for field in SocialApp._meta.many_to_many))
        labels = {"provider_id": _("Alias"), "client_id": _("App client")}
        help_texts = {
            "provider_id": _("The connection's own name: part of URLs and of every linked account."),
            "client_id": _("Its id."),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.warnings = []
        alias, settings = self.instance.provider_id, self._stored()
        for name in SETTINGS:
            self.initial.setdefault(name, _shown(settings.get(name, DEFAULTS.get(name))))
        if self.instance.pk:
            self.initial["retired"] = bool(self.initial["retired"] is True or is_retired(alias))
            # A new name would leave behind who came by the old one, and what a cut-over has said of it.
            people, states = MigratedUser.objects.filter(connection=alias), ConnectionState.objects.filter(alias=alias)
            self.fields["provider_id"].disabled = bool(alias) and (people.exists() or states.exists())
        if not self.instance.secret:
            del self.fields["clear_secret"]

    def _stored(self) -> Mapping[str, Any]:
        return self.instance.settings if isinstance(self.instance.settings, dict) else {}

    @sensitive_variables()
    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if cleaned.get("new_secret") and cleaned.get("clear_secret"):
            self.add_error("clear_secret", _("Either type a new secret, or remove the stored one."))
        keeps = self.instance.secret and not cleaned.get("new_secret") and not cleaned.get("clear_secret")
        if keeps and not _WHERE_SECRETS_GO.isdisjoint(self.changed_data):
            # Otherwise an editor who does not know the secret could have it sent to an address of their own.
            self.add_error("new_secret", _("Type the secret again: it would be sent to another address from now on."))
        app = self._app(cleaned)
        try:
            self.connection = Connection.from_settings(
                app.provider_id, app.name, app.client_id, app.secret, app.settings
            )
        except ConnectionConfigError as error:
            for key, text in error.mistakes.items():
                name = _FIELDS.get(key, key)
                if name not in self.errors:
                    self.add_error(name if name in self.fields else None, f"{key}: {text}")
        else:
            self._judge(app)
        return cleaned

    def _app(self, cleaned: Mapping[str, Any]) -> SocialApp:
        secret = cleaned.get("new_secret") or ("" if cleaned.get("clear_secret") else self.instance.secret)
        columns = {name: cleaned.get(name) or "" for name in ("provider_id", "name", "client_id")}
        # Only what differs from the defaults, so that a default of a later release counts here too.
        chosen = {"region": cleaned.get("region", ""), "user_pool_id": cleaned.get("user_pool_id", "")}
        for name in SETTINGS.keys() - chosen.keys():
            value = cleaned.get(name)
            if value not in (None, "") and value != _shown(DEFAULTS[name]):
                chosen[name] = value
        return SocialApp(provider=PROVIDER, secret=secret, settings=chosen, **columns)

    def _judge(self, app: SocialApp) -> None:
        others = SocialApp.objects.filter(provider=PROVIDER).exclude(pk=self.instance.pk)
        for message in because_of(app, [*apps_of_settings(), *others]):
            if message.is_serious():
                place = _PLACES.get(str(message.id).rpartition(".")[2])
                self.add_error(place, f"{message.msg} {message.hint}")
            else:
                self.warnings.append(message)

    @sensitive_variables()
    def save(self, commit: bool = True) -> Any:
        app = self._app(self.cleaned_data)
        if "retired" in self.changed_data or not self._stored().get("retired"):
            # A cut-over is a row of its own, which `cognito_cutover` can take back too.
            app.settings.pop("retired", None)
        self.instance.provider, self.instance.secret, self.instance.settings = PROVIDER, app.secret, app.settings
        return super().save(commit)


def _shown(value: Any) -> Any:
    """As a field has it; a mapping without anything in it is an empty field."""
    if isinstance(value, tuple):
        return list(value)
    return None if isinstance(value, Mapping) and not value else value
