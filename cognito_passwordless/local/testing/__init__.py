"""A clock to turn and faults to switch on.

Laws: docs/laws.md; words: docs/glossary.md.
"""
