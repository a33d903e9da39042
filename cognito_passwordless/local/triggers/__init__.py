"""Running a pool's Lambda triggers.

Laws: docs/laws.md; words: docs/glossary.md.
"""
