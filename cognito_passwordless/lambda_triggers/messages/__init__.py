"""Texts that a trigger gives Cognito, or sends itself.

Laws: docs/laws.md; words: docs/glossary.md.
"""
