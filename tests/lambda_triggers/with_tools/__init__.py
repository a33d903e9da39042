"""What needs more than the extra `test`: tools of the extra `dev`, Node, Chromium (see `tests.services.missing`)."""
