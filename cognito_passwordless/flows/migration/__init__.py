"""From proven evidence to one Django user: `migrate` carries out what `identity` decided."""

from .flow import Migrated, migrate

__all__ = ["Migrated", "migrate"]
