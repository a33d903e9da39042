"""A site whose people are known by their phone number alone; `tests/test_phone_user.py` runs these tests."""
