"""Writes numbers of things in words."""


def counted(number: int, what: str) -> str:
    """Write ``1 row`` or ``2 rows``."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
