"""The one-time-code challenge between Define, Create and Verify.

Laws: docs/laws.md; words: docs/glossary.md.
"""
