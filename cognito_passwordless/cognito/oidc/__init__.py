"""The hosted login's protocol: authorize, redeem, and what an ID token must show.

Laws: docs/laws.md; words: docs/glossary.md.
"""
