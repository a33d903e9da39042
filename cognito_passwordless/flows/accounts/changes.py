"""What a migration changed, kept on its record: an undo reverts exactly that."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Self

from django.contrib.auth.models import AbstractBaseUser

from ...models import MigratedUser

LONGEST = 200  # characters of a value that is kept; a longer one is not restored
_PLAIN = (str, int, float, bool, type(None))


@dataclass
class MigrationChanges:
    """What a migration changed, so that undo can revert exactly that.

    ``user``: the Django user was created, with the `EmailAddress` rows ``emails``, and ``phone``. ``account``: the
    `SocialAccount` was created. ``groups`` were added; ``fields`` maps a field to ``[old, new]``. Keys are texts.
    ``left_out``: keyed hashes of the person's addresses that another account has verified and that the timeline has
    mentioned. They are hashes because the account's owner may be erased.
    """

    user: bool = False
    account: bool = False
    phone: bool = False
    emails: list[str] = field(default_factory=list)
    groups: list[str] = field(default_factory=list)
    fields: dict[str, list[Any]] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)

    @classmethod
    def load(cls, record: MigratedUser) -> Self:
        known = cls.__dataclass_fields__
        return cls(**{name: value for name, value in (record.changes or {}).items() if name in known})

    def as_json(self) -> dict[str, Any]:
        """Without empty values, which most are."""
        return {name: value for name, value in asdict(self).items() if value}

    def record_fields(self, before: Mapping[str, Any], user: AbstractBaseUser, names: Iterable[str]) -> None:
        """Records fields that were written. The old value is the one before the first write."""
        for name in names:
            old, new = before.get(name), getattr(user, name, None)
            if name in self.fields:
                old = self.fields[name][0]
            if all(isinstance(value, _PLAIN) and len(str(value)) <= LONGEST for value in (old, new)):
                self.fields[name] = [old, new]

    def record_groups(self, groups: Collection[Any]) -> None:
        self.groups = sorted({*self.groups, *map(str, groups)})


def field_values(user: AbstractBaseUser) -> dict[str, Any]:
    """The user's fields as they are now, for `MigrationChanges.record_fields`."""
    return {field.name: user.__dict__.get(field.attname) for field in user._meta.concrete_fields}
