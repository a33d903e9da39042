"""The sign-in flows that moto lacks.

Laws: docs/laws.md; words: docs/glossary.md.
"""
