"""The pools themselves, on moto's.

Laws: docs/laws.md; words: docs/glossary.md.
"""
