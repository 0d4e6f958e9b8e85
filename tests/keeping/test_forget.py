import io
import json
import sqlite3
import tracemalloc
import zipfile
from contextlib import closing

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from nbgrader.api import MissingEntry

from coursekit.errors import KitError
from coursekit.keeping import forget as forgetting
from coursekit.keeping import search as searching
from coursekit.keeping.forget import find_traces, forget

from ..conftest import pack_download
from .remnants import leave_behind

NAME = {"first_name": "Äinö Zsófia", "last_name": "Mäkelä-Öhman"}
ADDRESS = "aino.zsofia@aalto.example"
STEPS = ("submitted", "autograded", "feedback")


@pytest.fixture
def students(released):
    """Function: give the course a student with work, feedback, points and a comment."""

    def add(student, **known):
        for step in STEPS:
            folder = released.root / step / student / "round"
            folder.mkdir(parents=True)
            (folder / "sums.ipynb").write_text(student)
            (folder / "round.pdf").write_text(student)
        with released.gradebook() as gradebook:
            gradebook.update_or_create_student(student, **known)
            gradebook.update_or_create_submission("round", student)
            comment = gradebook.find_comment("why", "sums", "round", student)
            comment.manual_comment = f"Well done, comment-for-{student}"
            gradebook.db.commit()
        return released

    return add


@pytest.fixture
def course(students):
    """A course with a student to forget, `1204518`, and another, `1204519`."""
    students("1204519", first_name="Matti", last_name="Virtanen", email="matti@aalto.example")
    return students("1204518", **NAME, email=ADDRESS, lms_user_id="100777")


def everything(course):
    """Every file of the course but the gradebook, with its content."""
    return {
        path: path.read_bytes()
        for path in course.root.rglob("*")
        if path.is_file() and path.name not in ("gradebook.db", "grading.lock")
    }


def rows(course):
    """How many rows each table of the gradebook has."""
    with closing(sqlite3.connect(course.root / "gradebook.db")) as database:
        tables = database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        return {
            table: database.execute(f'SELECT count(*) FROM "{table}"').fetchone()[0]
            for (table,) in tables
        }


def test_forget_removes_one_student_everywhere_and_lists_it(course):
    before = everything(course)
    traces = forget(course, "1204518")
    assert traces.places == tuple(course.root / step / "1204518" for step in STEPS)
    counted = {"student": 1, "submissions": 1, "notebooks": 2, "grades": 4, "comments": 3}
    assert traces.rows == counted
    own = {path for path in before if "1204518" in path.parts}
    assert everything(course) == {path: before[path] for path in before.keys() - own}
    assert not any((course.root / step / "1204518").exists() for step in STEPS)
    with course.gradebook() as gradebook:
        assert [student.id for student in gradebook.students] == ["1204519"]
        assert gradebook.find_submission("round", "1204519")
        with pytest.raises(MissingEntry):
            gradebook.find_submission("round", "1204518")


def test_forget_leaves_no_row_of_the_student(released, students):
    before = rows(released)
    students("1204518", **NAME)
    assert rows(released) != before
    forget(released, "1204518")
    assert rows(released) == before


def test_forget_leaves_no_byte_of_the_student_in_the_gradebook(course):
    words = [word.encode() for word in (*NAME.values(), ADDRESS, "100777", "1204518")]
    gradebook = course.root / "gradebook.db"
    leave_behind(gradebook, "Äinö Zsófia")
    leave_behind(gradebook, ADDRESS)
    assert all(word in gradebook.read_bytes() for word in words)
    forget(course, "1204518")
    left = gradebook.read_bytes()
    assert [word for word in words if word in left] == []
    assert b"Virtanen" in left
    assert gradebook.stat().st_mode & 0o077 == 0
    assert [path.name for path in course.root.glob("gradebook.db*")] == ["gradebook.db"]


