"""What a process keeps between calls: signing keys, discovery documents, AWS clients."""

from .client import replace_clients
from .oidc.discovery import shared_documents
from .oidc.jwks import shared_keys


def reset_documents() -> None:
    """Forget all signing keys and discovery documents, and the failures to load them."""
    shared_keys.reset()
    shared_documents.reset()


def reset_caches() -> None:
    """Forget everything, as a new process would: also the AWS clients, with the credentials that they found."""
    reset_documents()
    replace_clients({})
