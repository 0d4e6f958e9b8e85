"""Everything that may happen to a file on its way here, in one class that is graded once.

Each student is mended where the meaning is plain, and the feedback says what was mended, or ends as
"needs a person" with a sentence; nobody costs anybody else a point.
"""

import csv
import html
import json
import re
import shutil
import sqlite3
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from nbgrader.converters import Autograde

from coursekit.conversion import convert
from coursekit.course import Course
from coursekit.grading.autograde import grade
from coursekit.grading.feedback import feedback
from coursekit.grading.mending import MENDED, NOTE_ID
from coursekit.grading.results import results, write_grades
from coursekit.judging.verdict import METADATA_KEY
from coursekit.release import release

from ..attacks.attacks import HONEST
from ..attacks.test_handed_in import CONFIG, judged, managed
from ..conftest import graded as roles
from ..conftest import pack_download

SCORES = {"stage2-dE-dz2": 2, "momentum-update": 3, "scale-test": 4}
BY_HAND = 3
ANSWERS = {
    "work": HONEST.replace("np.zeros(10)", "y2 - t"),
    "scale": "factor = 3\n\ndef scale(x):\n    return factor * x",
    "why": "Because the loss is a mean over the cases.",
}


def remedy(files="it"):
    """Return what a person can do, with PLACE for the student's folder."""
    return (
        f"; put the file that the student sends into PLACE, or remove {files} there to give 0 "
        "points."
    )


MEMORY = 500  # MB more than before; parsing 200 MB of outputs takes over a thousand


def source_notebook():
    """Return a notebook with two judged tasks, a plain test and a written answer."""
    stub = "factor = 3\n### BEGIN SOLUTION\n### END SOLUTION"
    test = {"grade": True, "locked": True, "points": SCORES["scale-test"]}
    written = roles(grade_id="why", grade=True, solution=True, points=BY_HAND)
    return new_notebook(
        metadata={"kernelspec": {"name": "python3", "display_name": "p", "language": "python"}},
        cells=[
            new_markdown_cell("# Tasks", id="title"),
            new_code_cell("import math", id="setup"),
            managed("work", "### BEGIN SOLUTION\n### END SOLUTION", solution=True),
            judged("stage2-dE-dz2"),
            judged("momentum-update"),
            managed("scale", stub, solution=True),
            managed("scale-test", "assert scale(2) == 6 and math.pi > 3", **test),
            new_markdown_cell("Why 1/m?", id="why", metadata=written),
        ],
    )


# --- What happens to a notebook: each takes its JSON, all answered ------------------------------


def cell(parsed, name):
    return next(cell for cell in parsed["cells"] if cell["id"] == name)


def place(parsed, name):
    return parsed["cells"].index(cell(parsed, name))


def copied(parsed, name):
    return {**deepcopy(cell(parsed, name)), "id": f"pasted-{name}"}


def in_order(parsed):
    pass


def duplicated(parsed):
    """Paste copies of an answer, of a test and of a judged cell."""
    parsed["cells"][1:1] = [copied(parsed, "scale-test")]
    parsed["cells"] += [copied(parsed, "scale"), copied(parsed, "momentum-update")]


def duplicated_and_changed(parsed):
    draft = copied(parsed, "scale")
    draft["source"] = "def scale(x):\n    return 2 * x"
    parsed["cells"].insert(place(parsed, "scale"), draft)


def split(parsed):
    lower = copied(parsed, "scale")
    first, lower["source"] = ANSWERS["scale"].split("\n\n")
    cell(parsed, "scale")["source"] = first
    parsed["cells"].insert(place(parsed, "scale") + 1, lower)


def moved(parsed):
    for name in ("momentum-update", "scale-test"):
        parsed["cells"].insert(0, parsed["cells"].pop(place(parsed, name)))


def deleted(parsed):
    for name in ("stage2-dE-dz2", "scale-test"):
        del parsed["cells"][place(parsed, name)]


def renamed_ids(parsed):
    for name in ("work", "momentum-update", "why"):
        cell(parsed, name)["metadata"]["nbgrader"]["grade_id"] = f"{name}-copy"


def another_language(parsed):
    parsed["metadata"] = {
        "kernelspec": {"name": "ir", "display_name": "R", "language": "R"},
        "language_info": {"name": "R"},
    }


def another_python(parsed):
    kernel = {"name": "conda-env-ml-py", "display_name": "ml", "language": "python"}
    parsed["metadata"] = {"kernelspec": kernel, "language_info": {"name": "python"}}


