"""A Cognito on loopback, for development and tests (extra `local`).

Use it as `with LocalCognito() as cognito:`, make a pool with `cognito.create_pool("demo")`, people
with `pool.add_user("ann@example.com")`, and point boto3's `endpoint_url` at `cognito.url`.

Laws: docs/laws.md; words: docs/glossary.md.
"""

try:
    from .backend.pools import LocalPool
    from .messages.inbox import Message
    from .proxy import Call
    from .server import LocalCognito
except ModuleNotFoundError as error:
    if (error.name or "").partition(".")[0] not in {"moto", "joserfc", "flask", "flask_cors", "werkzeug"}:
        raise
    message = "The local Cognito needs the extra `local`: pip install 'django-cognito-passwordless[local]'"
    raise ImportError(message) from error

__all__ = ["Call", "LocalCognito", "LocalPool", "Message"]
