"""The worker's part of a sign-in: who proves this person, what is sent, and what became of it.

Laws: docs/laws.md; words: docs/glossary.md.
"""
