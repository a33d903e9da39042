"""Budgets of messages, starts and calls, counted in the database.

Laws: docs/laws.md; words: docs/glossary.md.
"""
