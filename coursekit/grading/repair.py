"""Put the cells of a submitted notebook back into the form that nbgrader grades.

A cell of the release that the students can't edit comes back as it was; an answer is never thrown
away, and runs where it stood, so that a mended notebook computes what the student's own did.
"""

from copy import deepcopy
from dataclasses import dataclass
from itertools import takewhile

from nbformat import NotebookNode, from_dict

from coursekit.grading.damage import Damage
from coursekit.grading.matching import Released, claim, claims, in_order, recognise
from coursekit.grading.reading import new_id
from coursekit.grading.wording import NeedsPerson, plain

KERNEL = ("kernelspec", "language_info")


@dataclass(frozen=True)
class Mended:
    """A notebook that nbgrader can grade.

    Attributes
    ----------
    notebook : nbformat.NotebookNode
    mended : tuple of str
        A sentence for each kind of damage that was mended; empty if there was none.
    """

    notebook: NotebookNode
    mended: tuple[str, ...]


def mend(notebook: NotebookNode, released: NotebookNode) -> Mended:
    """Mend what happened to the cells of a submitted notebook.

    Afterwards every grade id of the release is there exactly once, with the released settings and
    cell type; no other cell has settings of nbgrader; the code cells among them stand in the
    released order, and locked cells hold the released text. Mending again changes nothing.

    - Of a cell that is there more than once, copies without an answer, and the same answer again,
      go; of different answers the last counts, as it does when the notebook runs.
    - A cell that is missing comes back as it was released. Where an answer cell is missing, or
      has no answer, an ordinary cell beside it that looks like the answer becomes the answer.
    - Written answers may stand anywhere; code that was moved goes back to its place.
    - A kernel of another language is replaced by the released one.

    Parameters
    ----------
    notebook : nbformat.NotebookNode
        As `read_notebook` returns it; stays as it is.
    released : nbformat.NotebookNode
        What the students got, with nbgrader's settings; stays as it is.

    Returns
    -------
    Mended

    Raises
    ------
    NeedsPerson
        If the notebook has no cell of the release.
    """
    mending = _Mending(from_dict(notebook), released)  # a copy, made faster than by deepcopy
    mending.sort_copies()
    mending.recognise()
    mending.settle()
    mending.reorder()
    mending.put_back()
    mending.adopt_answers()
    kernel = _mend_kernel(mending.notebook, released)
    return Mended(mending.notebook, (*mending.damage.sentences(), *kernel))