def test_forget_clears_the_log_of_a_gradebook_that_keeps_one(course):
    with closing(sqlite3.connect(course.root / "gradebook.db")) as database:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("UPDATE student SET email = upper(email)")
        database.commit()
        assert ADDRESS.upper().encode() in (course.root / "gradebook.db-wal").read_bytes()
        forget(course, "1204518")
        for path in course.root.glob("gradebook.db*"):
            assert ADDRESS.encode() not in path.read_bytes()
            assert ADDRESS.upper().encode() not in path.read_bytes()


def test_forget_again_says_that_nothing_is_there(course):
    (course.root / "sheet.csv").write_text("Participant 1204518,x")
    forget(course, "1204518")
    left = everything(course)
    with pytest.raises(KitError, match="nothing of '1204518'.*removed already.*word: sheet.csv"):
        forget(course, "1204518")
    assert everything(course) == left


@pytest.mark.parametrize("step", ["rmtree", "remove_student", "_clear_free_pages"])
def test_forget_after_an_interruption_finishes(course, monkeypatch, step):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    target = {
        "rmtree": "coursekit.keeping.forget.shutil.rmtree",
        "remove_student": "nbgrader.api.Gradebook.remove_student",
        "_clear_free_pages": "coursekit.keeping.forget._clear_free_pages",
    }[step]
    leave_behind(course.root / "gradebook.db", ADDRESS)
    with monkeypatch.context() as patch:
        patch.setattr(target, interrupted)
        with pytest.raises(KeyboardInterrupt):
            forget(course, "1204518")
    if step == "_clear_free_pages":  # all rows are gone, so there is nothing more to list
        with pytest.raises(KitError, match="nothing of"):
            forget(course, "1204518")
    else:
        assert forget(course, "1204518")
    assert not find_traces(course, "1204518")
    assert ADDRESS.encode() not in (course.root / "gradebook.db").read_bytes()


def test_traces_of_a_student_change_nothing(course):
    before = everything(course), (course.root / "gradebook.db").read_bytes()
    assert find_traces(course, "1204518").rows["student"] == 1
    assert (everything(course), (course.root / "gradebook.db").read_bytes()) == before


def test_forget_knows_a_student_by_the_files_alone(course):
    (course.submitted / "77").mkdir()
    assert forget(course, "77").rows == {}
    assert not (course.submitted / "77").exists()


def test_forget_makes_no_gradebook_where_there_is_none(course):
    (course.root / "gradebook.db").unlink()
    assert forget(course, "1204518").places
    assert not (course.root / "gradebook.db").exists()


def test_forget_names_the_files_of_many_that_hold_the_student(course):
    named = {
        "sheets/marks.csv": b"student,name\n1204518,x\n1204519,y\n",
        "submitted/1204519/round/team.txt": b"with 1204518",
        "gradebook.db.2026-11-20": ADDRESS.encode(),
        "build/worksheet.csv": f"Participant 9,{ADDRESS}\n".encode(),
        "build/feedback.zip": pack_download({"A B_1204518_assignsubmission_file/f.html": "x"}),
        "kept.zip": pack_download({"gradebook.db": NAME["first_name"] + " Mäkelä-Öhman"}),
        "build/report.html": b"<td>&Auml; 1204518</td>",
        ".coursekit/state.json": json.dumps(" ".join(NAME.values())).encode(),
        "downloaded/round/archive/all.zip": pack_download(
            {"x_1204518_assignsubmission_file/a": ""}
        ),
    }
    others = {
        "other.csv": b"student\n1204519\n91204518\n12045180\n",
        "build/other.zip": pack_download({"A B_1204519_assignsubmission_file/f.html": "x"}),
        "build/damaged.zip": b"PK\x03\x04 no zip",
        "version.txt": b"Python 3.1204518.2",
        ".git/index": b"1204518",
        "env/pyvenv.cfg": b"1204518",
        "env/lib/site.py": b"1204518",
        "source/round/data.txt": b"1204518",
    }
    for name, content in {**named, **others}.items():
        (course.root / name).parent.mkdir(parents=True, exist_ok=True)
        (course.root / name).write_bytes(content)
    before = everything(course)
    traces = forget(course, "1204518")
    assert {path.relative_to(course.root).as_posix() for path in traces.mentions} == set(named)
    after = everything(course)
    assert {path: after[path] for path in traces.mentions} == {
        path: before[path] for path in traces.mentions
    }


