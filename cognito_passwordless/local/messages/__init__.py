"""The messages of a pool, and their inbox."""
