"""Which mistakes the class made, how often, and where."""

from collections import defaultdict
from dataclasses import dataclass, field
from functools import cache

from coursekit.judging.rounds import TASKS
from coursekit.judging.verdict import Finding
from coursekit.report.reading import ClassRead, Question

BLANK = "not answered"
FAILED = "an error, or out of time"
UNKNOWN = "wrong in another way"
KINDS = (BLANK, FAILED, UNKNOWN)


@dataclass
class MistakeFigures:
    """One mistake, over the class: what the catalogue has one sentence for.

    Attributes
    ----------
    name : str
        A few words; those of the first question in which it was met.
    sentence : str
        The catalogue's, as the students read it in their feedback.
    cells : list of str
        Grade ids of the questions in which it was made.
    students : list of str
        Who made it.
    of : int
        How many handed in a notebook in which it was met.
    points : float
        What it cost the class.
    """

    name: str
    sentence: str
    cells: list[str] = field(default_factory=list)
    students: list[str] = field(default_factory=list)
    of: int = 0
    points: float = 0.0


@dataclass
class Unexplained:
    """What went wrong in a question without a name for it: kind of trouble and who had it."""

    question: Question
    kind: str
    students: list[str] = field(default_factory=list)


def mistake_figures(read: ClassRead) -> list[MistakeFigures]:
    """Count the known mistakes, the most frequent first; each student counts once.

    Parameters
    ----------
    read : ClassRead

    Returns
    -------
    list of MistakeFigures
    """
    found: dict[str, MistakeFigures] = {}
    homes: dict[str, set[str]] = defaultdict(set)
    for student, question, finding in _findings(read):
        sentence = finding.problem
        if not _is_known(finding):
            continue
        figures = found.setdefault(sentence, MistakeFigures(finding.mistake, sentence))
        homes[sentence].add(question.notebook)
        _once(figures.students, student)
        _once(figures.cells, question.cell)
        figures.points += finding.worth
    for sentence, figures in found.items():
        figures.of = sum(
            any(name in notebooks and notebooks[name].there for name in homes[sentence])
            for notebooks in read.notebooks.values()
        )
    return sorted(found.values(), key=lambda one: (-len(one.students), -one.points, one.name))


def unexplained(read: ClassRead) -> list[Unexplained]:
    """Count what was wrong without being a known mistake, by question.

    Parameters
    ----------
    read : ClassRead

    Returns
    -------
    list of Unexplained
        The most frequent first.
    """
    found: dict[tuple[Question, str], Unexplained] = {}
    for student, question, finding in _findings(read):
        if not _is_known(finding):
            key = (question, _kind(finding))
            _once(found.setdefault(key, Unexplained(*key)).students, student)
    return sorted(found.values(), key=lambda one: -len(one.students))


def by_question(found: list[Unexplained]) -> dict[Question, dict[str, int]]:
    """Count students by question and by kind of trouble.

    Parameters
    ----------
    found : list of Unexplained

    Returns
    -------
    dict
        Numbers of students by kind, by question; the question with most trouble first.
    """
    counts: dict[Question, dict[str, int]] = {}
    for one in found:
        counts.setdefault(one.question, dict.fromkeys(KINDS, 0))[one.kind] = len(one.students)
    return dict(sorted(counts.items(), key=lambda item: -sum(item[1].values())))


def _findings(read: ClassRead):
    """Yield each finding that does not hold, with its student and its question."""
    for student, notebooks in read.notebooks.items():
        for question in read.questions:
            graded = notebooks.get(question.notebook)
            verdict = graded.verdicts.get(question.cell) if graded else None
            for finding in verdict.findings if verdict else ():
                if not finding.holds:
                    yield student, question, finding


def _is_known(finding: Finding) -> bool:
    """Tell whether the catalogue of today has a sentence for what was found at the grading."""
    return finding.mistake is not None and finding.problem in _sentences()


@cache
def _sentences() -> set[str]:
    return {mistake.sentence for task in TASKS.values() for mistake in task.mistakes}


def _kind(finding: Finding) -> str:
    if not finding.problem.startswith("No answer"):
        return UNKNOWN
    return BLANK if "not answered yet" in finding.problem else FAILED


def _once(names: list[str], name: str):
    if name not in names:
        names.append(name)