def test_forget_finds_a_word_in_zips_in_zips_and_between_two_blocks(course, monkeypatch):
    monkeypatch.setattr(searching, "BLOCK", 5)
    inner = pack_download({"a.txt": "participant 1204518 here", "b.txt": "x"})
    files = {
        "nested.zip": pack_download({"x/in.zip": pack_download({"y/in.zip": inner})}),
        "blocks.txt": b"123456789012345678901 1204518",
        "other.txt": b"123456789012345678901 1204519",
    }
    for name, content in files.items():
        (course.root / name).write_bytes(content)
    named = {path.name for path in find_traces(course, "1204518").mentions}
    assert named == {"nested.zip", "blocks.txt"}


def compressed(method, content=b"hello world " * 500):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        archive.writestr("a.txt", content)
    return buffer.getvalue()


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_forget_goes_on_at_a_damaged_zip_and_says_so(course, method):
    content = bytearray(compressed(method))
    content[50:60] = b"\xff" * 10
    (course.root / "download.zip").write_bytes(content)
    assert forget(course, "1204518").unsearched == (course.root / "download.zip",)
    assert not (course.submitted / "1204518").exists()


@pytest.mark.parametrize("levels", [1, 2])
def test_forget_searches_no_more_of_a_bomb_than_a_limit_and_says_so(course, monkeypatch, levels):
    monkeypatch.setattr(searching, "MOST", 2**20)
    monkeypatch.setattr(searching, "BLOCK", 2**16)
    content = bytes(2**25)
    for _ in range(levels):
        content = compressed(zipfile.ZIP_DEFLATED, content)
    (course.root / "bomb.zip").write_bytes(content)
    tracemalloc.start()
    traces = find_traces(course, "1204518")
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert traces.unsearched == (course.root / "bomb.zip",)
    assert most < 2**23


def test_forget_says_where_zips_lie_too_deep_to_be_searched(course):
    content = b"1204518"
    for _ in range(searching.DEEPEST + 2):
        content = pack_download({"in.zip": content})
    (course.root / "deep.zip").write_bytes(content)
    assert forget(course, "1204518").unsearched == (course.root / "deep.zip",)


def test_forget_removes_what_the_kit_makes_again_where_it_names_the_student(course):
    feedback = pack_download({"A B_1204518_assignsubmission_file/f.html": "x"})
    named = {
        "grades.csv": (b"1204518,x", "coursekit grades"),
        "mycourses.csv": (ADDRESS.encode(), "nbgrader export"),
        "build/round-feedback.zip": (feedback, "coursekit feedback --zip"),
        "build/round-feedback-2.zip": (feedback, "coursekit feedback --zip"),
        "build/report/round/index.html": (b"<td>1204518</td>", "coursekit report"),
        "sheets/.w-graded.csv.new": (b"Participant 1204518,", "the command that was killed"),
    }
    others = {
        "build/next-feedback.zip": pack_download({"A B_1204519_assignsubmission_file/f.html": "x"}),
        "build/copy/build/round-feedback.zip": feedback,
        "build/round.zip": b"1204518",
    }
    contents = {name: content for name, (content, _) in named.items()} | others
    for name, content in contents.items():
        (course.root / name).parent.mkdir(parents=True, exist_ok=True)
        (course.root / name).write_bytes(content)
    traces = forget(course, "1204518")
    told = {
        path.relative_to(course.root).as_posix(): what for path, what in traces.products.items()
    }
    assert told == {name: command for name, (_, command) in named.items()}
    assert not any((course.root / name).exists() for name in named)
    assert all((course.root / name).exists() for name in others)


