"""The zip and the template. Tools for the developer: no Lambda function imports them.

Laws: docs/laws.md; words: docs/glossary.md.
"""
