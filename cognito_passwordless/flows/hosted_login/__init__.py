"""Leaving for Cognito's hosted login, and coming back once.

Laws: docs/laws.md; words: docs/glossary.md.
"""
