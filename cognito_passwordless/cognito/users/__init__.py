"""A pool's users: find them, list them, and mark those who have migrated."""
