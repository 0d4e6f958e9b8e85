"""Feedback files in the folder names that MyCourses matches."""

import os
import stat
import zipfile

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from coursekit.cli import main
from coursekit.errors import KitError
from coursekit.grading.student import NotebookResult, StudentResult
from coursekit.mycourses import feedback_zip
from coursekit.mycourses.feedback_zip import FOLDER, pack_feedback

from ..conftest import answer, pack_download


def one(number="12", state="graded", **options):
    notebooks = (NotebookResult("sums", 6.0, 9.0, False),)
    return StudentResult(number, "Ada", state, notebooks=notebooks, **options)


@pytest.fixture
def feedback_of(course, monkeypatch):
    """Write feedback files of students, by their results."""

    def write(*results, content=b"<p>Sums</p>"):
        monkeypatch.setattr(feedback_zip, "results", lambda course, assignment: list(results))
        for result in results:
            folder = course.feedback / result.student / "round"
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "sums.html").write_bytes(content)
            (folder / "round.pdf").write_bytes(b"%PDF-1.7 " + result.student.encode())
        return course

    return write


@pytest.fixture
def download(tmp_path):
    """Make a download with entries of these names."""

    def make(*names):
        path = tmp_path / "download.zip"
        path.write_bytes(pack_download(dict.fromkeys(names, "x")))
        return path

    return make


def names(*archives):
    return [name for path in archives for name in zipfile.ZipFile(path).namelist()]


def moodle_matches(entry):
    """Return participant and name as Moodle's importziplib.php takes them from a path."""
    first, _, name = entry.partition("/")
    parts = first.split("_", 4)
    assert parts[2:4] == ["assignsubmission", "file"]
    assert parts[1].isdigit()
    return parts[1], name


def test_pages_and_pdf_lie_in_the_folder_of_the_participant(feedback_of):
    course = feedback_of(one("12"), one("13"))
    packed = pack_feedback(course, "round")
    assert packed.archives == [course.build / "round-feedback.zip"]
    assert packed.students == ["12", "13"]
    assert names(*packed.archives) == [
        "Participant_12_assignsubmission_file/round-sums.html",
        "Participant_12_assignsubmission_file/round.pdf",
        "Participant_13_assignsubmission_file/round-sums.html",
        "Participant_13_assignsubmission_file/round.pdf",
    ]
    with zipfile.ZipFile(packed.archives[0]) as archive:
        assert archive.testzip() is None
        assert archive.read(archive.namelist()[1]) == b"%PDF-1.7 12"
    assert stat.S_IMODE(packed.archives[0].stat().st_mode) == 0o600


def test_copies_of_the_students_own_files_are_no_feedback(feedback_of):
    course = feedback_of(one("12"))
    for name in ("scan.pdf", "evil.html", "helper.py", ".coursekit.json"):
        (course.feedback / "12" / "round" / name).write_text("own")
    packed = pack_feedback(course, "round")
    assert len(names(*packed.archives)) == 2
    assert not any("scan" in name or "evil" in name for name in names(*packed.archives))
    assert names(*pack_feedback(course, "round", pdf=False).archives) == [
        "Participant_12_assignsubmission_file/round-sums.html"
    ]


@pytest.mark.parametrize(
    ("entry", "folder"),
    [
        ("Äinö Mäkelä-Öhman_12_assignsubmission_file/a.ipynb", "Äinö Mäkelä-Öhman"),
        ("小龙 李_12_assignsubmission_file_/a.ipynb", "小龙 李"),
        ("Ann Marie ONeil, Jr._12_assignsubmission_file_my_round_1.ipynb", "Ann Marie ONeil, Jr."),
        ("Participant_12_assignsubmission_file/sub/a.ipynb", "Participant"),
        ("A_B_12_assignsubmission_file/a.ipynb", "Participant"),
        (".hidden_12_assignsubmission_file/a.ipynb", "Participant"),
        ("../x_12_assignsubmission_file/a.ipynb", "Participant"),
        ("a\\b_12_assignsubmission_file/a.ipynb", "Participant"),
        ("x" * 300 + "_12_assignsubmission_file/a.ipynb", "Participant"),
        ("Ada_99_assignsubmission_file/a.ipynb", "Participant"),
    ],
)
def test_folder_names_of_the_download_are_used_again_where_moodle_takes_them(
    feedback_of, download, entry, folder
):
    packed = pack_feedback(feedback_of(one("12")), "round", download(entry))
    found = names(*packed.archives)
    assert found[0] == f"{folder}_12_assignsubmission_file/round-sums.html"
    assert all(moodle_matches(name)[0] == "12" for name in found)


@given(st.text(max_size=30), st.integers(1, 10**9))
def test_a_name_that_is_used_again_is_one_that_moodle_matches(name, number):
    match = FOLDER.match(f"{name}_{number}_assignsubmission_file/a.ipynb")
    if match:
        assert moodle_matches(f"{match[0]}/feedback.html") == (str(number), "feedback.html")
        assert not match[0].startswith((".", "~", "/"))


def test_same_files_make_the_same_zip(feedback_of):
    course = feedback_of(one("9"), one("12"))
    first = pack_feedback(course, "round").archives[0].read_bytes()
    for path in course.feedback.rglob("*.html"):
        os.utime(path, (10**9, 10**9))
    assert pack_feedback(course, "round").archives[0].read_bytes() == first
    assert [moodle_matches(name)[0] for name in names(course.build / "round-feedback.zip")] == [
        "9",
        "9",
        "12",
        "12",
    ]


