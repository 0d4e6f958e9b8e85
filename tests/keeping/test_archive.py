import hashlib
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import zipfile
from contextlib import closing
from pathlib import Path

import nbformat
import pytest

import coursekit
from coursekit.course import Course
from coursekit.errors import KitError
from coursekit.grading.autograde import grade
from coursekit.judging.appeal import appeal
from coursekit.judging.seeds import course_secret
from coursekit.keeping import archive as archiving
from coursekit.keeping.archive import MANIFEST, archive, check_archive
from coursekit.keeping.forget import find_traces, forget
from coursekit.release import release

from .remnants import leave_behind

ROOT = Path(__file__).parents[2]
STAGE2 = "def stage2(y2, t):\n    return y2 - t\n"


@pytest.fixture
def graded(released):
    """A course with two students' work, of whom one is graded."""
    for student, steps in {
        "11": ("submitted", "autograded", "feedback"),
        "小龙 12": ("submitted",),
    }.items():
        for step in steps:
            folder = released.root / step / student / "round" / "kansio ä"
            folder.mkdir(parents=True)
            (folder / "työ 1.ipynb").write_text(f"{step} {student}")
            (folder.parent / ".hidden").write_text(step)
        with released.gradebook() as gradebook:
            gradebook.update_or_create_student(student, last_name="Mäkelä")
            gradebook.update_or_create_submission("round", student)
    course_secret(released.config.PoseChallenges.secret_file)
    (released.submitted / "11" / "other").mkdir()
    (released.submitted / "11" / "other" / "a.ipynb").write_text("of another round")
    (released.source / "round" / "__pycache__").mkdir()
    (released.source / "round" / "__pycache__" / "helper.pyc").write_text("x")
    return released


def unpack(path, folder):
    with zipfile.ZipFile(path) as packed:
        packed.extractall(folder)
    return folder


def test_archive_unpacks_to_the_same_files(graded, tmp_path):
    made = archive(graded, "round", tmp_path / "kept.zip")
    unpacked = unpack(made.path, tmp_path / "unpacked")
    expected = {"nbgrader_config.py", "requirements.txt", ".coursekit/secret"}
    for top in ("source/round", "release/round", *(f"{s}" for s in archiving_steps())):
        for path in (graded.root / top).rglob("*"):
            name = path.relative_to(graded.root)
            if path.is_file() and "__pycache__" not in name.parts and "other" not in name.parts:
                expected.add(name.as_posix())
    assert any("kansio ä/työ 1.ipynb" in name for name in expected)
    found = {p.relative_to(unpacked).as_posix() for p in unpacked.rglob("*") if p.is_file()}
    kit = {name for name in found if name.startswith("coursekit/")}
    assert found - kit - {MANIFEST, "gradebook.db"} == expected
    assert all((unpacked / n).read_bytes() == (graded.root / n).read_bytes() for n in expected)
    top = Path(coursekit.__file__).parents[1]
    assert kit == {
        path.relative_to(top).as_posix()
        for path in (top / "coursekit").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert made.files == len(found) - 1
    assert (made.students, made.ungraded, made.left_out) == (("11",), ("小龙 12",), ())


def archiving_steps():
    return ("submitted", "autograded", "feedback")


def test_archive_has_a_manifest_with_checksums_and_versions(graded, tmp_path):
    path = archive(graded, "round", tmp_path / "kept.zip").path
    with zipfile.ZipFile(path) as packed:
        manifest = json.loads(packed.read(MANIFEST))
        sums = {
            name: hashlib.sha256(packed.read(name)).hexdigest()
            for name in packed.namelist()
            if name != MANIFEST
        }
    assert manifest["files"] == sums
    assert manifest["assignment"] == "round"
    assert manifest["python"] == ".".join(map(str, sys.version_info[:3]))
    assert {"coursekit", "numpy", "nbgrader"} <= manifest["packages"].keys()


def test_archive_of_the_same_round_is_the_same_bytes_and_the_owners_alone(graded, tmp_path):
    one, other = (archive(graded, "round", tmp_path / name).path for name in ("1.zip", "2.zip"))
    assert one.read_bytes() == other.read_bytes()
    assert one.stat().st_mode & 0o777 == 0o600
    with zipfile.ZipFile(one) as packed:
        assert {entry.external_attr >> 16 for entry in packed.infolist()} == {0o100600}
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith(".")] == []