def older(minor):
    def change(parsed):
        parsed["nbformat_minor"] = minor
        for cell in parsed["cells"]:
            del cell["id"]

    return change


def newer(parsed):
    parsed["nbformat_minor"] = 99
    for cell in parsed["cells"]:
        cell["colour"] = "blue"


def third(parsed):
    """Turn the notebook into nbformat 3."""
    older(0)(parsed)
    for cell in parsed["cells"]:
        cell |= {"input": cell.pop("source")} if cell["cell_type"] == "code" else {}
    parsed["nbformat"] = 3
    parsed["worksheets"] = [{"cells": parsed.pop("cells"), "metadata": {}}]


# --- What happens to a file: each makes the bytes of it ----------------------------------------


def text(parsed, change=in_order):
    parsed = deepcopy(parsed)
    change(parsed)
    return json.dumps(parsed, ensure_ascii=False, indent=1)


def file(change=in_order, encoding="utf-8"):
    return lambda parsed: text(parsed, change).encode(encoding)


def large(parsed):
    """Give a cell outputs of 200 MB; they are written piece by piece."""
    cell(parsed, "work")["outputs"] = [{"output_type": "stream", "name": "stdout", "text": ["…"]}]
    start, end = text(parsed).split('"…"')
    lines = b'"loss 0.3, [1] of\\n",\n' * 100_000
    return [start.encode(), *[lines] * 100, b'""', end.encode()]


def merge(ours, theirs):
    """Leave the marks of a merge around every line that holds the one text, and its rival."""

    def change(line):
        rival = line.replace(ours, theirs)
        return f"<<<<<<< HEAD\n{line}\n=======\n{rival}\n>>>>>>> main" if ours in line else line

    return lambda parsed: "\n".join(map(change, text(parsed).split("\n"))).encode()


def with_another_factor(parsed):
    return text(parsed).replace("factor = 3", "factor = 4").encode()


def zipped(name, make):
    return lambda parsed: pack_download({name: make(parsed), "notes.txt": "Done."})


PAGE = b"<!DOCTYPE html>\n<html><head><title>Log in</title></head><body></body></html>"


@dataclass(frozen=True)
class Case:
    """What a student handed in: bytes, or what makes them of the answered notebook, by path.

    `told` is what the student and the instructor are told.
    """

    files: dict
    told: tuple[str, ...] = ()


def mended(content, *told, name="tasks.ipynb"):
    return Case({name: content}, told)


def found(path, content=None, where=None):
    return Case({path: content or file()}, (f"tasks.ipynb was found as {where or path}.",))


def unclear(content, *told):
    return Case(
        {"tasks.ipynb": content},
        tuple(f"tasks.ipynb: {one}{remedy('tasks.ipynb')}" for one in told),
    )


