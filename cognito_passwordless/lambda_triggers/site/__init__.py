"""Signed calls to the Django site.

Laws: docs/laws.md; words: docs/glossary.md.
"""
