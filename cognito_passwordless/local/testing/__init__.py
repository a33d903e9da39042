"""A clock to turn and faults to switch on."""
