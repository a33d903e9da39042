"""Tests that need `tests.settings_full`; `tests/test_full.py` runs them."""
