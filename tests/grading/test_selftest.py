import shutil
import tempfile
from pathlib import Path

import pytest
from traitlets.config import Config

from coursekit.course import Course
from coursekit.errors import KitError
from coursekit.grading import selftest
from coursekit.grading.autograde import grade
from coursekit.grading.hook import begin_run
from coursekit.grading.results import results
from coursekit.grading.student import why
from coursekit.judging import seeds
from coursekit.kernels import launcher
from coursekit.kernels.launcher import SandboxError

from ..conftest import answer


@pytest.fixture
def handed_in(templates):
    """A course that every user can read, in which one student handed one notebook in."""
    with tempfile.TemporaryDirectory() as place:
        course = Course(shutil.copytree(templates["released"], Path(place) / "course"))
        folder = course.submitted / "anna" / "round"
        folder.mkdir(parents=True)
        text = answer(course, "sums", {"add": "def add(a, b):\n    return a + b"})
        (folder / "sums.ipynb").write_text(text)
        for path in (Path(place), *Path(place).rglob("*")):
            path.chmod(0o755)
        yield course


def readable(course, *places):
    course.config.SandboxProvisioner.readable = [str(place) for place in places]
    return course.config


def test_course_is_out_of_reach(handed_in):
    selftest.check_sandbox(handed_in.config)


def test_what_must_be_out_of_reach_is_asked_for(handed_in):
    places = selftest.out_of_reach(handed_in.config)
    root = handed_in.root
    for name in ("source", "submitted", "gradebook.db", ".coursekit/secret", "nbgrader_config.py"):
        assert str(root / name) in places
    for name in ("reference/network.py", "judging/marking.py"):
        assert any(place.endswith(f"coursekit/{name}") for place in places)
    assert str(Path.home()) in places


@pytest.mark.parametrize("place", ["source", "gradebook.db", "submitted", "."])
def test_course_within_reach_is_not_graded(handed_in, place):
    readable(handed_in, handed_in.root / place)
    with pytest.raises(
        SandboxError, match=r"is not run, because it could read .*readable.*move the course"
    ):
        grade(handed_in, "round")
    assert not handed_in.autograded.exists()


def test_judge_within_reach_is_not_graded(handed_in):
    readable(handed_in, Path(selftest.coursekit.__file__).parent)
    with pytest.raises(SandboxError, match=r"could read .*coursekit/.*\.py and \d+ more; look at"):
        grade(handed_in, "round")


def test_part_of_the_course_may_be_made_readable(handed_in):
    data = handed_in.root / "data"
    data.mkdir()
    selftest.check_sandbox(readable(handed_in, data))


def test_data_that_are_not_there_stop_the_grading(handed_in):
    config = readable(handed_in, handed_in.root / "not-there")
    with pytest.raises(SandboxError, match="There is no .*not-there, which .* give its full path"):
        selftest.check_sandbox(config)


def test_package_that_is_not_installed_stops_the_grading(handed_in):
    handed_in.config.SandboxProvisioner.packages = ["no-such-package"]
    with pytest.raises(SandboxError, match="no installed package no-such-package.*pip install"):
        selftest.check_sandbox(handed_in.config)


@pytest.mark.parametrize(
    ("section", "name", "value", "words"),
    [
        ("SandboxProvisioner", "wall_time", "abc", "wall_time.*expected a float"),
        ("SandboxProvisioner", "wall_time", -1, "wall_time.*-1"),
        ("BoundedExecute", "cell_timeout", "x", "cell_timeout.*expected a float"),
        ("SandboxProvisioner", "no_such_setting", 3, "no setting c.SandboxProvisioner.no_such"),
        ("BoundedExecute", "notebook_time", 3, "no setting c.BoundedExecute.notebook_time;"),
    ],
)
def test_wrong_setting_is_told_before_anything_is_graded(handed_in, section, name, value, words):
    handed_in.config[section][name] = value
    with pytest.raises(KitError, match=f"nbgrader_config.py.*{words}"):
        grade(handed_in, "round")
    assert not handed_in.autograded.exists()


@pytest.fixture
def no_sandbox(monkeypatch):
    """A machine that cannot lock student code in."""
    monkeypatch.setattr(launcher, "_running", {})
    monkeypatch.setattr(launcher, "missing", lambda: "the sandbox needs Linux")


@pytest.mark.usefixtures("no_sandbox")
def test_nothing_is_run_where_there_is_no_sandbox(handed_in):
    with pytest.raises(KitError, match="needs Linux"):
        grade(handed_in, "round")
    assert not handed_in.autograded.exists()


@pytest.mark.usefixtures("no_sandbox")
def test_stock_nbgrader_ends_with_the_sentence_where_there_is_no_sandbox(handed_in):
    hook = begin_run(handed_in.config)
    with pytest.raises(SystemExit, match="^nbgrader: Student code is not run.*needs Linux"):
        hook(assignment="round", student="anna", notebooks=[])


@pytest.mark.usefixtures("no_sandbox")
def test_student_code_runs_without_the_sandbox_when_told_and_the_grades_say_so(handed_in):
    handed_in.give_up_sandbox()
    assert grade(handed_in, "round")[0].status == "graded"
    (anna,) = results(handed_in, "round")
    assert anna.unsafe
    assert "was run without the sandbox: coursekit grade --regrade" in why(anna)
    assert [notebook.score for notebook in anna.notebooks] == [0, 6]


def test_hook_begins_a_grading_run(handed_in):
    before = seeds.run()
    begin_run(handed_in.config)(assignment="round", student="anna", notebooks=[])
    assert seeds.run() != before


@pytest.mark.usefixtures("no_sandbox")
def test_hook_needs_no_sandbox_when_told(handed_in):
    before = seeds.run()
    begin_run(Config({"BoundedExecute": {"unsafe_no_sandbox": True}}))()
    assert seeds.run() != before
