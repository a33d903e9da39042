"""From proven evidence to one Django user: `migrate` carries out what `identity` decided.

Laws: docs/laws.md; words: docs/glossary.md.
"""

from .flow import Migrated, migrate

__all__ = ["Migrated", "migrate"]
