"""A pool's users: finding, listing, and marking those who have left."""
