"""Cases that only an operator can decide, and what may be decided about each.

Laws: docs/laws.md; words: docs/glossary.md.
"""
