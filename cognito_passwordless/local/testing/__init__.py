"""A clock to advance and faults to plan."""
