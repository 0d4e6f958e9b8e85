"""What the guides say is true: their commands print what stands below them, their links lead on."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from nbgrader.apps import NbGraderApp

from coursekit.cli import main
from coursekit.course import Course
from coursekit.demo.download import DEADLINE, download_zip, scan, worksheet
from coursekit.demo.handing_in import hand_in, read_students
from coursekit.demo.run import make_course
from coursekit.formgrader.server import Server
from coursekit.release import release

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *DOCS.glob("*.md")])
GUIDES = [ROOT / "README.md", DOCS / "instructor.md"]
NBGRADER = NbGraderApp.subcommands
OTHERS = {"--force"}  # nbgrader's
CLASS = ["perfect", "late", "no-weight-decay", "sign-error", "absent"]
LEFT_OUT = "…"
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)\s]*)?\)")
CODE = re.compile(r"`([^`\n]+)`")
# The lines of tables and the blanks around texts are as wide as the texts of a machine make them.
WIDTH = re.compile(r" {2,}|━{2,}|─{2,}")


def steps(page):
    """Yield each command of a guide's console blocks with what stands below it."""
    for language, block in BLOCK.findall(page.read_text("utf-8")):
        if language == "console":
            for step in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
                command, _, output = step.partition("\n")
                yield command, output


def assert_prints(command, output, expected):
    """Compare what a command printed with what a guide shows of it."""
    assert expected.strip() != LEFT_OUT
    parts = [
        r"(?:.*\n)*?" if line == LEFT_OUT else re.escape(line).replace(LEFT_OUT, ".*") + r"\n"
        for line in _normal(expected).splitlines()
    ]
    printed = _normal(output)
    assert re.fullmatch("".join(parts), printed), f"$ {command}\n{printed}"


def _normal(text):
    lines = (WIDTH.sub(lambda found: found[0][0], line).rstrip() for line in text.splitlines())
    return "".join(f"{line}\n" for line in lines)


@pytest.fixture
def course(tmp_path, monkeypatch):
    """The course of the instructor's guide, with what its MyCourses gives."""
    made = make_course(ROOT, tmp_path / "course")
    drafts = make_course(ROOT, tmp_path / "drafts")
    handout = release(drafts, "round09", DEADLINE).folder
    handed_in = {}
    for student in read_students(CLASS):
        notebooks = hand_in(student, drafts.source / "round09", handout)
        handed_in[student] = {name: text.encode() for name, text in notebooks.items()}
        if student.key == "sign-error":
            mail = made.root / "mail"
            mail.mkdir()
            for name, data in handed_in[student].items():
                (mail / name).write_bytes(data)
            handed_in[student] = {"exercise1.pdf": scan(["Exercise 1"])}
    (made.root / "submissions.zip").write_bytes(download_zip(handed_in))
    (made.root / "worksheet.csv").write_bytes(worksheet(handed_in))
    monkeypatch.chdir(made.root)
    return made


def test_instructors_guide(course, monkeypatch):
    monkeypatch.setattr(Server, "run", lambda server: give_points(server.course))
    for command, expected in steps(DOCS / "instructor.md"):
        words = shlex.split(command)
        if words[0] != "coursekit":
            subprocess.run(command, shell=True, check=True)
            continue
        result = CliRunner().invoke(main, words[1:])
        output = result.output.replace(str(course.root.resolve()), "/course")
        assert_prints(command, output, expected)
        assert result.exit_code == ("\nError: " in output), command
        assert isinstance(result.exception, SystemExit | None)


def give_points(course: Course):
    """Do what people do in the formgrader: give all points wherever a person is asked."""
    with course.gradebook() as gradebook:
        for submission in gradebook.assignment_submissions("round09"):
            for notebook in submission.notebooks:
                for grade in notebook.grades:
                    if grade.needs_manual_grade:
                        grade.manual_score = grade.max_score
                        grade.needs_manual_grade = False
        gradebook.db.commit()


def test_students_guide(course):
    handout = release(course, "round09", DEADLINE).folder
    (student,) = read_students(["perfect"])
    for name, text in hand_in(student, course.source / "round09", handout).items():
        (handout / name).write_text(text, "utf-8")
    (handout / "scan.pdf").write_bytes(scan(["Exercise 1"]))
    for command, expected in steps(DOCS / "student.md"):
        python, *words = shlex.split(command)
        assert python == "python"
        terminal, keyboard = os.openpty()  # where somebody answers
        os.write(terminal, b"y\n")
        done = subprocess.run(
            [sys.executable, *words], cwd=handout, stdin=keyboard, capture_output=True, text=True
        )
        os.close(terminal)
        os.close(keyboard)
        typed = expected.replace("[y/N] y", "[y/N]")
        assert_prints(command, done.stdout + done.stderr, typed)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_to_files(page):
    links = [link for link in LINK.findall(page.read_text("utf-8")) if "://" not in link]
    assert [link for link in links if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_and_targets_are_there(page):
    targets = re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    told = commands(page.read_text("utf-8"))
    assert [line for line in told if line[0] == "make" and line[1] not in targets] == []
    assert [line for line in told if line[0] == "nbgrader" and line[1] not in NBGRADER] == []
    options = {name: known_options(command) for name, command in main.commands.items()}
    for _, name, *words in (line for line in told if line[0] == "coursekit"):
        assert [word for word in words if word.startswith("-") and word not in options[name]] == []


@pytest.mark.parametrize("page", GUIDES, ids=lambda page: page.name)
def test_options_are_there(page):
    options = set().union(OTHERS, *map(known_options, main.commands.values()))
    named = re.findall(r"`(--[a-z-]+)", page.read_text("utf-8"))
    assert [name for name in named if name not in options] == []


def commands(text):
    """List the commands of coursekit, make and nbgrader in code, as words without comments."""
    lines = [line for _, block in BLOCK.findall(text) for line in block.splitlines()]
    lines += CODE.findall(BLOCK.sub("", text))
    words = [re.split(r"\s+", line.removeprefix("$ ").partition(" #")[0].strip()) for line in lines]
    return [
        line
        for line in words
        if len(line) > 1 and line[0] in ("coursekit", "make", "nbgrader") and line[1].islower()
    ]


def known_options(command: click.Command):
    """List the options of a command."""
    return {"--help", *(name for parameter in command.params for name in parameter.opts)}


def test_a_guide_that_says_something_else_is_noticed():
    assert_prints("c", "a  b\nc 12 s\nd\n", "a b\nc … s\n…\n")
    for expected in ("a b\n", "a b\nc … min\n…\n", "…\nc 12 s\n"):
        with pytest.raises(AssertionError):
            assert_prints("c", "a b\nc 12 s\nd\n", expected)
