"""Signing in to a pool: one-time codes, passwords, custom challenges.

Laws: docs/laws.md; words: docs/glossary.md.
"""
