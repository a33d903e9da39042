"""The pages: views, forms, cookies, template context.

Laws: docs/laws.md; words: docs/glossary.md.
"""
