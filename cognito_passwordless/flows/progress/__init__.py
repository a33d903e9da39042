"""How far the migration is: counted, kept, shown, and continued into the future.

Laws: docs/laws.md; words: docs/glossary.md.
"""
