"""What the templates of this package use.

Laws: docs/laws.md; words: docs/glossary.md.
"""
