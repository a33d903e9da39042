"""Signed calls to the Django site."""
