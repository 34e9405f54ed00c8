"""Writes numbers of things in words."""


def counted(number: int, what: str) -> str:
    """Write ``1 row`` or ``2 rows``."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def have(number: int) -> str:
    """Give the verb of so many things: ``has`` of one, else ``have``."""
    return "has" if number == 1 else "have"


def are(number: int) -> str:
    """Give the verb of so many things: ``is`` of one, else ``are``."""
    return "is" if number == 1 else "are"
