"""Which file is which notebook of the round? A notebook is known by its cells, not its name."""

import warnings
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from nnlab.handing_in.cells import grade_id, left_to_do
from nnlab.handing_in.released import CELLS
from nnlab.handing_in.trouble import MEGABYTE, HandInError, in_words

LARGEST = 100 * MEGABYTE  # of a file that is read at all
LARGE = 5 * MEGABYTE  # beyond that it is handed in without outputs
ENOUGH = 0.5  # of the released cells, to know a notebook whatever its name
CLEAR = "choose Edit → Clear Outputs of All Cells, save, and run it again"


@dataclass(frozen=True)
class Notebook:
    """A student's notebook.

    Attributes
    ----------
    name : str
        As it was released, without ``.ipynb``; a file that is none of the round has its own name.
    path : Path
    saved : float
        When, in seconds since 1970.
    data : bytes
        The file.
    node : nbformat.NotebookNode or None
        None if it cannot be read.
    problem : str
        Why it cannot be read.
    """

    name: str
    path: Path
    saved: float
    data: bytes
    node: object = None
    problem: str = ""

    @property
    def runs(self) -> list[tuple[int, str]]:
        """Execution count and source of each code cell that was run."""
        cells = self.node.cells if self.node else []
        counted = [(cell.get("execution_count"), cell.source) for cell in cells]
        return [(count, source) for count, source in counted if count is not None]

    def handed_in(self) -> bytes:
        """Return what is handed in: the file, without outputs if they make it too large.

        Returns
        -------
        bytes
        """
        if len(self.data) <= LARGE or self.node is None:
            return self.data
        import copy

        import nbformat

        lean = copy.deepcopy(self.node)
        for cell in lean.cells:
            if cell.cell_type == "code":
                cell.outputs = []
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return nbformat.writes(lean).encode()


def read_notebooks(folder: Path) -> list[Notebook]:
    """Read all notebooks in a folder, those of the round and others.

    Parameters
    ----------
    folder : Path

    Returns
    -------
    list of Notebook

    Raises
    ------
    HandInError
        If the folder cannot be read.
    """
    try:
        paths = sorted(path for path in folder.iterdir() if path.suffix.lower() == ".ipynb")
        return [_read(path) for path in paths if path.is_file() and path.name[0] != "."]
    except OSError as problem:
        raise HandInError(
            f"{problem.filename}: {problem.strerror}; start hand_in() in the folder of your "
            "notebooks."
        ) from None


def _read(path: Path) -> Notebook:
    state = path.stat()
    data = path.read_bytes() if state.st_size <= LARGEST else b""
    unread = partial(Notebook, path.stem, path, state.st_mtime, data, None)
    if state.st_size > LARGEST:
        return unread(f"too large ({in_words(state.st_size)}); {CLEAR}")
    if not data.strip(b"\0 \t\r\n"):
        return unread(f"empty; {_remedy(path)}")
    try:
        node = _parse(data)
        shares = {name: _share(node, names) for name, names in CELLS.items()}
    except Exception:  # a damaged file makes nbformat raise nearly anything
        return unread(f"damaged, not a notebook; {_remedy(path)}")
    best = max(shares, key=shares.get)
    name = best if shares[best] >= ENOUGH else path.stem
    return Notebook(name, path, state.st_mtime, data, node)


def _parse(data: bytes):
    import nbformat

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        node = nbformat.reads(data.decode("utf-8-sig"), as_version=4)
    if not all(map(_is_sound, node.cells)):
        raise ValueError("a cell that is none")
    return node


def _is_sound(cell) -> bool:
    return (
        isinstance(cell.get("cell_type"), str)
        and isinstance(cell.source, str)
        and isinstance(cell.metadata, dict)
        and isinstance(cell.get("execution_count"), int | None)
        and all(isinstance(output, dict) for output in cell.get("outputs", []))
    )


def _share(node, names: list[str]) -> float:
    return len(set(names) & set(map(grade_id, node.cells))) / len(names)


def _remedy(path: Path) -> str:
    earlier = path.parent / ".ipynb_checkpoints" / f"{path.stem}-checkpoint.ipynb"
    if earlier.is_file():
        return f"Jupyter keeps an earlier state of it: {earlier.relative_to(path.parent)}"
    return "open it in Jupyter and save it, or fetch it from a backup"


def choose(notebooks: list[Notebook]) -> tuple[list[Notebook], list[str]]:
    """Choose the file of each released notebook, and say what is missing or looks wrong.

    Parameters
    ----------
    notebooks : list of Notebook

    Returns
    -------
    chosen : list of Notebook
        In the order of the release; those that are missing are left out.
    found : list of str
        One line a finding.
    """
    chosen, found = [], []
    for name in CELLS:
        files = [item for item in notebooks if item.name == name]
        if not files:
            found.append(f"{name}.ipynb: it is not here; is it in another folder?")
            continue
        item, doubts = _choose(name, files)
        chosen.append(item)
        if item.node is None:
            doubts.append(item.problem)
        else:
            doubts += left_to_do(name, item.node)
            if len(item.data) > LARGE:
                doubts.append(
                    f"it is large ({in_words(len(item.data))}), so it goes without its outputs, "
                    "which are in the PDF"
                )
        found += [f"{item.path.name}: {doubt}" for doubt in doubts]
    return chosen, found


def _choose(name: str, files: list[Notebook]) -> tuple[Notebook, list[str]]:
    """Choose among files that are the same notebook: the right name first, then the newest."""
    right = [item for item in files if item.path.name == f"{name}.ipynb" and item.node]
    readable = [item for item in files if item.node] or files
    item = right[0] if right else max(readable, key=lambda item: item.saved)
    doubts = []
    if item.path.name != f"{name}.ipynb":
        doubts.append(f"it is handed in as {name}.ipynb; is it the file you worked in?")
    doubts += [
        f"{other.path.name} cannot be read and is not handed in: it is {other.problem}"
        for other in files
        if other is not item and other.node is None
    ]
    newer = [other for other in files if other is not item and other.saved > item.saved]
    doubts += [
        f"{other.path.name} is newer, but is not handed in; rename it if it is the right one"
        for other in newer
    ]
    return item, doubts
