"""Which cell of a submission is which cell of the release."""

from dataclasses import dataclass
from functools import cached_property

from nbformat import NotebookNode
from nbgrader.utils import is_grade, is_locked, is_solution, is_task

ENOUGH = 0.5  # of a released cell's lines, to know it again


@dataclass(frozen=True)
class Released:
    """A cell of the release.

    Attributes
    ----------
    cell : nbformat.NotebookNode
    place : int
        Its index in the released notebook.
    """

    cell: NotebookNode
    place: int

    @cached_property
    def managed(self) -> bool:
        """Whether nbgrader keeps an eye on the cell."""
        roles = (is_grade, is_solution, is_task, is_locked)
        return "nbgrader" in self.cell.metadata and any(role(self.cell) for role in roles)

    @property
    def name(self) -> str:
        """The grade id, or the cell id where nbgrader leaves the cell alone."""
        return self.cell.metadata.nbgrader.grade_id if self.managed else self.cell_id

    @property
    def cell_id(self) -> str:
        """The cell id; empty in notebooks older than nbformat 4.5."""
        return self.cell.get("id", "")

    @property
    def answer(self) -> bool:
        """Whether the students write into the cell."""
        return self.managed and not is_locked(self.cell)

    @property
    def words(self) -> str:
        """What to call the cell."""
        if self.answer:
            return "answer cell"
        return "test cell" if is_grade(self.cell) else "locked cell"

    def unanswered(self, cell: NotebookNode) -> bool:
        """Tell whether a submitted cell is blank, or as it was released."""
        return cell.source.strip() in ("", self.cell.source.strip())

    def likeness(self, cell: NotebookNode) -> float:
        """Return the share of the released lines that a submitted cell has too."""
        return _share(_lines(self.cell), _lines(cell))


def _share(lines: set[str], others: set[str]) -> float:
    return len(lines & others) / len(lines) if lines else 0.0


def _lines(cell: NotebookNode) -> set[str]:
    """Return the lines that say something."""
    return {line for line in map(str.strip, cell.source.splitlines()) if len(line) > 3}


def claim(cell: NotebookNode) -> str | None:
    """Return the grade id that a cell of a submission claims.

    Parameters
    ----------
    cell : nbformat.NotebookNode

    Returns
    -------
    str or None
        None if it claims none, or none that could be one.
    """
    settings = cell.metadata.get("nbgrader")
    name = settings.get("grade_id") if isinstance(settings, dict) else None
    return name if isinstance(name, str) else None


def claims(
    cells: list[NotebookNode], released: list[Released]
) -> tuple[dict[int, list[NotebookNode]], list[NotebookNode]]:
    """Sort a submission's cells by the released cells whose grade ids they claim.

    A cell that is another one by its cell id is that one, if no cell claims it.

    Parameters
    ----------
    cells : list of nbformat.NotebookNode
        Of the submission.
    released : list of Released

    Returns
    -------
    copies : dict
        By released place, the cells in their order; never an empty list.
    free : list of nbformat.NotebookNode
        The cells that claim nothing that was released.
    """
    places = {item.name: item.place for item in released if item.managed}
    homes = {item.cell_id: item.place for item in released if item.managed}
    copies: dict[int, list[NotebookNode]] = {}
    free = []
    for cell in cells:
        place = places.get(claim(cell))
        if place is None:
            free.append(cell)
        else:
            copies.setdefault(place, []).append(cell)
    for place, same in list(copies.items()):
        for cell in list(same):
            home = homes.get(cell.id, place)
            if home not in copies:
                copies[home] = [cell]
                copies[place] = [other for other in copies[place] if other is not cell]
    copies = {place: same for place, same in copies.items() if same}
    return copies, free


def recognise(
    free: list[NotebookNode], released: list[Released], known: dict[int, NotebookNode]
) -> dict[int, NotebookNode]:
    """Find released cells that nobody claims by their cell id, or else by their text.

    Locked cells are known by the whole text, and text that anybody may edit by half of its lines.
    Answers are not looked for by their text here.

    Parameters
    ----------
    free : list of nbformat.NotebookNode
        Cells of the submission that may be any.
    released : list of Released
    known : dict
        By released place, the cells that are known already.

    Returns
    -------
    dict
        `known`, and what was found.
    """
    known = dict(known)
    for same in (_same_id, _same_text):
        for item in released:
            if item.place not in known:
                index = next((i for i, cell in enumerate(free) if same(item, cell)), None)
                if index is not None:
                    known[item.place] = free[index]
                    free = free[:index] + free[index + 1 :]
    lines = [_lines(cell) for cell in free]
    taken: set[int] = set()
    for item in released:
        if item.managed or item.place in known:
            continue
        shares = {
            index: _share(_lines(item.cell), lines[index])
            for index, cell in enumerate(free)
            if index not in taken and cell.cell_type == item.cell.cell_type
        }
        best = max(shares, key=shares.get, default=None)
        if best is not None and shares[best] >= ENOUGH:
            known[item.place] = free[best]
            taken.add(best)
    return known


def _same_id(item: Released, cell: NotebookNode) -> bool:
    return cell.id == item.cell_id


def _same_text(item: Released, cell: NotebookNode) -> bool:
    return (
        not item.answer
        and cell.cell_type == item.cell.cell_type
        and cell.source.strip() == item.cell.source.strip()
    )


def in_order(sequence: list[tuple[int, int]]) -> set[int]:
    """Choose the places that may stay, so that those stand in order and weigh the most.

    Parameters
    ----------
    sequence : list of (int, int)
        Released place and weight of each cell, as they stand in the submission.

    Returns
    -------
    set of int
        The places of the heaviest increasing subsequence.
    """
    best: list[tuple[int, int | None]] = []  # weight up to here, and the index before
    for index, (place, weight) in enumerate(sequence):
        before = max(
            (i for i in range(index) if sequence[i][0] < place),
            key=lambda i: best[i][0],
            default=None,
        )
        best.append((weight + (best[before][0] if before is not None else 0), before))
    index = max(range(len(best)), key=lambda i: best[i][0], default=None)
    chosen = set()
    while index is not None:
        chosen.add(sequence[index][0])
        index = best[index][1]
    return chosen