OLDER = "The notebook was in the older format {}; it was brought to 4.5."
ODD_IDS = ["a b", "Müller", "王小雨", "x[1]+(y)*.$", "a{b}", "{student_id}", "<b>%s", "'\""]
GRADED = {
    "in order": mended(file()),
    "duplicated": mended(
        file(duplicated),
        "The cells momentum-update, scale and scale-test were there more than once; each was kept "
        "once.",
    ),
    "duplicated and changed": mended(
        file(duplicated_and_changed),
        "The answer cell scale was there more than once, with different answers; the last counts, "
        "and the others stay as ordinary cells.",
    ),
    "split": mended(
        file(split),
        "The answer cell scale was there more than once, with different answers; the last counts, "
        "and the others stay as ordinary cells.",
    ),
    "moved": mended(
        file(moved),
        "The cells momentum-update and scale-test had been moved; they stand in their places "
        "again.",
    ),
    "deleted": mended(
        file(deleted),
        "The test cells stage2-dE-dz2 and scale-test were missing; they were put back.",
    ),
    "renamed ids": mended(
        file(renamed_ids),
        "The cells work, momentum-update and why did not carry their grade ids any more; they were "
        "known by their ids or their text.",
    ),
    "another language": mended(
        file(another_language), "The notebook was set to the language “R”; it is python again."
    ),
    "another python": mended(file(another_python)),
    "nbformat 3": mended(file(third), OLDER.format("3.0")),
    **{f"4.{minor}": mended(file(older(minor)), OLDER.format(f"4.{minor}")) for minor in range(5)},
    "4.99": mended(file(newer)),
    "utf-16": mended(file(encoding="utf-16"), "The file was in UTF-16; it was turned into UTF-8."),
    "mark": mended(
        file(encoding="utf-8-sig"), "The file began with a byte-order mark, which was taken off."
    ),
    "200 MB": mended(large),
    "merge of the same": mended(
        merge('"execution_count": null', '"execution_count": 7'),
        "The file held the marks of an unfinished merge; both sides have the same cells, and the "
        "marks were taken out.",
    ),
    "renamed": found("Tasks (final) – Ü.ipynb"),
    "folder": found("work/round/tasks.ipynb"),
    "zip": found("work.zip", zipped("all/tasks.ipynb", file()), "work.zip/all/tasks.ipynb"),
    "markup": found("<img src=x>/<b>x</b>.ipynb"),
    "markdown": found("~~~ **a** $x$ <script>y<.ipynb"),
    "rich": found("[red]x[/b].ipynb"),
    "the same twice": Case(
        {"tasks.ipynb": file(), "tasks (1).ipynb": file()},
        ("tasks (1).ipynb has the same answers, or fewer; it was left aside.",),
    ),
    "a good copy of a damaged one": Case(
        {"tasks.ipynb": b"", "tasks (1).ipynb": file(older(4))},
        (
            "tasks.ipynb was found as tasks (1).ipynb.",
            "tasks.ipynb cannot be graded and was left aside: The file is empty.",
            OLDER.format("4.4"),
        ),
    ),
    **{name: mended(file()) for name in ODD_IDS},
}
UNCLEAR = {
    "invalid": unclear(
        lambda parsed: text(parsed).replace('"cells": [', '"cells": [,').encode(),
        'The file is damaged: it is no valid JSON near “{ "cells": [, { "cell_type": "markdow”',
    ),
    "truncated": unclear(
        lambda parsed: text(parsed).encode()[:1000],
        "The file breaks off in the middle, after 1000 bytes",
    ),
    "empty": unclear(b"", "The file is empty"),
    "merge of two": unclear(
        merge("a mean over", "a sum over"),
        "The file holds an unfinished merge of two versions, which differ in why",
    ),
    "web page": unclear(PAGE, "The file is a web page (HTML), not a notebook"),
    "another notebook": unclear(
        nbformat.writes(new_notebook(cells=[new_code_cell("x = 1", id="x")])).encode(),
        "The notebook has no cell of the released one; it may be another",
    ),
    "damaged zip": Case(
        {"work.zip": b"PK\x03\x04 no more"},
        (f"tasks.ipynb cannot be found, unless it is work.zip (the zip is damaged){remedy()}",),
    ),
    "two different": Case(
        {
            "tasks.ipynb": file(),
            "final/tasks.ipynb": with_another_factor,
        },
        (
            "It is not plain which of tasks.ipynb and final/tasks.ipynb is tasks.ipynb: they "
            "differ in scale; keep only the one that counts in PLACE.",
        ),
    ),
    "only a pdf": Case(
        {"report.pdf": b"%PDF-1.7"},
        (f"There is no notebook, only a PDF: report.pdf{remedy('report.pdf')}",),
    ),
    "markup in the name": Case(
        {"<b>x</b>.ipynb": b""},
        (
            "tasks.ipynb cannot be found, unless it is <b>x</b>.ipynb (The file is empty)"
            + remedy(),
        ),
    ),
}
CASES = {**GRADED, **UNCLEAR}
each_graded = pytest.mark.parametrize("student", GRADED)
each_unclear = pytest.mark.parametrize("student", UNCLEAR)
each_student = pytest.mark.parametrize("student", CASES)


# --- The class, graded once; graded again; and graded when the damaged files were replaced ------


def answered(course):
    """Return the JSON of a notebook with all answers."""
    parsed = json.loads((course.release / "round" / "tasks.ipynb").read_text("utf-8"))
    for name, source in ANSWERS.items():
        cell(parsed, name)["source"] = source
    return parsed


def hand_in(course, student, files):
    for name, content in files.items():
        path = course.submitted / student / "round" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        content = content if isinstance(content, bytes) else content(answered(course))
        with path.open("wb") as opened:
            opened.writelines([content] if isinstance(content, bytes) else content)


def remember_peak():
    """Let the system forget the most memory that this process has used."""
    Path("/proc/self/clear_refs").write_text("5")


def peak():
    """Return the most memory that this process has used since then, in MB."""
    return int(re.search(r"VmHWM:\s*(\d+)", Path("/proc/self/status").read_text())[1]) >> 10


@dataclass(frozen=True)
class Run:
    """What a grading run left, by student; `memory` in MB is what it took beside that before."""

    outcomes: dict
    results: dict
    rows: dict
    grades: dict
    memory: int


