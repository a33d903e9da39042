"""What a site decides about federated users and tokens.

Laws: docs/laws.md; words: docs/glossary.md.
"""
