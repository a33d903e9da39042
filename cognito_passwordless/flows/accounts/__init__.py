"""Who is who: accounts that carry an address, records of pool users, and what a proof gives or takes.

Laws: docs/laws.md; words: docs/glossary.md.
"""
