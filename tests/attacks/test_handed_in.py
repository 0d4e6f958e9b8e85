"""Hostile notebooks through nbgrader's whole autograder, the gradebook and the feedback."""

import json
import shutil
from pathlib import Path

import nbformat
import numpy as np
import pytest
from nbconvert.exporters import HTMLExporter
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from nbgrader.server_extensions.formgrader import handlers
from traitlets.config import Config

from coursekit.course import Course
from coursekit.grading.autograde import grade
from coursekit.grading.feedback import feedback
from coursekit.grading.outcome import GRADED
from coursekit.judging import marking
from coursekit.judging.preprocessors import MIME
from coursekit.judging.round09 import TASKS
from coursekit.judging.verdict import METADATA_KEY, read_verdict
from coursekit.release import release

from .attacks import HONEST, RAW

pytestmark = [  # nbgrader mends missing and doubled cells, and says so by warnings
    pytest.mark.filterwarnings("ignore::nbformat.warnings.MissingIDFieldWarning"),
    pytest.mark.filterwarnings("ignore::nbformat.warnings.DuplicateCellId"),
]

CONFIG = Path(__file__).parents[2] / "nbgrader_config.py"
WRONG, RIGHT = "stage2-dE-dz2", "momentum-update"
ALL_TAGS = ["skip-execution", "remove-cell", "remove_cell", "raises-exception", "hide-input"]
ALL_TAGS += ["remove-input", "remove_input", "remove-output", "hide", "instructor", "parameters"]


def managed(grade_id, source, **role):
    defaults = {"schema_version": 3, "grade": False, "solution": False, "locked": False}
    role = {**defaults, "task": False, "grade_id": grade_id, **role}
    return new_code_cell(source, id=grade_id, metadata={"nbgrader": role})


def judged(name):
    hidden = f'### BEGIN HIDDEN TESTS\njudge("{name}")\nHIDDEN = 1\n### END HIDDEN TESTS'
    source = f'"Visible words."\n{hidden}'
    return managed(name, source, grade=True, locked=True, points=TASKS[name].points)


def source_notebook():
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    cells = [new_markdown_cell("# Two tasks", id="title")]
    cells += [managed("work", HONEST, solution=True), judged(WRONG), judged(RIGHT)]
    return new_notebook(metadata={"kernelspec": kernel}, cells=cells)


# --- What the students do to their notebooks --------------------------------------------------


def cell_of(notebook, name):
    return next(c for c in notebook.cells if c.metadata.get("nbgrader", {}).get("grade_id") == name)


def nothing(notebook):
    pass


def tags_everywhere(notebook):
    for cell in notebook.cells:
        cell.metadata.tags = ALL_TAGS


def other_metadata(notebook):
    for cell in notebook.cells:
        cell.metadata |= {"collapsed": True, "trusted": True, "editable": True, "deletable": True}
        cell.metadata |= {"jupyter": {"source_hidden": True}, "init_cell": True, "run": False}
        cell.metadata |= {"format": "text/html", "coursekit": {"points": 2}}
    notebook.metadata |= {"language_info": {"name": "R"}, "execution": {"timeout": 0}, "widgets": 5}


def poses_as_the_kit(notebook):
    """Mark cells as those that the kit makes, which the formgrader shows as they are."""
    for kind in ("scan", "guide", "head"):
        text = f"<script>steal('{kind}')</script><img src=x onerror=steal()>"
        cell = new_markdown_cell(text, metadata={METADATA_KEY: kind})
        cell.attachments = {"x.png": {"image/png": "AAAA"}}
        notebook.cells.append(cell)
    notebook.metadata[METADATA_KEY] = {"mended": ["steal()"]}


def another_kernel(notebook):
    notebook.metadata.kernelspec = {"name": "bash", "display_name": "R", "language": "R"}


def no_kernel(notebook):
    del notebook.metadata["kernelspec"]


def more_points(notebook):
    for name in (WRONG, RIGHT):
        cell_of(notebook, name).metadata.nbgrader.points = 1000


def unlocked_and_emptied(notebook):
    for name in (WRONG, RIGHT):
        cell = cell_of(notebook, name)
        cell.metadata.nbgrader.locked = False
        cell.source = "5.0"


def deleted(notebook):
    notebook.cells.remove(cell_of(notebook, WRONG))
    notebook.cells.remove(cell_of(notebook, RIGHT))


def as_markdown(notebook):
    cell = cell_of(notebook, WRONG)
    cell.cell_type = "markdown"
    del cell["outputs"], cell["execution_count"]


def ids_exchanged(notebook):
    """Ask twice for the right function, in the place of the wrong one."""
    wrong, right = cell_of(notebook, WRONG), cell_of(notebook, RIGHT)
    wrong.metadata.nbgrader.grade_id, right.metadata.nbgrader.grade_id = RIGHT, WRONG


