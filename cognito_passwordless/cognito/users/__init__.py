"""A pool's users: finding, listing, and marking those who have left.

Laws: docs/laws.md; words: docs/glossary.md.
"""
