"""One room for each capability; web pages, tasks and commands call the same functions.

Laws: docs/laws.md; words: docs/glossary.md.
"""
