"""What the pool's Lambda triggers ask and tell the site. Include ``urls`` where ``DJANGO_URL`` points.

Laws: docs/laws.md; words: docs/glossary.md.
"""
