"""A site whose user model has no username and a UUID key; `tests/test_custom_user.py` runs these tests."""
