"""System checks: every step that a site can forget, reported by `manage.py check` with its fix.

One function per concern, one id per message; docs/checks.md lists them all. `manage.py check --tag
cognito_passwordless` runs these alone, `--deploy` adds what matters in production, and `--database default` (or
`migrate`) adds what only the tables can tell.

Laws: docs/laws.md; words: docs/glossary.md.
"""

from django.core.checks import Tags
from django.core.checks import register as register_check

from .installation import installed_apps
from .problems import TAG


def register() -> None:
    """Registers the checks with Django; for `AppConfig.ready`."""
    register_check(installed_apps, TAG)
    if installed_apps():
        return  # The others import what is not there: one message, not a traceback.
    from . import registry  # noqa: PLC0415  (imports what may not be there, see above)

    for check in registry.ALWAYS:
        register_check(check, TAG)
    for check in registry.SECURITY:
        register_check(check, TAG, Tags.security)
    for check in registry.DEPLOY:
        register_check(check, TAG, Tags.security, deploy=True)
    for check in registry.DATABASE:
        register_check(check, TAG, Tags.database)