def run(course):
    remember_peak()
    before = peak()
    outcomes = {outcome.student: outcome for outcome in grade(course, "round")}
    memory = peak() - before
    listed = results(course, "round")
    write_grades(listed, course.root / "grades.csv")
    with (course.root / "grades.csv").open(encoding="utf-8", newline="") as opened:
        rows = {row["student"]: row for row in csv.DictReader(opened)}
    return Run(outcomes, {one.student: one for one in listed}, rows, gradebook_of(course), memory)


def gradebook_of(course):
    """Return by student the grade rows: by cell the automatic points, and whether a person is due.

    They are read from the database itself: nbgrader's objects add points up in their own way.
    """
    grades = {}
    with sqlite3.connect(course.root / "gradebook.db") as database:
        for student, name, score, by_hand in database.execute(
            "SELECT s.student_id, c.name, g.auto_score, g.needs_manual_grade"
            " FROM grade g JOIN submitted_notebook n ON g.notebook_id = n.id"
            " JOIN submitted_assignment s ON n.assignment_id = s.id"
            " JOIN base_cell c ON g.cell_id = c.id"
        ):
            grades.setdefault(student, {})[name] = (score, bool(by_hand))
    return grades


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    root = tmp_path_factory.mktemp("template") / "course"
    (root / "source" / "round").mkdir(parents=True)
    shutil.copy(CONFIG, root)
    nbformat.write(source_notebook(), root / "source" / "round" / "tasks.ipynb")
    release(Course(root), "round")
    return root


@pytest.fixture(scope="module")
def course(template, tmp_path_factory):
    """The course with the whole class; the large file goes when all is done."""
    course = Course(shutil.copytree(template, tmp_path_factory.mktemp("class") / "course"))
    for student, case in CASES.items():
        hand_in(course, student, case.files)
    size = (course.submitted / "200 MB" / "round" / "tasks.ipynb").stat().st_size
    assert size > 200 * 2**20
    yield course
    (course.submitted / "200 MB" / "round" / "tasks.ipynb").unlink()


@pytest.fixture(scope="module")
def first(course):
    return run(course)


@pytest.fixture(scope="module")
def pages(course, first):
    """What `feedback` says, and the pages by student."""
    told = feedback(course, "round")
    return told, {
        path.parent.parent.name: path.read_text("utf-8")
        for path in course.feedback.glob("*/round/tasks.html")
    }


@pytest.fixture(scope="module")
def second(course, first, pages):
    return run(course)


@pytest.fixture(scope="module")
def replaced(course, second):
    for student in UNCLEAR:
        shutil.rmtree(course.submitted / student)
        hand_in(course, student, {"tasks.ipynb": file()})
    return run(course)


FULL = {name: (score, False) for name, score in SCORES.items()} | {"why": (None, True)}


def assert_full_marks(run, student):
    assert run.grades[student] == FULL
    result = run.results[student]
    assert (result.state, result.score, result.lost) == ("graded", sum(SCORES.values()), ())
    assert result.needs_manual == BY_HAND
    row = run.rows[student]
    assert (row["state"], row["total"], row["by_hand"]) == ("graded", "9", "3")


def test_everybody_is_told_of(first):
    assert list(first.outcomes) == list(first.results) == list(first.rows) == sorted(CASES)


@each_graded
def test_plain_case_is_graded_with_full_marks(first, student):
    outcome = first.outcomes[student]
    assert (outcome.status, outcome.detail) == ("graded", " ".join(GRADED[student].told))
    assert_full_marks(first, student)


@each_graded
def test_graded_notebook_says_what_was_mended_and_nothing_else(course, first, student):
    notebook = nbformat.read(
        course.autograded / student / "round" / "tasks.ipynb", as_version=nbformat.NO_CONVERT
    )
    told = list(GRADED[student].told)
    assert notebook.metadata.get(METADATA_KEY, {}).get(MENDED, []) == told
    assert [one.id for one in notebook.cells].count(NOTE_ID) == bool(told)
    assert (notebook.cells[0].id == NOTE_ID) == bool(told)
    assert first.results[student].mended == bool(told)


@each_graded
def test_no_other_notebook_lies_beside_the_graded_one_or_its_page(course, pages, student):
    graded, page = (
        [path.name for path in (folder / student / "round").rglob("*.*") if path.is_file()]
        for folder in (course.autograded, course.feedback)
    )
    assert [name for name in graded if name.endswith("ipynb")] == ["tasks.ipynb"]
    assert [name for name in page if name.endswith(("ipynb", "html"))] == ["tasks.html"]


