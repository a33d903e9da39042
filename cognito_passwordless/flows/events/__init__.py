"""The timeline: what happened in a sign-in, or was done about a person, step by step. Imports no other room.

Laws: docs/laws.md; words: docs/glossary.md.
"""
