"""Words about what was handed in: it may hold any characters, and sentences must stay short."""

from collections.abc import Sequence

from coursekit.errors import KitError

MOST_NAMES = 8  # in one sentence


class NeedsPerson(KitError):
    """Something that was handed in whose meaning is not plain; one sentence for whoever looks."""


def plain(text: str, most: int = 60) -> str:
    """Make text of unknown origin fit for a sentence: one line, printable, not too long.

    Parameters
    ----------
    text : str
    most : int
        Characters.

    Returns
    -------
    str
    """
    line = "".join(c if c.isprintable() else " " for c in text[: 4 * most + 1])
    line = " ".join(line.split())
    return line if len(line) <= most else line[: most - 1].rstrip() + "…"


def listing(names: Sequence[str]) -> str:
    """Join names with commas and "and"; of many, the first and the number of the others.

    Parameters
    ----------
    names : sequence of str
        At least one.

    Returns
    -------
    str
    """
    shown = [plain(name) for name in names]
    if len(shown) > MOST_NAMES:
        shown = [*shown[: MOST_NAMES - 1], f"{len(shown) - MOST_NAMES + 1} more"]
    return " and ".join(filter(None, [", ".join(shown[:-1]), shown[-1]]))


def sentence(names: Sequence[str], one: str, several: str) -> str:
    """Tell the same of one name or of several.

    Parameters
    ----------
    names : sequence of str
        At least one.
    one, several : str
        The sentence for each number, with ``{}`` where the names belong.

    Returns
    -------
    str
    """
    return (one if len(names) == 1 else several).format(listing(names))
