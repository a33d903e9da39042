"""What the pool sends, and its inbox.

Laws: docs/laws.md; words: docs/glossary.md.
"""
