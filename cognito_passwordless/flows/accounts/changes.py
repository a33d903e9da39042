"""What a migration wrote, kept on its record: an undo takes back that and nothing else."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Self

from django.contrib.auth.models import AbstractBaseUser

from ...models import MigratedUser

LONGEST = 200  # characters of a value that is kept; a longer one is not put back
_PLAIN = (str, int, float, bool, type(None))


@dataclass
class MigrationChanges:
    """``user``: the Django user was changes, with the `EmailAddress` rows ``emails``, and ``phone``. ``account``: the
    `SocialAccount` was. ``groups`` were added, ``fields`` filled: before, and with what. Keys are texts. ``left_out``
    stands for addresses of theirs that are somebody else's, as far as the timeline has told so on a return; by keyed
    hashes, for whoever has the address may want to be forgotten."""

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
        """Without what is empty, as most is."""
        return {name: value for name, value in asdict(self).items() if value}

    def record_fields(self, before: Mapping[str, Any], user: AbstractBaseUser, names: Iterable[str]) -> None:
        """Notes fields that were written. The first value is what counts, however often one was written since."""
        for name in names:
            old, new = before.get(name), getattr(user, name, None)
            if name in self.fields:
                old = self.fields[name][0]
            if all(isinstance(value, _PLAIN) and len(str(value)) <= LONGEST for value in (old, new)):
                self.fields[name] = [old, new]

    def record_groups(self, groups: Collection[Any]) -> None:
        self.groups = sorted({*self.groups, *map(str, groups)})


def field_values(user: AbstractBaseUser) -> dict[str, Any]:
    """The user's fields as they are now, to tell later what was there before."""
    return {field.name: user.__dict__.get(field.attname) for field in user._meta.concrete_fields}
