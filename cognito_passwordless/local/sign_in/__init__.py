"""The sign-in flows that moto lacks."""