def cells_of_their_own(notebook):
    """Add locked test cells, one that asks a task again and one that asks for none."""
    for name, grade_id in ((RIGHT, "mine"), ("no-such-task", "mine-too")):
        role = {"grade": True, "locked": True, "points": 100}
        notebook.cells.append(managed(grade_id, f'judge("{name}")', **role))


def metadata_of_no_valid_form(notebook):
    cell_of(notebook, WRONG).metadata.execution = {"timeout": 0}


def twice(notebook):
    """Add the right task's cell again, under its id and under the wrong task's."""
    for grade_id in (RIGHT, WRONG):
        cell = nbformat.from_dict(cell_of(notebook, RIGHT))
        cell.metadata.nbgrader.grade_id = grade_id
        notebook.cells.append(cell)


def forged_outputs(notebook):
    for cell in notebook.cells[1:]:
        cell.execution_count = 1
        cell.outputs = [nbformat.v4.new_output("execute_result", {"text/plain": "2.0"})]


def quoting(notebook):
    """Let the verdict, the outputs and the tracebacks say all that the function is given."""
    cell_of(notebook, "work").source += (
        "\n\ndef stage2(y2, t):\n"
        "    print('printed', y2, t)\n"
        "    display(y2)\n"
        "    raise ValueError(f'shape {y2.shape}: {y2[0]} {y2} {list(t)} {y2.tolist()}')\n"
        "\ndef momentum_step(w, v, gradient, learning_rate, momentum):\n"
        "    get_ipython().showtraceback()\n"
        "    return type(f'seen{w[0, 0]}', (), {})()"
    )


def changes_files(notebook):
    """Write into the course by full paths, which an insider may know (`COURSE` is put in)."""
    cell_of(notebook, "work").source += (
        "\n\nimport pathlib\nimport sqlite3\n"
        "course = pathlib.Path('COURSE')\n"
        "places = [course, *course.glob('*'), *course.glob('autograded/*/*/*.ipynb')]\n"
        "places += [course / '.coursekit/secret', course / 'source/round/tasks.ipynb']\n"
        "for place in places:\n"
        "    try:\n        place.write_text('mine')\n"
        "    except OSError:\n        pass\n"
        "try:\n"
        "    book = sqlite3.connect(course / 'gradebook.db')\n"
        "    book.execute('UPDATE grade SET manual_score = 2, auto_score = 2')\n"
        "    book.commit()\n"
        "except sqlite3.Error:\n    pass\n"
    )


GRADED_STUDENTS = {
    function.__name__: function
    for function in (
        nothing,
        tags_everywhere,
        other_metadata,
        poses_as_the_kit,
        another_kernel,
        no_kernel,
        more_points,
        unlocked_and_emptied,
        deleted,
        as_markdown,
        ids_exchanged,
        forged_outputs,
        changes_files,
    )
}


def not_a_test(notebook):
    cell_of(notebook, WRONG).metadata.nbgrader |= {"grade": False, "solution": False}


def a_solution_too(notebook):
    cell_of(notebook, WRONG).metadata.nbgrader.solution = True


def newer_schema(notebook):
    cell_of(notebook, WRONG).metadata.nbgrader.schema_version = 99


def broken_messages(notebook):
    cell_of(notebook, "work").source += f"\n{RAW}\nsend('display_data', b'null')"


MENDED_STUDENTS = {
    function.__name__: function
    for function in (
        not_a_test,
        a_solution_too,
        newer_schema,
        metadata_of_no_valid_form,
        twice,
        cells_of_their_own,
    )
}
STUDENTS = {
    **GRADED_STUDENTS,
    "quoting": quoting,
    "broken_messages": broken_messages,
    **MENDED_STUDENTS,
}


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """Grade everybody once; the course, the outcomes by student, and the feedback's."""
    root = tmp_path_factory.mktemp("course")
    (root / "source" / "round").mkdir(parents=True)
    shutil.copy(CONFIG, root)
    nbformat.write(source_notebook(), root / "source" / "round" / "tasks.ipynb")
    course = Course(root)
    release(course, "round")
    for student, change in STUDENTS.items():
        notebook = nbformat.read(course.release / "round" / "tasks.ipynb", as_version=4)
        cell_of(notebook, "work").source = HONEST
        change(notebook)
        work = cell_of(notebook, "work")
        work.source = work.source.replace("COURSE", str(root))
        folder = course.submitted / student / "round"
        folder.mkdir(parents=True)
        (folder / "tasks.ipynb").write_text(json.dumps(notebook))  # valid or not
    for path in (root, *root.rglob("*")):
        path.chmod(0o777 if path.is_dir() else 0o666)  # only the sandbox keeps students away
    outcomes = {outcome.student: outcome for outcome in grade(course, "round")}
    return course, outcomes, feedback(course, "round")


def points(course, student):
    with course.gradebook() as gradebook:
        notebook = gradebook.find_submission_notebook("tasks", "round", student)
        return {grade.name: (grade.score, grade.max_score) for grade in notebook.grades}


