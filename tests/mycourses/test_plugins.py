"""Stock nbgrader commands with the plugins of this kit."""

import csv
import logging
import os
import shutil
import stat
import subprocess
import sysconfig
import zipfile
from pathlib import Path

import nbformat
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from nbgrader.apps import ExportApp, ZipCollectApp

from coursekit.course import Course
from coursekit.lock import alone

from ..conftest import answer, pack_download

ROOT = Path(__file__).parents[2]
FOLDER = "Äinö Mäkelä-Öhman_11_assignsubmission_file"
HEADER = (
    'Identifier,"Full name","Email address","ID number",Status,Grade,"Maximum grade",'
    '"Last modified (submission)","Last modified (grade)"'
)
MOMENT = "Thursday, 19 November 2026, 12:30 PM"
WORKSHEET = f"""\ufeff{HEADER}
"Participant 11","Äinö Mäkelä",aino.makela@aalto.fi,100001,Submitted,,100.00,"{MOMENT}",-
"Participant 12","小龙 李",x.li@aalto.fi,100002,No submission,,100.00,-,-
"""


@pytest.fixture
def stock(released):
    """The tiny course after its release, with the repository's own configuration."""
    shutil.copy(ROOT / "nbgrader_config.py", released.root)
    (released.root / "downloaded" / "round" / "archive").mkdir(parents=True)
    return Course(released.root)


@pytest.fixture
def run(stock, monkeypatch):
    """Function: run one of nbgrader's apps in the course; return its exit code."""
    monkeypatch.chdir(stock.root)
    mask = os.umask(0o022)

    def start(kind, *arguments):
        app = kind()
        app.initialize([*arguments])
        app.log.propagate = True
        try:
            app.start()
        except SystemExit as ended:
            return ended.code
        return 0

    yield start
    os.umask(mask)


def put(course, files, name="download.zip"):
    path = course.root / "downloaded" / "round" / "archive" / name
    path.write_bytes(pack_download(files))
    return path


def collected(course, student="11"):
    folder = course.submitted / student / "round"
    return {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}