def test_archive_copies_the_gradebook_between_two_changes_without_removed_rows(graded, tmp_path):
    live = graded.root / "gradebook.db"
    leave_behind(live, "Kadonnut-Nimi")
    with closing(sqlite3.connect(live, isolation_level=None)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("UPDATE student SET last_name = 'Half-Done'")
        path = archive(graded, "round", tmp_path / "kept.zip").path
        writer.execute("ROLLBACK")
    unpacked = unpack(path, tmp_path / "unpacked")
    copied = (unpacked / "gradebook.db").read_bytes()
    assert b"Kadonnut-Nimi" not in copied
    assert b"Half-Done" not in copied
    with Course(unpacked).gradebook() as gradebook:
        assert {student.last_name for student in gradebook.students} == {"Mäkelä"}
        assert gradebook.find_submission("round", "11")


def test_archive_never_overwrites(graded, tmp_path):
    (tmp_path / "kept.zip").write_bytes(b"an earlier year")
    with pytest.raises(KitError, match="kept.zip exists, .* never replaced; .* with -o"):
        archive(graded, "round", tmp_path / "kept.zip")
    (tmp_path / "link.zip").symlink_to(tmp_path / "nowhere")
    with pytest.raises(KitError, match="exists"):
        archive(graded, "round", tmp_path / "link.zip")
    assert (tmp_path / "kept.zip").read_bytes() == b"an earlier year"


def test_archive_leaves_links_and_special_files_out_and_says_so(graded, tmp_path):
    secret = tmp_path / "outside"
    secret.mkdir()
    (secret / "password").write_text("hunter2")
    work = graded.submitted / "11" / "round"
    (work / "file").symlink_to(secret / "password")
    (work / "folder").symlink_to(secret)
    os.mkfifo(work / "pipe")
    (graded.submitted / "linked").symlink_to(secret)
    (graded.submitted / "13").mkdir()
    (graded.submitted / "13" / "round").symlink_to(secret)
    Path(os.fsdecode(bytes(work) + b"/\xff.ipynb")).write_text("no text is its name")
    made = archive(graded, "round", tmp_path / "kept.zip")
    names = {f"submitted/11/round/{name}" for name in ("file", "folder", "pipe", "?.ipynb")}
    assert set(made.left_out) == names
    unpacked = unpack(made.path, tmp_path / "unpacked")
    assert not any(b"hunter2" in p.read_bytes() for p in unpacked.rglob("*") if p.is_file())


@pytest.mark.parametrize("step", ["_copy_gradebook", "_add", "check_archive"])
def test_archive_leaves_nothing_after_an_interruption(graded, tmp_path, monkeypatch, step):
    def interrupted(*_):
        raise KeyboardInterrupt

    place = tmp_path / "archives"
    place.mkdir()
    with monkeypatch.context() as patch:
        patch.setattr(archiving, step, interrupted)
        with pytest.raises(KeyboardInterrupt):
            archive(graded, "round", place / "kept.zip")
    assert list(place.iterdir()) == []
    assert archive(graded, "round", place / "kept.zip").path.exists()


KILLED = """
import os, signal, sys
from pathlib import Path
from coursekit.course import Course
from coursekit.keeping import archive as archiving

def write(file, *_):
    file.write(b"half")
    file.flush()
    os.kill(os.getpid(), signal.SIGKILL)

archiving._write = write
course = Course(Path(sys.argv[1]))
archiving.archive(course, "round", course.root / "kept.zip")
"""


@pytest.fixture
def killed(graded):
    """The course after an archive command that was killed while it packed."""
    shutil.copy(ROOT / ".gitignore", graded.root)
    top = Path(coursekit.__file__).parents[1]
    done = subprocess.run(
        [sys.executable, "-c", KILLED, graded.root],
        env={**os.environ, "PYTHONPATH": f"{top}:{top / 'source' / 'round09'}"},
        check=False,
    )
    assert done.returncode == -signal.SIGKILL
    return graded


def remnants(course):
    """List what a killed command left: copies of the gradebook, and halves of files."""
    copies = [*course.root.rglob("gradebook.db"), *course.root.rglob(".*.new")]
    return {path.relative_to(course.root).as_posix() for path in copies} - {"gradebook.db"}


def test_archive_that_was_killed_leaves_nothing_that_git_takes(killed):
    left = remnants(killed)
    assert len(left) == 2
    personal = {*left, "gradebook.db", "gradebook.db.2026-11-20", "sub/w-graded.csv"}
    personal |= {".mycourses.csv.new", ".grades.csv.new", "sub/.w-graded.csv.new", "kept.zip"}
    subprocess.run(["git", "init", "--quiet"], cwd=killed.root, check=True)
    done = subprocess.run(
        ["git", "check-ignore", *sorted(personal)],
        cwd=killed.root,
        capture_output=True,
        text=True,
        check=False,
    )
    assert set(done.stdout.split("\n")) - {""} == personal


def test_forget_removes_what_was_left_by_an_archive_that_was_killed(killed):
    forget(killed, "小龙 12")
    assert remnants(killed) == set()


def test_archive_removes_the_copy_of_the_gradebook_that_one_left_which_was_killed(killed):
    archive(killed, "round", killed.root / "other.zip")
    assert remnants(killed) == {".kept.zip.new"}


def test_archive_needs_a_graded_round_and_a_folder(released, graded, tmp_path):
    with pytest.raises(KitError, match="There is no folder"):
        archive(graded, "round", tmp_path / "no" / "kept.zip")
    shutil.rmtree(graded.autograded)
    with pytest.raises(KitError, match="Nobody is graded yet"):
        archive(graded, "round", tmp_path / "kept.zip")
    assert not (tmp_path / "kept.zip").exists()


def rewrite(path, change):
    """Write an archive again, with its contents changed."""
    with zipfile.ZipFile(path) as packed:
        contents = {name: packed.read(name) for name in packed.namelist()}
    change(contents)
    with zipfile.ZipFile(path, "w") as packed:
        for name, content in contents.items():
            packed.writestr(name, content)


@pytest.mark.parametrize(
    "change",
    [
        lambda contents: contents.update({"gradebook.db": b"other"}),
        lambda contents: contents.pop("gradebook.db"),
        lambda contents: contents.update({"more": b""}),
        lambda contents: contents.pop(MANIFEST),
        lambda contents: contents.update({MANIFEST: b"[]"}),
    ],
)
def test_check_of_a_changed_archive_fails(graded, tmp_path, change):
    path = archive(graded, "round", tmp_path / "kept.zip").path
    check_archive(path)
    rewrite(path, change)
    with pytest.raises(KitError, match=r"kept\.zip"):
        check_archive(path)


def test_check_of_half_an_archive_fails(graded, tmp_path):
    path = archive(graded, "round", tmp_path / "kept.zip").path
    path.write_bytes(path.read_bytes()[:-5000])
    with pytest.raises(KitError, match="is not a whole archive"):
        check_archive(path)


def test_forget_tells_of_an_archive_that_holds_the_student(graded):
    path = archive(graded, "round", graded.root / "kept.zip").path
    assert path in find_traces(graded, "11").mentions


def test_verdict_works_in_an_unpacked_archive(tmp_path):
    root = tmp_path / "course"
    root.mkdir()
    shutil.copy(ROOT / "nbgrader_config.py", root)
    ignored = shutil.ignore_patterns(".*", "__pycache__")
    shutil.copytree(ROOT / "source" / "round09", root / "source" / "round09", ignore=ignored)
    course = Course(root)
    release(course, "round09")
    work = root / "submitted" / "11" / "round09"
    work.mkdir(parents=True)
    notebook = nbformat.read(root / "release/round09/derivation.ipynb", as_version=4)
    for cell in notebook.cells:
        if cell.id == "stage2-code":
            cell.source = STAGE2
    nbformat.write(notebook, work / "derivation.ipynb")
    grade(course, "round09")
    kept = archive(course, "round09", tmp_path / "kept.zip").path
    shutil.rmtree(root)
    unpacked = unpack(kept, tmp_path / "unpacked")
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "coursekit",
            "verdict",
            "--student",
            "11",
            "--cell",
            "stage2-dE-dz2",
        ],
        cwd=unpacked,
        env={**os.environ, "PYTHONPATH": f"{unpacked}:{unpacked}/source/round09"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    with pytest.raises(KitError, match="called 'stage2'; there are: .*stage2-dE-dz2, .*stage9-"):
        appeal(Course(unpacked), "round09", "11", "stage2")
    assert str(unpacked) in done.stdout
    assert done.stdout.endswith("the same verdict.\n")
