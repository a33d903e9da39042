"""Rows of `ChallengeSession`: attempts and successes are claimed here, by conditional UPDATEs (laws 2 and 3).

Laws: docs/laws.md; words: docs/glossary.md.
"""
