"""The HTML of the pages. Every value from outside is escaped."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html import escape

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 22rem; margin: 4rem auto; padding: 0 1rem }
input, button { font: inherit; display: block; width: 100%; box-sizing: border-box; padding: .6rem; margin: .4rem 0 }
small { color: #666 } [role=alert] { color: #a00 }
"""


def _page(title: str, body: str) -> str:
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<link rel="icon" href="data:,"><style>{_STYLE}</style></head>'
        f"<body><main><h1>{escape(title)}</h1>{body}"
        "<p><small>Local Cognito, for development</small></p></main></body></html>"
    )


def _form(token: str, inside: str, notice: str = "") -> str:
    alert = f'<p role="alert">{escape(notice)}</p>' if notice else ""
    form = f'<form method="post" action="/login"><input type="hidden" name="visit" value="{escape(token)}">'
    return f'{alert}{form}{inside}</form>{form}<button name="cancel" value="1">Cancel</button></form>'


def who(token: str, hint: str, providers: Iterable[str], notice: str = "") -> str:
    buttons = "".join(
        f'<button name="provider" value="{escape(name)}">Continue with {escape(name)}</button>' for name in providers
    )
    entry = (
        f'<label>E-mail address or phone number<input name="username" value="{escape(hint)}" autofocus></label>'
        "<button>Next</button>"
    )
    return _page("Sign in", _form(token, entry + buttons, notice))


def code(token: str, *, second: bool, notice: str = "") -> str:
    title = "One more code" if second else "Enter your code"
    entry = (
        '<label>Code<input name="code" inputmode="numeric" autocomplete="one-time-code" autofocus></label>'
        "<button>Sign in</button>"
    )
    return _page(title, _form(token, entry, notice))


def stand_in(token: str, provider: str, notice: str = "") -> str:
    entry = (
        f"<p>This page stands in for {escape(provider)}, and believes what you say.</p>"
        '<label>Who are you there? (e-mail address or id)<input name="external" autofocus></label>'
        f'<button name="provider" value="{escape(provider)}">Continue</button>'
    )
    return _page(provider, _form(token, entry, notice))


def failure(error: str, text: str) -> str:
    return _page("An error was encountered", f"<p><code>{escape(error)}</code></p><p>{escape(text)}</p>")


def form_post(action: str, parameters: Mapping[str, str]) -> str:
    """OAuth 2.0 Form Post Response Mode: a form that sends itself, or by its button without JavaScript."""
    fields = "".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">' for name, value in parameters.items()
    )
    form = f'<form id="back" method="post" action="{escape(action)}">{fields}<button>Continue</button></form>'
    return _page("Signed in", f'{form}<script>document.getElementById("back").submit()</script>')
