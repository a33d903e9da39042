"""The page that people read shows the table that the code has."""

from pathlib import Path

from cognito_passwordless.identity import verdicts

PAGE = Path(__file__).parents[2] / "docs" / "identity.md"


def rows(text: str) -> list[str]:
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    first = lines.index("| what is known | verdict |")
    return [line for line in lines[first + 1 :] if line.count("|") == 3][:9]


def test_the_page_and_the_module_show_one_table() -> None:
    assert verdicts.__doc__
    shown = rows(PAGE.read_text())
    assert shown == rows(verdicts.__doc__)
    assert len(shown) == 9


def test_the_page_says_how_many_small_worlds_there_are() -> None:
    from .worlds import worlds

    assert "110,000 small worlds" in " ".join(PAGE.read_text().split())
    assert 100_000 < sum(1 for _ in worlds()) < 120_000
