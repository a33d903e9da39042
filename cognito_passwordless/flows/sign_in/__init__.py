"""What the pages call: start, answer, resend, retry, and the end of a sign-in in allauth.

Laws: docs/laws.md; words: docs/glossary.md.
"""
