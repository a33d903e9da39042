"""What each trigger stands on: events, environment, deadlines.

Laws: docs/laws.md; words: docs/glossary.md.
"""
