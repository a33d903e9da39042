"""Taking a migration back, forgetting a person, and leaving a pool.

Laws: docs/laws.md; words: docs/glossary.md.
"""