def test_larger_ones_are_split_between_students_and_old_ones_go(feedback_of):
    noise = os.urandom(3000)
    course = feedback_of(*(one(str(number)) for number in range(1, 6)), content=noise)
    packed = pack_feedback(course, "round", limit=8000)
    assert [path.name for path in packed.archives] == [f"round-feedback-{n}.zip" for n in (1, 2, 3)]
    assert all(path.stat().st_size <= 8000 for path in packed.archives)
    assert len(set(names(*packed.archives))) == len(names(*packed.archives)) == 10
    assert packed.too_large == []
    (course.build / "round-feedback-mine.zip").write_text("mine")
    (course.build / "round.zip").write_text("the release")
    pack_feedback(course, "round")
    assert sorted(path.name for path in course.build.iterdir()) == [
        "round-feedback-mine.zip",
        "round-feedback.zip",
        "round.zip",
    ]


def test_student_beyond_the_limit_is_packed_alone_and_named(feedback_of):
    course = feedback_of(one("1"), one("2"), content=os.urandom(3000))
    packed = pack_feedback(course, "round", limit=1000)
    assert packed.too_large == ["1", "2"]
    assert len(packed.archives) == 2


@pytest.mark.parametrize(
    ("result", "reason"),
    [
        (one("12", needs_manual=3), "3 points are still to be given"),
        (one("12", state="needs a person", trouble="a.ipynb: cut off"), "needs a person"),
        (one("ada"), "no participant number"),
    ],
)
def test_who_gets_no_grade_gets_no_feedback_and_is_named(feedback_of, result, reason):
    packed = pack_feedback(feedback_of(result, one("13")), "round")
    assert packed.students == ["13"]
    ((told, students),) = packed.left_out.items()
    assert reason in told
    assert students == [result.student]


def test_provisional_feedback_is_packed_when_asked_for(feedback_of):
    course = feedback_of(one("12", needs_manual=3))
    assert pack_feedback(course, "round", provisional=True).students == ["12"]
    assert pack_feedback(course, "round").archives == []
    assert list(course.build.iterdir()) == []


def test_old_feedback_of_a_student_for_whom_none_was_written_stays_out(feedback_of):
    packed = pack_feedback(feedback_of(one("12"), one("13")), "round", failed=["12"])
    assert packed.students == ["13"]
    assert packed.left_out == {"no feedback was written": ["12"]}


def test_download_that_is_no_zip_is_refused(feedback_of, tmp_path):
    path = tmp_path / "download.zip"
    path.write_text("no zip")
    with pytest.raises(KitError, match="download.zip cannot be read as a zip"):
        pack_feedback(feedback_of(one()), "round", path)


def test_the_way_back_to_mycourses(released, download, tmp_path):
    """Collect, grade, worksheet and feedback zip on the command line."""

    def coursekit(*arguments):
        options = ["--course", str(released.root)]
        return CliRunner().invoke(main, [*map(str, arguments), *options])

    source = answer(released, "sums", {"add": "def add(a, b):\n    return a + b"})
    path = tmp_path / "download.zip"
    path.write_bytes(pack_download({"Ada L_12_assignsubmission_file/sums.ipynb": source}))
    sheet = tmp_path / "worksheet.csv"
    sheet.write_text(
        'Identifier,Grade,"Maximum grade","Last modified (submission)","Last modified (grade)",'
        '"Feedback comments"\n'
        '"Participant 12",,50.00,"Thursday, 19 November 2026, 12:30 PM",-,\n'
        '"Participant 13",,50.00,-,-,\n'
    )
    assert coursekit("collect", path, "--worksheet", sheet).exit_code == 0
    assert coursekit("grade").exit_code == 0
    told = coursekit("worksheet", "round", sheet)
    assert told.exit_code == 0, told.output
    assert "1 grade written to" in told.output
    assert "left as it was, nothing was handed in: 13" in told.output
    assert "worksheet first" in told.output
    lines = (tmp_path / "worksheet-graded.csv").read_text().splitlines()
    assert lines[1].startswith('"Participant 12",30.00,50.00,"Thursday, 19')
    assert lines[1].endswith('written answers left blank -3</p>"')
    assert lines[2] == sheet.read_text().splitlines()[2]

    told = coursekit("feedback", "--zip", path)
    assert told.exit_code == 0, told.output
    assert "Feedback of 1 student packed" in told.output
    assert "worksheet first" in told.output
    assert "Ada" not in told.output
    assert names(released.build / "round-feedback.zip") == [
        "Ada L_12_assignsubmission_file/round-sums.html",
        "Ada L_12_assignsubmission_file/round.pdf",
    ]
    told = coursekit("feedback", "round", "--zip", "--no-pdf")
    assert names(released.build / "round-feedback.zip") == [
        "Participant_12_assignsubmission_file/round-sums.html"
    ]


@pytest.mark.parametrize(
    "arguments", [["round", "download.zip"], ["--provisional"], ["a", "b", "--zip"], ["--no-pdf"]]
)
def test_wrong_usage_of_feedback(course, arguments):
    result = CliRunner().invoke(main, ["feedback", *arguments, "--course", str(course.root)])
    assert result.exit_code == 2
    assert result.stderr.startswith("Usage: ")
