"""The two halves of `steps`: a code from one pool, and what a proof is good for.

Laws: docs/laws.md; words: docs/glossary.md.
"""