@each_graded
def test_feedback_says_what_was_mended_and_shows_no_file_name_as_markup(pages, student):
    told, written = pages
    assert told[student] == ""
    page = written[student]
    words = " ".join(html.unescape(re.sub("<[^>]*>", "", page)).split())
    for sentence in GRADED[student].told:
        assert sentence in words
    assert ("This notebook was mended" in words) == bool(GRADED[student].told)
    for markup in ("<img src=x", "<b>x", "<b>%s", "<script>y", "<strong>a<"):
        assert markup not in page


def test_feedback_is_written_for_the_graded_alone(pages):
    told, written = pages
    assert sorted(told) == sorted(written) == sorted(GRADED)


@each_unclear
def test_unclear_case_needs_a_person_who_is_told_what_to_do(course, first, student):
    (sentence,) = UNCLEAR[student].told
    sentence = sentence.replace("PLACE", f"submitted/{student}/round")
    outcome = first.outcomes[student]
    assert (outcome.status, outcome.detail) == ("needs a person", sentence)
    result = first.results[student]
    assert (result.state, result.trouble) == ("needs a person", sentence)
    row = first.rows[student]
    assert (row["state"], row["why"]) == ("needs a person", f"needs a person: {sentence}")
    assert (row["total"], row["max"]) == ("", "")
    assert student not in first.grades
    assert not (course.autograded / student / "round").exists()


def test_memory_stays_small_beside_a_notebook_of_200_mb(first):
    assert first.memory < MEMORY


@each_graded
def test_second_run_keeps_what_is_graded(second, student):
    assert second.outcomes[student].status == "kept"
    assert_full_marks(second, student)


@each_unclear
def test_second_run_says_the_same_of_what_is_unclear(first, second, student):
    assert second.outcomes[student] == first.outcomes[student]
    assert second.results[student] == first.results[student]


@each_student
def test_good_file_in_place_of_a_damaged_one_is_graded(replaced, student):
    expected = "graded" if student in UNCLEAR else "kept"
    assert (replaced.outcomes[student].status, replaced.outcomes[student].detail) == (expected, "")
    assert_full_marks(replaced, student)


def test_class_has_full_marks_in_the_end(replaced):
    assert replaced.grades == dict.fromkeys(CASES, FULL)


@pytest.mark.parametrize(
    "student", ["duplicated", "split", "moved", "deleted", "renamed ids", "another language"]
)
def test_stock_autograde_mends_the_same(template, tmp_path, student):
    course = Course(shutil.copytree(template, tmp_path / "course"))
    hand_in(course, student, GRADED[student].files)
    convert(Autograde, course, "round", student)
    assert gradebook_of(course) == {student: FULL}
    notebook = nbformat.read(course.autograded / student / "round" / "tasks.ipynb", as_version=4)
    assert notebook.metadata[METADATA_KEY][MENDED] == list(GRADED[student].told)


# --- What nbgrader cannot take -----------------------------------------------------------------


def assert_needs_a_person(course, student, words):
    """Assert that one is told, twice the same, and that the other, ``a``, is not touched."""
    for status in ("graded", "kept"):
        here = run(course)
        assert here.outcomes["a"].status == status
        assert_full_marks(here, "a")
        outcome = here.outcomes[student]
        assert outcome.status == "needs a person"
        for word in words:
            assert word in outcome.detail
        result = here.results[student]
        assert (result.state, result.trouble) == ("needs a person", outcome.detail)
        assert [row["state"] for row in here.rows.values()].count("needs a person") == 1
        assert here.grades == {"a": FULL}
        assert feedback(course, "round") == {"a": ""}


@pytest.mark.parametrize("student", [" a", "a ", "a\n", "a\nb", "a\udcff"])
def test_id_that_nbgrader_cannot_keep_needs_a_person(template, tmp_path, student):
    course = Course(shutil.copytree(template, tmp_path / "course"))
    for one in ("a", student):
        hand_in(course, one, {"tasks.ipynb": file()})
    assert_needs_a_person(course, student, ["id", "rename the folder"])


@pytest.mark.parametrize("written", [b"noon", "2026-11-20 12:00:00 UTC".encode("utf-16")])
def test_time_that_is_no_time_needs_a_person(template, tmp_path, written):
    course = Course(shutil.copytree(template, tmp_path / "course"))
    hand_in(course, "a", {"tasks.ipynb": file()})
    hand_in(course, "b", {"tasks.ipynb": file(), "timestamp.txt": written})
    assert_needs_a_person(course, "b", ["timestamp.txt", "UTC"])
