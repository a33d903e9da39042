"""For observers outside: the package's own logic never listens to these."""

from django.dispatch import Signal

# A person proved an address that their Django account had not verified. What an unproven holder left (password,
# sessions, links) is gone; a site drops its own tokens here. Arguments: user, address.
ownership_proven = Signal()

# A pool user belongs to Django from now on. Arguments: user, migrated_user, created.
user_migrated = Signal()

# A migration was taken back, and the pool user is pending again. Arguments: migrated_user, outcome ("user_removed",
# "user_kept", or "link_removed" from a user who was there before).
migration_undone = Signal()

# A person is being erased; a site erases its own data here, inside the same transaction. Arguments: user (None where
# there is none), user_removed (whether the user is about to be deleted, with all that belongs to them).
person_erased = Signal()

# A step of a sign-in has been recorded, and committed. What a receiver raises is logged and changes nothing.
# Arguments: event (a saved JourneyEvent).
journey_event = Signal()

# A budget of `LIMITS` has reached four fifths, or its end. Each is told once in a window. Arguments: name (a key of
# `LIMITS`), key (a country or a number's prefix; empty for a total), used, limit (the numbers), window (seconds).
budget_nearly_spent = Signal()

# A pool user has confirmed their sign-up and is known as pending. Arguments: migrated_user.
pool_user_confirmed = Signal()

# A pool user has signed in in the pool from a device that it had not seen. Arguments: connection, sub,
# migrated_user (or None).
pool_device_added = Signal()
