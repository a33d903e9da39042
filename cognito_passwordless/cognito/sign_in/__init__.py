"""Signing in to a pool: one-time codes, passwords, custom challenges."""