def test_forget_of_nobody_removes_nothing(course):
    (course.root / "grades.csv").write_text("student,points\n1204519,11\n")
    with pytest.raises(KitError, match="nothing of '11'"):
        forget(course, "11")
    assert (course.root / "grades.csv").exists()


def test_forget_tells_the_other_ids_of_the_same_person(course, students):
    students("901", email=ADDRESS.upper())
    students("902", lms_user_id="100777")
    assert forget(course, "1204518").others == ("901", "902")
    assert find_traces(course, "1204519").others == ()
    assert (course.submitted / "901").exists()


@pytest.mark.parametrize(
    ("setting", "value", "place"),
    [
        ("extracted_directory", "extracted", "downloaded/round/extracted"),
        ("extracted_directory", "unpacked", "downloaded/round/unpacked"),
        ("downloaded_directory", "in", "in/round/extracted"),
        (
            "collect_directory_structure",
            "zips/{collect_step}/{assignment_id}",
            "zips/extracted/round",
        ),
    ],
)
def test_forget_removes_what_zip_collect_unpacked(course, setting, value, place):
    course.config.ZipCollectApp[setting] = value
    folder = course.root / place / "1204518"
    folder.mkdir(parents=True)
    assert folder in forget(course, "1204518").places
    assert not folder.exists()


def test_forget_follows_no_link(course, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "precious").write_text("x")
    (course.submitted / "linked").symlink_to(outside)
    (course.submitted / "1204518" / "inner").symlink_to(outside)
    forget(course, "linked")
    forget(course, "1204518")
    assert (outside / "precious").exists()
    assert not (course.submitted / "linked").is_symlink()


@pytest.mark.parametrize("student", ["", ".", "..", "../source", "a/../..", "/etc", "a\\b", "a\0b"])
def test_forget_refuses_what_leads_elsewhere(course, student):
    before = everything(course)
    with pytest.raises(KitError, match="is no student's id"):
        forget(course, student)
    assert everything(course) == before


@pytest.mark.parametrize(
    "student", ["*", "12045*", "?" * 7, "[1]204518", "{1204518,x}", "~", "$HOME"]
)
def test_forget_takes_an_id_literally(course, student):
    before = everything(course)
    with pytest.raises(KitError, match="There is nothing of"):
        forget(course, student)
    assert everything(course) == before


ODD = [
    "Aino M",
    "Mäkelä",
    "小龙 李",
    "12*",
    "[a-z]",
    "-rf",
    "a'; DROP TABLE student; --",
    "%",
    "_",
    "...",
]


@pytest.mark.parametrize("student", ODD)
def test_forget_removes_a_student_with_an_odd_id_alone(students, student):
    students("12")
    course = students(student)
    before = everything(course)
    forget(course, student)
    assert everything(course) == {p: c for p, c in before.items() if student not in p.parts}
    with course.gradebook() as gradebook:
        assert [one.id for one in gradebook.students] == ["12"]


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.text(st.sampled_from("./\\*?[]~ 1204518äü\0\n"), max_size=12))
def test_forget_never_leaves_the_students_folders(course, student):
    if student in ("1204518", "1204519"):
        return
    before = everything(course)
    with pytest.raises(KitError):
        forget(course, student)
    assert everything(course) == before


def test_forget_waits_for_no_grading(course):
    with (
        forgetting.alone(course),
        pytest.raises(KitError, match="Another coursekit command is at work"),
    ):
        forget(course, "1204518")
    assert (course.submitted / "1204518").exists()


def test_forget_of_a_gradebook_in_use_is_one_sentence(course, monkeypatch):
    connect = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", lambda *a, **k: connect(*a, **{**k, "timeout": 0}))
    with closing(connect(course.root / "gradebook.db", isolation_level=None)) as database:
        database.execute("BEGIN IMMEDIATE")
        with pytest.raises(KitError, match="gradebook"):
            forget(course, "1204518")
        database.execute("ROLLBACK")
    assert forget(course, "1204518").rows["student"] == 1
