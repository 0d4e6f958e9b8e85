"""Which file that a student handed in is which notebook, whatever its name and folder."""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

from nbformat import NotebookNode

from coursekit.grading.files import Others, look_through
from coursekit.grading.matching import Released, claim
from coursekit.grading.reading import Read, read_notebook
from coursekit.grading.repair import mend
from coursekit.grading.wording import NeedsPerson, listing, plain, sentence

FOUND = "found"
MISSING = "missing"
NEEDS_PERSON = "needs a person"
LONGEST_PLACE = 200  # characters of submitted/<student>/<assignment> in a sentence
ENOUGH = 0.5  # of a release's cell ids, where nothing else tells whose a notebook is


@dataclass(frozen=True)
class Found:
    """What became of the search for one notebook.

    Attributes
    ----------
    status : str
        ``found``, ``missing`` or ``needs a person``.
    path : str
        Where it was found, relative to the student's folder, with a zip as if it were a folder;
        empty if it was not.
    notebook : nbformat.NotebookNode or None
        As `read_notebook` returns it: `mend` can mend its cells, and has not done so yet.
    sentences : tuple of str
        Where it was found if that was not plain; or why it is missing, or why it needs a person
        and what that person can do.
    mended : tuple of str
        What was mended on reading it.
    """

    status: str
    path: str = ""
    notebook: NotebookNode | None = None
    sentences: tuple[str, ...] = ()
    mended: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Candidate:
    """A file that may be a certain notebook; `read` is None if it cannot be graded."""

    path: str
    read: Read | None
    problem: str = ""
    answers: dict[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return unicodedata.normalize("NFC", PurePosixPath(self.path).stem)

    def told(self) -> str:
        """Return the path, with the reason if the file cannot be graded."""
        return f"{plain(self.path)} ({self.problem})" if self.problem else plain(self.path)


def find_notebooks(folder: Path, released: Mapping[str, NotebookNode]) -> dict[str, Found]:
    """Find each expected notebook among a student's files, in sub-folders and zips too.

    A file is known by its name, and otherwise by the grade ids and cell ids that it shares with
    one release. Of several files that are the same notebook, one whose answers include those of
    all others is taken, at best the one with the right name in the right place; where two hold
    different answers to a question, a person has to say which one counts.

    Parameters
    ----------
    folder : path
        What one student handed in; nothing in it is trusted.
    released : mapping of str to nbformat.NotebookNode
        By its name, without ``.ipynb``, each notebook as the students got it.

    Returns
    -------
    dict of str to Found
        One for each name of `released`, in that order.
    """
    candidates: dict[str, list[_Candidate]] = {name: [] for name in released}
    strangers: list[_Candidate] = []

    def take(path: str, data: bytes):
        candidate = _read(path, data)
        name = _whose(candidate, released)
        (strangers if name is None else candidates[name]).append(candidate)

    others = look_through(folder, take)
    place = plain("/".join(Path(folder).parts[-3:]), LONGEST_PLACE)
    absent = [name for name in released if not candidates[name]]
    return {
        name: _choose(name, candidates[name], release, place)
        if candidates[name]
        else _absent(name, absent, others, strangers, place, nothing=len(absent) == len(released))
        for name, release in released.items()
    }


def unclear(search: Mapping[str, Found]) -> str:
    """Join the sentences about what needs a person.

    Parameters
    ----------
    search : mapping of str to Found
        What `find_notebooks` found.

    Returns
    -------
    str
        Empty if nothing does.
    """
    needy = [found for found in search.values() if found.status == NEEDS_PERSON]
    return " ".join(dict.fromkeys(words for found in needy for words in found.sentences))


def _read(path: str, data: bytes) -> _Candidate:
    try:
        return _Candidate(path, read_notebook(data))
    except NeedsPerson as problem:
        return _Candidate(path, None, _reason(problem))


def _reason(problem: NeedsPerson) -> str:
    return str(problem).rstrip(".")


def _whose(candidate: _Candidate, released: Mapping[str, NotebookNode]) -> str | None:
    """Tell which notebook a file is; None if that is not plain."""
    names = {unicodedata.normalize("NFC", name): name for name in released}
    named = names.get(candidate.name)
    if candidate.read is None:
        return named
    cells = candidate.read.notebook.cells
    shared = {name: _shared(cells, release) for name, release in released.items()}
    if named is not None and (shared[named][0] or not any(s[0] for s in shared.values())):
        return named
    best = max(shared.values(), default=(0, 0))
    kin = [name for name, share in shared.items() if share == best]
    return kin[0] if len(kin) == 1 and best > (0, 0) else named


def _shared(cells: list[NotebookNode], release: NotebookNode) -> tuple[int, int]:
    """Count the grade ids and the cell ids in common; too few cell ids count as none."""
    items = [Released(cell, place) for place, cell in enumerate(release.cells)]
    grade_ids = {item.name for item in items if item.managed} & {claim(cell) for cell in cells}
    cell_ids = {item.cell_id for item in items} & {cell.id for cell in cells}
    return len(grade_ids), len(cell_ids) if len(cell_ids) >= ENOUGH * len(items) else 0


def _choose(name: str, candidates: list[_Candidate], release: NotebookNode, place: str) -> Found:
    """Choose among the files that are one notebook."""
    file_name = f"{name}.ipynb"
    # The right name in the right place first, then the right name elsewhere.
    candidates.sort(key=lambda one: (one.name != _nfc(name), one.path.count("/"), one.path))
    candidates = [_with_answers(one, release) for one in candidates]
    fit = [one for one in candidates if one.read is not None]
    unfit = [one for one in candidates if one.read is None]
    if not fit:
        return _needs_person(_unfit(unfit, file_name), place, _paths(unfit))
    chosen = next(
        (one for one in fit if all(one.answers.items() >= o.answers.items() for o in fit)), None
    )
    if chosen is None:
        return Found(NEEDS_PERSON, sentences=(_undecided(file_name, fit, place),))
    if unfit and not chosen.answers:
        problem = f"{plain(chosen.path)} holds no answer, and {_unfit(unfit)}"
        return _needs_person(problem, place, _paths(unfit))
    done = []
    if _nfc(chosen.path) != _nfc(file_name):
        done.append(f"{file_name} was found as {plain(chosen.path)}.")
    rest = [one.path for one in fit if one is not chosen]
    if rest:
        done.append(
            sentence(
                rest,
                "{} has the same answers, or fewer; it was left aside.",
                "{} have the same answers, or fewer; they were left aside.",
            )
        )
    done += [
        f"{plain(one.path)} cannot be graded and was left aside: {one.problem}." for one in unfit
    ]
    return Found(FOUND, chosen.path, chosen.read.notebook, tuple(done), chosen.read.mended)


def _nfc(text: str) -> str:
    return unicodedata.normalize("NFC", text)


def _with_answers(candidate: _Candidate, release: NotebookNode) -> _Candidate:
    """Add the answers by grade id, without those that are blank or as released."""
    if candidate.read is None:
        return candidate
    try:
        cells = mend(candidate.read.notebook, release).notebook.cells
    except NeedsPerson as problem:
        return _Candidate(candidate.path, None, _reason(problem))
    items = [Released(cell, place) for place, cell in enumerate(release.cells)]
    stubs = {item.name: item for item in items if item.answer}
    answers = {
        claim(cell): repr((cell.source.strip(), cell.get("attachments")))
        for cell in cells
        if claim(cell) in stubs and not stubs[claim(cell)].unanswered(cell)
    }
    return replace(candidate, answers=answers)


def _needs_person(problem: str, place: str, files: str) -> Found:
    """Say what the matter is, and what to do about which files in the student's folder."""
    remedy = f"put the file that the student sends into {place}, or remove {files} there to give 0"
    return Found(NEEDS_PERSON, sentences=(f"{problem}; {remedy} points.",))


def _paths(candidates: list[_Candidate]) -> str:
    return listing([one.path for one in candidates])


def _unfit(candidates: list[_Candidate], file_name: str = "") -> str:
    """Say why files cannot be graded."""
    if [one.path for one in candidates] == [file_name]:
        return f"{file_name}: {candidates[0].problem}"
    problems = "; ".join(dict.fromkeys(one.problem for one in candidates))
    return f"{_paths(candidates)} cannot be graded: {problems}"


def _undecided(file_name: str, candidates: list[_Candidate], place: str) -> str:
    """Name the files of which none has all answers, and the cells in which they differ."""
    cells = dict.fromkeys(cell for one in candidates for cell in one.answers)
    differ = [cell for cell in cells if len({one.answers.get(cell) for one in candidates}) > 1]
    return (
        f"It is not plain which of {_paths(candidates)} is {file_name}: they differ in "
        f"{listing(differ)}; keep only the one that counts in {place}."
    )


def _absent(
    name: str,
    absent: list[str],
    others: Others,
    strangers: list[_Candidate],
    place: str,
    nothing: bool,
) -> Found:
    """Say what is known of a notebook that is not there, of several at once where it is the same.

    Parameters
    ----------
    absent : list of str
        All that are not there, `name` among them.
    nothing : bool
        Whether no notebook is.
    """
    unclear = [stranger.told() for stranger in strangers] + others.problems
    if unclear:
        if len(unclear) > 3:
            unclear[3:] = [f"one of {len(unclear) - 3} more files"]
        wanted = listing([f"{one}.ipynb" for one in absent])
        may_be = "it is" if len(absent) == 1 else "one of them is"
        problem = f"{wanted} cannot be found, unless {may_be} {' or '.join(unclear)}"
        return _needs_person(problem, place, "it" if len(unclear) == 1 else "these")
    if nothing and others.pdfs:
        pdfs = listing(others.pdfs)
        return _needs_person(f"There is no notebook, only a PDF: {pdfs}", place, pdfs)
    return Found(MISSING, sentences=(f"{name}.ipynb was not handed in.",))