class _Mending:
    """A notebook in work: its cells, and the released place of each that is known."""

    def __init__(self, notebook: NotebookNode, released: NotebookNode):
        self.notebook = notebook
        self.cells: list[NotebookNode] = notebook.cells
        self.released = [Released(cell, place) for place, cell in enumerate(released.cells)]
        self.managed = [item for item in self.released if item.managed]
        self.home: dict[int, NotebookNode] = {}
        self.spine: set[int] = set()  # the places whose cells stand in order
        self.added: set[int] = set()
        self.damage = Damage()

    def sort_copies(self):
        """Choose one cell for each grade id; of the others, let go what holds no work."""
        copies, _ = claims(self.cells, self.released)
        for place, same in sorted(copies.items()):
            item = self.released[place]
            # Where a cell is answered, copies that are not say nothing.
            worth = [cell for cell in same if not item.unanswered(cell)]
            if not item.answer:
                # A copy that was pasted has a new id.
                kept = [max(same, key=lambda one: (item.unanswered(one), one.id == item.cell_id))]
                kept += [cell for cell in worth if cell is not kept[0]]
                self.home[place] = kept[0]
            else:
                kept = [
                    cell
                    for before, cell in zip([None, *worth], worth, strict=False)
                    if before is None or _content(before) != _content(cell)
                ] or same[:1]
                self.home[place] = kept[-1]
            stays = {id(cell) for cell in kept}
            for cell in same:
                if id(cell) not in stays:
                    self._remove(cell)
            for cell in kept:
                if cell is not self.home[place]:
                    del cell.metadata["nbgrader"]
            if len(kept) > 1:
                self.damage.add("versions" if item.answer else "edited copies", item.name)
            elif len(same) > 1:
                self.damage.add("kept once", item.name)

    def recognise(self):
        """Find the cells that do not carry their grade id any more."""
        known = {id(cell) for cell in self.home.values()}
        free = [cell for cell in self.cells if id(cell) not in known]
        self.home = recognise(free, self.released, self.home)
        if not any(item.place in self.home for item in self.managed):
            raise NeedsPerson("The notebook has no cell of the released one; it may be another.")

    def settle(self):
        """Give each cell of the release its type, settings and text, and other cells none."""
        for item in self.managed:
            if item.place in self.home:
                self._settle(item, self.home[item.place])
        plain_settings = {
            id(cell): self.released[place].cell.metadata.get("nbgrader")
            for place, cell in self.home.items()
            if not self.released[place].managed
        }
        managed = {id(self.home[i.place]) for i in self.managed if i.place in self.home}
        for cell in self.cells:
            settings = cell.metadata.get("nbgrader")
            if id(cell) in managed or "nbgrader" not in cell.metadata:
                continue
            if settings is None or settings != plain_settings.get(id(cell)):
                self.damage.add("own", claim(cell) or cell.id)
                del cell.metadata["nbgrader"]

    def _settle(self, item: Released, cell: NotebookNode):
        settings = item.cell.metadata.nbgrader
        if claim(cell) != item.name:
            self.damage.add("renamed", item.name)
        elif cell.metadata.nbgrader != settings:
            self.damage.add("settings", item.name)
        cell.metadata["nbgrader"] = deepcopy(settings)
        if cell.cell_type != item.cell.cell_type:
            self.damage.add("type", item.name)
            _change_type(cell, item.cell.cell_type)
        if not item.answer and cell.source.rstrip() != item.cell.source.rstrip():
            self.damage.add("edited", item.name)
            cell.source = item.cell.source

    def reorder(self):
        """Move code of the release that does not stand in order; answers rather stay."""
        places = {id(cell): place for place, cell in self.home.items()}
        sequence = [places[id(cell)] for cell in self.cells if id(cell) in places]
        many = len(sequence) + 1
        self.spine = in_order([(p, self._weight(self.released[p], many)) for p in sequence])
        for item in self.managed:
            if item.place in self.home and item.place not in self.spine and _is_code(item):
                self._remove(self.home[item.place])
                self._insert(item, self.home[item.place])
                self.damage.add("moved", item.name)

    def _weight(self, item: Released, many: int) -> int:
        if not item.managed or not _is_code(item):
            return 1
        return many**2 if item.answer else many

    def put_back(self):
        """Add the cells that are missing, as they were released."""
        taken = {cell.id for cell in self.cells}
        for item in self.managed:
            if item.place not in self.home:
                cell = deepcopy(item.cell)
                cell.id = new_id(item.cell_id or item.name, taken)
                taken.add(cell.id)
                self.home[item.place] = cell
                self._insert(item, cell)
                self.added.add(item.place)
                self.damage.add(f"missing {item.words}", item.name)

    def _insert(self, item: Released, cell: NotebookNode):
        """Put an answer cell above the student's own cells at its place, any other below them."""
        before = [place for place in self.spine if place < item.place]
        after = [place for place in self.spine if place > item.place]
        if item.answer:
            index = self._index(self.home[max(before)]) + 1 if before else 0
        else:
            index = self._index(self.home[min(after)]) if after else len(self.cells)
        self.cells.insert(index, cell)
        self.spine.add(item.place)

    def adopt_answers(self):
        """Where an answer cell has no answer, take a cell beside it that looks like one."""
        answers = [item for item in self.managed if item.answer]
        adopted = True
        while adopted:
            adopted = False
            for item in answers:
                cell = self.home[item.place]
                other = self._beside(item, cell) if item.unanswered(cell) else None
                if other is not None:
                    self._remove(cell)
                    self.home[item.place] = other
                    other.metadata["nbgrader"] = deepcopy(item.cell.metadata.nbgrader)
                    self._tell_adopted(item, other)
                    adopted = True

    def _tell_adopted(self, item: Released, other: NotebookNode):
        kind = "beside"
        if item.place in self.added:
            self.added.remove(item.place)
            self.damage.take_back("missing answer cell", item.name)
            kind = "renamed"
        self.damage.add(kind, item.name)

    def _beside(self, item: Released, cell: NotebookNode) -> NotebookNode | None:
        known = {id(other) for other in self.home.values()}
        here = self._index(cell)
        below = takewhile(lambda other: id(other) not in known, self.cells[here + 1 :])
        above = takewhile(lambda other: id(other) not in known, self.cells[:here][::-1])
        beside = [
            other
            for other in [*below, *above]
            if other.cell_type == item.cell.cell_type and other.source.strip()
        ]
        work = [other for other in beside if not item.unanswered(other)]
        if _is_code(item):  # it must share a line, such as that of its def
            work = sorted(work, key=item.likeness, reverse=True)
            work = [other for other in work[:1] if item.likeness(other) > 0]
        if item.place in self.added:  # better the student's own copy of what was released
            work += [other for other in beside if item.unanswered(other)]
        return work[0] if work else None

    def _index(self, cell: NotebookNode) -> int:
        return next(index for index, other in enumerate(self.cells) if other is cell)

    def _remove(self, cell: NotebookNode):
        del self.cells[self._index(cell)]


def _is_code(item: Released) -> bool:
    return item.cell.cell_type == "code"


def _content(cell: NotebookNode) -> tuple:
    return cell.cell_type, cell.source.strip(), cell.get("attachments")


def _change_type(cell: NotebookNode, kind: str):
    """Make a cell one of another type, with the same source."""
    cell.cell_type = kind
    for part in ("outputs", "execution_count") if kind != "code" else ("attachments",):
        cell.pop(part, None)
    if kind == "code":
        cell.outputs, cell.execution_count = [], None


def _mend_kernel(notebook: NotebookNode, released: NotebookNode) -> list[str]:
    """Set the released kernel where there is none, or one of another language."""
    theirs, right = _language(notebook), _language(released)
    if "kernelspec" in notebook.metadata and theirs == right:
        return []
    kernel = {k: deepcopy(v) for k, v in released.metadata.items() if k in KERNEL}
    if not kernel:
        return []
    for key in KERNEL:
        notebook.metadata.pop(key, None)
    notebook.metadata.update(kernel)
    if theirs in (None, right):
        return ["The notebook named no kernel; it got the released one."]
    return [f"The notebook was set to the language “{plain(theirs)}”; it is {right} again."]


def _language(notebook: NotebookNode) -> str | None:
    """Return the language that a notebook says it is in."""
    parts = [notebook.metadata.get(part) for part in KERNEL]
    spec, info = [part if isinstance(part, dict) else {} for part in parts]
    found = spec.get("language") or info.get("name")
    return found if isinstance(found, str) else None
