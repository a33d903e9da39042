"""The management commands, and what they share.

Laws: docs/laws.md; words: docs/glossary.md.
"""
