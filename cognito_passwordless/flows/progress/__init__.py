"""The progress of the migration: queries, roll-up, report and forecast.

Laws: docs/laws.md; words: docs/glossary.md.
"""
