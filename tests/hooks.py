"""A site's own adapters, which write down what they are asked, and do what a test wants them to."""

from collections.abc import Callable
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter

from cognito_passwordless.adapters import AccountAdapterMixin, SocialAccountAdapterMixin

ACCOUNT = [
    *("is_open_for_signup", "clean_email", "clean_phone", "clean_username", "new_user", "save_user"),
    *("populate_username", "set_phone", "set_phone_verified", "unstash_verified_email", "is_email_verified"),
    *("pre_login", "post_login"),
]
SOCIAL = [
    *("new_user", "populate_user", "pre_social_login", "is_open_for_signup", "is_auto_signup_allowed", "save_user"),
]
# The hooks that have the request as their first argument.
TOLD = {*ACCOUNT, *SOCIAL} - {"clean_email", "clean_phone", "clean_username", "set_phone", "set_phone_verified"}


class Asked(list[str]):
    """The hooks in the order in which they were asked, and the ``requests`` that they were told. ``instead`` has what
    is done before one of them."""

    def __init__(self) -> None:
        super().__init__()
        self.requests: list[object] = []
        self.instead: dict[str, Callable[..., Any]] = {}

    def note(self, name: str, arguments: tuple[Any, ...]) -> None:
        self.append(name)
        if name.partition(".")[2] in TOLD:
            self.requests.append(arguments[0])
        if name in self.instead:
            self.instead[name](*arguments)


ASKED = Asked()


def _noting(kind: str, names: list[str]) -> Callable[[type], type]:
    def hook_of(name: str) -> Callable[..., Any]:
        def hook(self: Any, *arguments: Any, **named: Any) -> Any:
            ASKED.note(f"{kind}.{name}", arguments)
            return getattr(super(type(self), self), name)(*arguments, **named)

        return hook

    def decorate(adapter: type) -> type:
        for name in names:
            setattr(adapter, name, hook_of(name))
        return adapter

    return decorate


@_noting("account", ACCOUNT)
class AccountAdapter(AccountAdapterMixin, DefaultAccountAdapter):
    pass


@_noting("social", SOCIAL)
class SocialAdapter(SocialAccountAdapterMixin, DefaultSocialAccountAdapter):
    pass
