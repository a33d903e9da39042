"""What is printed of names that others chose."""


def plain(name: str) -> str:
    """Without what a terminal would obey: names come from the admin, subs from files, causes from anywhere."""
    return "".join(letter if letter.isprintable() else "�" for letter in name)