def test_stock_commands_go_from_the_download_to_the_gradebook_csv(stock):
    scripts = sysconfig.get_path("scripts")
    environment = {**os.environ, "PATH": os.pathsep.join([scripts, os.environ["PATH"]])}
    sums = answer(stock, "sums", {"add": "def add(a, b):\n    return a + b", "why": ""})
    products = answer(stock, "products", {"product": "product = 6"})
    put(
        stock,
        {
            f"{FOLDER}/palautus/作业 1.ipynb": sums,
            f"{FOLDER}/products.ipynb": products,
            f"{FOLDER}/scan.pdf": b"%PDF-",
        },
    )
    sheet = stock.root / "downloaded/round/archive/worksheet.csv"
    sheet.write_text(WORKSHEET, encoding="utf-8")
    export = "export --to out.csv --MyCoursesExportPlugin.provisional=True"
    for command in ("zip_collect round", "autograde round", export):
        done = subprocess.run(
            ["nbgrader", *command.split()],
            cwd=stock.root,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
    assert collected(stock) == {"sums.ipynb", "products.ipynb", "scan.pdf", "timestamp.txt"}
    modes = {path.stat().st_mode & 0o077 for path in (stock.submitted / "11").rglob("*")}
    assert modes == {0}
    with stock.gradebook() as gradebook:
        submission = gradebook.find_submission("round", "11")
        assert f"{submission.timestamp:%H:%M}" == "10:30"
        assert submission.student.email == "aino.makela@aalto.fi"
        assert submission.score == 7
    with (stock.root / "out.csv").open(newline="") as file:
        assert list(csv.reader(file)) == [
            ["username", "round"],
            ["aino.makela@aalto.fi", "70"],
            ["x.li@aalto.fi", ""],
        ]


@pytest.mark.parametrize(
    "entry",
    [
        "A B_11_assignsubmission_file/sums.ipynb",
        "A B_11_assignsubmission_file_/sums.ipynb",
        "A B_11_assignsubmission_file_sums.ipynb",
        "Participant_11_assignsubmission_file/sums.ipynb",
    ],
)
def test_zip_collect_knows_the_forms_of_a_download(stock, run, entry):
    put(stock, {entry: answer(stock, "sums", {})})
    assert run(ZipCollectApp, "round") == 0
    assert collected(stock) == {"sums.ipynb"}


HOSTILE = {
    "up": "x_11_assignsubmission_file/../../../out.ipynb",
    "absolute": "/x_11_assignsubmission_file/a.ipynb",
    "deep": "x_11_assignsubmission_file/" + "a/" * 300 + "a.ipynb",
    "backslash": "x_11_assignsubmission_file/..\\out.ipynb",
    "forged time": "x_11_assignsubmission_file/timestamp.txt",
    "forged time, capitals": "x_11_assignsubmission_file/TimeStamp.TXT",
    "nobody's": "out.ipynb",
}


@pytest.mark.parametrize("entry", HOSTILE.values(), ids=HOSTILE.keys())
def test_zip_collect_leaves_out_what_is_not_safe_and_goes_on(stock, run, caplog, entry):
    put(stock, {f"{FOLDER}/sums.ipynb": answer(stock, "sums", {}), entry: "evil"})
    assert run(ZipCollectApp, "round") == 0
    assert collected(stock) == {"sums.ipynb"}
    assert not [path for path in stock.root.rglob("*") if path.name == "out.ipynb"]
    told = [record for record in caplog.records if "1 left out (" in record.getMessage()]
    assert len(told) == 1
    assert "Mäkelä" not in told[0].getMessage()
    assert "_11_" not in told[0].getMessage()


def test_zip_collect_unpacks_no_link(stock, run):
    path = put(stock, {f"{FOLDER}/sums.ipynb": answer(stock, "sums", {})})
    link = zipfile.ZipInfo(f"{FOLDER}/link")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(link, "/etc/passwd")
    assert run(ZipCollectApp, "round") == 0
    assert collected(stock) == {"sums.ipynb"}


def test_zip_collect_of_several_or_no_zips_is_one_sentence(stock, run, caplog):
    assert run(ZipCollectApp, "round") == 1
    assert "the one zip of 'Download all submissions', got 0" in caplog.text
    for name in ("old.zip", "new.zip"):
        put(stock, {f"{FOLDER}/sums.ipynb": "x"}, name)
    assert run(ZipCollectApp, "round", "--force") == 1
    assert "got 2; leave the newest there" in caplog.text
    assert not stock.submitted.exists()


def test_zip_collect_of_no_download_is_one_sentence(stock, run, caplog):
    put(stock, {}).write_bytes(b"no zip")
    assert run(ZipCollectApp, "round") == 1
    assert "is not a zip" in caplog.text


def test_zip_collect_of_a_worksheet_in_finnish_collects_nothing(stock, run, caplog):
    put(stock, {f"{FOLDER}/sums.ipynb": answer(stock, "sums", {})})
    sheet = stock.root / "downloaded/round/archive/w.csv"
    sheet.write_text("Tunniste,Koko nimi\nOsallistuja 11,A\n", encoding="utf-8-sig")
    assert run(ZipCollectApp, "round") == 1
    assert "English" in caplog.text
    assert not stock.submitted.exists()


def test_zip_collect_again_replaces_with_force_alone(stock, run):
    put(stock, {f"{FOLDER}/sums.ipynb": answer(stock, "sums", {})})
    assert run(ZipCollectApp, "round") == 0
    put(stock, {f"{FOLDER}/products.ipynb": answer(stock, "products", {})})
    assert run(ZipCollectApp, "round") == 1
    assert collected(stock) == {"sums.ipynb"}
    assert run(ZipCollectApp, "round", "--force") == 0
    assert collected(stock) == {"products.ipynb"}


def test_zip_collect_leaves_a_second_version_beside_the_right_name(stock, run):
    files = {"sums.ipynb": "right", "draft.ipynb": "draft"}
    sources = {
        f"{FOLDER}/{name}": answer(stock, "sums", {"why": text}) for name, text in files.items()
    }
    put(stock, sources)
    assert run(ZipCollectApp, "round") == 0
    assert collected(stock) == set(files)
    kept = nbformat.read(stock.submitted / "11/round/sums.ipynb", as_version=4)
    assert kept.cells[-1].source == "right"


def logged(caplog):
    """Return what was told above the debug level."""
    return [r.getMessage() for r in caplog.records if r.levelno > logging.DEBUG]


GROUPS = f"""\ufeff{HEADER.replace("Status", "Status,Group")}
"Participant 2001",Åke,a@x.invalid,1,Submitted,"Default group",,100.00,"{MOMENT}",-
"Participant 2002",Bo,b@x.invalid,2,Submitted,"Default group",,100.00,"{MOMENT}",-
"Participant 2003",Cy,c@x.invalid,3,Submitted,"Team A",,100.00,"{MOMENT}",-
"""


def test_zip_collect_logs_no_student_above_the_debug_level(stock, run, caplog):
    put(
        stock,
        {
            "Default group_assignsubmission_file/sums.ipynb": "{}",
            "Team A_7_assignsubmission_file/Cy-Secret.pdf": b"%PDF-",
            "Team A_7_assignsubmission_file/Cy-Secret.ipynb": "{}",
        },
    )
    sheet = stock.root / "downloaded/round/archive/worksheet.csv"
    sheet.write_text(GROUPS, encoding="utf-8")
    assert run(ZipCollectApp, "round") == 0
    assert collected(stock, "2003") == {"Cy-Secret.pdf", "Cy-Secret.ipynb", "timestamp.txt"}
    assert run(ZipCollectApp, "round", "--force") == 0
    with stock.gradebook() as gradebook:
        gradebook.update_or_create_student("2003", lms_user_id="other")
    (stock.root / "downloaded/round/extracted").rename(stock.root / "elsewhere")
    assert run(ZipCollectApp, "round") == 1  # without --force: submitted/ is not empty
    told = "\n".join(logged(caplog))
    assert "Directory not empty" in told
    assert "1 left out (--debug tells which): it is of those who are in no group" in told
    assert "1 with another name or address than in the gradebook" in told
    assert "Invalid submission notebook name '… (--debug tells which)" in told
    for personal in ("200", "Åke", "Team", "Secret", "Cy"):
        assert personal not in told.replace(str(stock.root), "")
    assert "Cy-Secret.pdf" in caplog.text  # on the debug level


@pytest.mark.parametrize("second", ["Participant 11", "Virtanen Matti"])
def test_zip_collect_of_a_broken_worksheet_names_nobody(stock, run, caplog, second):
    put(stock, {f"{FOLDER}/sums.ipynb": answer(stock, "sums", {})})
    sheet = stock.root / "downloaded/round/archive/worksheet.csv"
    sheet.write_text(WORKSHEET.replace("Participant 12", second), encoding="utf-8")
    assert run(ZipCollectApp, "round") == 1
    told = "\n".join(logged(caplog)).replace(str(stock.root), "")
    assert "worksheet.csv cannot be read (--debug tells why): set the language" in told
    assert "11" not in told
    assert "Virtanen" not in told
    assert "row 3" in caplog.text


def test_zip_collect_of_a_file_that_cannot_be_written_names_nobody(stock, run, caplog, monkeypatch):
    put(stock, {f"{FOLDER}/Secret.pdf": b"%PDF-"})

    def full(path, content):
        raise OSError(28, "No space left on device", str(path))

    monkeypatch.setattr(Path, "write_bytes", full)
    assert run(ZipCollectApp, "round") == 1
    told = "\n".join(logged(caplog))
    assert "A file cannot be read or written: No space left on device" in told
    assert "Secret" not in told


def test_zip_collect_waits_for_nobody_who_is_at_work(stock, run, caplog):
    put(stock, {f"{FOLDER}/sums.ipynb": answer(stock, "sums", {})})
    with alone(stock):
        assert run(ZipCollectApp, "round") == 1
    assert "Another coursekit command is at work" in caplog.text
    assert not stock.submitted.exists()


@pytest.fixture
def scored(stock):
    """Function: give a student points in the round; `score` of the 4 for the first test."""

    def give(student, score, email=None, waiting=False, assignment="round", **known):
        with stock.gradebook() as gradebook:
            gradebook.update_or_create_student(student, email=email, **known)
            if score is None:
                return
            submission = gradebook.update_or_create_submission(assignment, student)
            for grade in (grade for book in submission.notebooks for grade in book.grades):
                grade.auto_score = score if grade.name == "add-test" else 0
                grade.needs_manual_grade = waiting and grade.name == "why"
            gradebook.db.commit()

    return give


@pytest.fixture
def exported(stock, run):
    """Function: run ``nbgrader export`` and return the rows of the file."""

    def export(*arguments):
        assert run(ExportApp, *arguments) == 0
        with (stock.root / "mycourses.csv").open(encoding="utf-8", newline="") as file:
            return list(csv.reader(file))

    return export


def test_export_scales_to_100_or_writes_raw_points(scored, exported):
    scored("11", 1, "b@aalto.fi")
    scored("12", 3.335, "A@Aalto.fi")
    assert exported() == [["username", "round"], ["a@aalto.fi", "33.35"], ["b@aalto.fi", "10"]]
    raw = exported("--MyCoursesExportPlugin.scale_to_100=False")
    assert raw[1:] == [["a@aalto.fi", "3.33"], ["b@aalto.fi", "1"]]


def test_export_is_blank_where_nobody_knows_the_points_yet(scored, exported, stock, caplog):
    scored("11", None, "absent@aalto.fi")
    scored("12", 2, "waiting@aalto.fi", waiting=True)
    with stock.gradebook() as gradebook:
        gradebook.update_or_create_student("13", email="ungraded@aalto.fi")
        gradebook.add_submission("round", "13")
    blank = {"absent@aalto.fi": "", "ungraded@aalto.fi": "", "waiting@aalto.fi": ""}
    assert dict(exported()[1:]) == blank
    assert "2 blank: not graded yet, or answers wait" in caplog.text
    assert dict(exported("--MyCoursesExportPlugin.provisional=True")[1:]) == {
        **blank,
        "waiting@aalto.fi": "20",
    }
    zero = exported("--MyCoursesExportPlugin.absent_as_zero=True")[1:]
    assert dict(zero) == {**blank, "absent@aalto.fi": "0"}


def test_export_is_never_above_the_maximum_nor_negative(scored, exported, stock):
    scored("11", 4, "much@aalto.fi")
    scored("12", 1, "late@aalto.fi")
    with stock.gradebook() as gradebook:
        gradebook.find_grade("add-test", "sums", "round", "11").extra_credit = 50
        gradebook.find_submission_notebook("sums", "round", "12").late_submission_penalty = 3
        gradebook.db.commit()
    assert dict(exported()[1:]) == {"much@aalto.fi": "100", "late@aalto.fi": "0"}


def test_export_has_one_row_for_a_person_with_another_number_in_each_round(scored, exported, stock):
    with stock.gradebook() as gradebook:
        gradebook.add_assignment("next")
        gradebook.add_notebook("sums", "next")
        gradebook.add_grade_cell("add-test", "sums", "next", max_score=4, cell_type="code")
    scored("11", 2, "aino@aalto.fi")
    scored("901", 3, "Aino@aalto.fi", assignment="next")
    scored("12", 1, "matti@aalto.fi")
    rows = exported()
    places = {name: rows[0].index(name) for name in ("round", "next")}
    found = {row[0]: (row[places["round"]], row[places["next"]]) for row in rows[1:]}
    assert found == {"aino@aalto.fi": ("20", "75"), "matti@aalto.fi": ("10", "")}
    assert exported("--assignment=next")[0] == ["username", "next"]


def test_export_refuses_two_students_with_one_address_in_a_round(scored, run, stock, caplog):
    scored("11", 2, "a@aalto.fi")
    scored("12", 3, "a@aalto.fi")
    assert run(ExportApp) == 1
    assert "Two students of round have one e-mail address" in caplog.text
    assert not (stock.root / "mycourses.csv").exists()


def test_export_makes_addresses_of_usernames_but_not_of_numbers(scored, exported, caplog):
    scored("1204511", 1, lms_user_id="100001")
    scored("1204512", 1, lms_user_id="12345K")
    scored("makela2", 1, lms_user_id="100002")
    assert [row[0] for row in exported()[1:]] == ["makela2@aalto.fi"]
    told = [r.getMessage() for r in caplog.records if r.levelname == "WARNING"]
    assert "2 left out: no e-mail address or username" in told
    other = exported("--MyCoursesExportPlugin.username_suffix=@example.org")
    assert other[1][0] == "makela2@example.org"


def test_export_of_an_unknown_assignment_is_one_sentence(scored, run, caplog):
    scored("11", 1, "a@aalto.fi")
    assert run(ExportApp, "--assignment=rond") == 1
    assert "knows no assignment rond; it has round" in caplog.text


def test_export_file_is_its_owners(scored, exported, stock):
    scored("11", 1, "a@aalto.fi")
    exported()
    assert (stock.root / "mycourses.csv").stat().st_mode & 0o777 == 0o600
    assert not list(stock.root.glob(".*.new"))


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    st.tuples(
        st.sampled_from(["", *"=+-@"]),
        st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=20),
    )
    .map("".join)
    .filter(lambda text: "".join(filter(str.isprintable, text)).strip())
    .filter(lambda text: not "".join(filter(str.isprintable, text)).strip().isdigit())
)
@example("=1+1")
def test_export_cells_are_no_formulas_and_rows_are_whole(scored, exported, name):
    scored("11", 1, name)
    header, *rows = exported()
    assert len(rows) == 1
    (row,) = rows
    assert len(row) == len(header) == 2
    assert row[0].strip()[:1] not in tuple("=+-@")
    assert row[1] == "10"
