"""What a pool is told about people who left it, and what its triggers tell and ask.

Laws: docs/laws.md; words: docs/glossary.md.
"""
