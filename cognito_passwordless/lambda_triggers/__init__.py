"""The pool's Lambda triggers, one module each: `<trigger>.handler`.

Laws: docs/laws.md; words: docs/glossary.md.
"""
