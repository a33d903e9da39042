"""The same sign-in as a JSON API, at the addresses and in the envelopes of ``allauth.headless``: docs/apps.md.

Laws: docs/laws.md; words: docs/glossary.md.
"""