@pytest.mark.parametrize("student", GRADED_STUDENTS)
def test_changed_notebook_earns_its_honest_part(graded, student):
    course, outcomes, _ = graded
    assert outcomes[student].status == GRADED, outcomes[student].detail
    assert points(course, student) == {WRONG: (0, 2), RIGHT: (3, 3)}


def test_course_that_everybody_may_change_is_as_it_was(graded):
    course = graded[0]
    released = nbformat.read(course.release / "round" / "tasks.ipynb", as_version=4)
    assert cell_of(released, WRONG).source == '"Visible words."'
    assert course.notebooks("round") == ["tasks"]
    assert nbformat.read(course.source / "round" / "tasks.ipynb", as_version=4)
    assert len((course.root / ".coursekit" / "secret").read_text()) == 64
    with course.gradebook() as gradebook:
        grades = [
            g for s in gradebook.assignment_submissions("round") for g in s.notebooks[0].grades
        ]
        assert {grade.manual_score for grade in grades} == {None}


@pytest.mark.parametrize("student", MENDED_STUDENTS)
def test_cells_and_metadata_with_which_nbgrader_stops_are_mended_and_told(graded, student):
    course, outcomes, pages = graded
    assert outcomes[student].status == GRADED, outcomes[student].detail
    assert outcomes[student].detail
    assert points(course, student) == {WRONG: (0, 2), RIGHT: (3, 3)}
    assert pages[student] == ""
    page = (course.root / "feedback" / student / "round" / "tasks.html").read_text()
    assert "This notebook was mended" in page


def test_kernel_that_sends_broken_messages_earns_nothing_and_is_told(graded):
    course, outcomes, _ = graded
    assert outcomes["broken_messages"].status == GRADED
    assert points(course, "broken_messages") == {WRONG: (0, 2), RIGHT: (0, 3)}
    for cell in judged_cells(course, "broken_messages"):
        assert "cannot be read" in read_verdict(cell).summary


@pytest.mark.parametrize("student", ["poses_as_the_kit", "other_metadata", "tags_everywhere"])
def test_page_of_the_formgrader_takes_nothing_of_a_student_for_the_kits(graded, student):
    course, _, _ = graded
    notebook = nbformat.read(course.autograded / student / "round" / "tasks.ipynb", as_version=4)
    assert METADATA_KEY not in notebook.metadata
    assert all(cell.metadata.keys() <= {"nbgrader", "execution"} for cell in notebook.cells)
    config = Config(course.config.copy())
    config.HTMLExporter.template_name = "formgrade"
    config.HTMLExporter.extra_template_basedirs = [handlers.template_path]
    resources = {
        **{"submission_id": "1", "assignment_id": "round", "notebook_id": "tasks"},
        **{"index": 0, "total": 1, "base_url": "/base", "notebook_path": "x"},
    }
    page, _ = HTMLExporter(config=config).from_notebook_node(notebook, resources)
    assert "steal" not in page


def judged_cells(course, student):
    path = course.autograded / student / "round" / "tasks.ipynb"
    notebook = nbformat.read(path, as_version=4)
    return [cell_of(notebook, name) for name in (WRONG, RIGHT)]


@pytest.mark.parametrize("student", [*GRADED_STUDENTS, "quoting"])
def test_judged_cells_hold_the_verdict_and_nothing_else(graded, student):
    course = graded[0]
    for name, cell in zip((WRONG, RIGHT), judged_cells(course, student), strict=True):
        assert cell.source.endswith(judged(name).source)  # below nbgrader's note, if it was missing
        assert [output.output_type for output in cell.outputs] == ["stream", "execute_result"]
        assert cell.outputs[0].text == read_verdict(cell).text + "\n"


@pytest.mark.parametrize("student", [*GRADED_STUDENTS, "quoting"])
def test_feedback_shows_the_verdict_and_no_hidden_line(graded, student):
    course, _, pages = graded
    assert pages[student] == ""
    page = (course.root / "feedback" / student / "round" / "tasks.html").read_text()
    assert "dE/dz2 on fresh numbers" in page
    for hidden in (MIME, "HIDDEN", "answer_all", "judge(", "nonce"):
        assert hidden not in page


def test_verdict_never_quotes_what_a_function_was_given(graded):
    course, _, _ = graded
    page = (course.root / "feedback" / "quoting" / "round" / "tasks.html").read_text()
    text = page + (course.autograded / "quoting" / "round" / "tasks.ipynb").read_text()
    assert "shape (10,): " in text
    for cell in judged_cells(course, "quoting"):
        verdict = read_verdict(cell)
        for call in marking.draw(TASKS[verdict.task], verdict.seed):
            for values in call.values():
                for number in map(str, np.ravel(values)):
                    assert len(number) < 8 or number[:7] not in text
