import zipfile
from pathlib import Path

import pytest
from click.testing import CliRunner

from coursekit.cli import main

from .conftest import answer

FOLDER = "A B_11_assignsubmission_file"


@pytest.fixture
def coursekit():
    """Run the command line and return its result."""

    def run(*arguments):
        return CliRunner().invoke(main, [str(argument) for argument in arguments])

    return run


@pytest.fixture
def download(tmp_path):
    """Make a MyCourses zip from files of one student."""

    def make(**files):
        path = tmp_path / "download.zip"
        with zipfile.ZipFile(path, "w") as archive:
            for notebook, content in files.items():
                archive.writestr(f"{FOLDER}/{notebook}.ipynb", content)
        return path

    return make


def assert_fails(result, *words, code=1):
    """Check that a command ended with one sentence on stderr and no traceback."""
    assert result.exit_code == code
    assert isinstance(result.exception, SystemExit)
    assert result.stderr.startswith("Error: " if code == 1 else "Usage: ")
    for word in words:
        assert word in result.stderr
    assert "Traceback" not in result.output


def test_version(coursekit):
    assert coursekit("--version").output == "coursekit, version 0.1.0\n"


def test_there_are_the_commands_that_the_readme_names():
    commands = ["collect", "doctor", "feedback", "grade", "grades", "pdf", "release", "verdict"]
    commands += ["archive", "forget", "formgrader", "report", "worksheet"]
    assert sorted(main.commands) == sorted(commands)
    readme = (Path(__file__).parents[1] / "README.md").read_text("utf-8")
    assert all(f"coursekit {command} " in readme for command in commands)


@pytest.mark.parametrize("command", sorted(main.commands))
def test_command_has_help_for_itself_and_for_every_option(coursekit, command):
    result = coursekit(command, "--help")
    assert result.exit_code == 0
    assert "--course DIR" in result.output
    assert main.commands[command].help
    assert all(
        parameter.help
        for parameter in main.commands[command].params
        if parameter.param_type_name == "option"
    )


@pytest.mark.parametrize("command", ["release", "grade", "feedback", "grades"])
def test_wrong_folder(coursekit, tmp_path, command):
    assert_fails(coursekit(command, "--course", tmp_path), "nbgrader_config.py", "--course")


@pytest.mark.parametrize("command", ["release", "grade", "feedback", "grades"])
def test_wrong_assignment(coursekit, course, command):
    result = coursekit(command, "rond", "--course", course.root)
    assert_fails(result, "'rond'", "there are: round")


@pytest.mark.parametrize("command", ["grade", "feedback", "grades"])
def test_assignment_that_was_not_released(coursekit, course, command):
    assert_fails(coursekit(command, "--course", course.root), "run: coursekit release round")


@pytest.mark.parametrize(
    ("command", "remedy"), [("grade", "coursekit collect"), ("feedback", "coursekit grade")]
)
def test_nothing_to_do_yet(coursekit, released, command, remedy):
    assert_fails(coursekit(command, "--course", released.root), remedy)


@pytest.mark.parametrize(
    "arguments",
    [
        ["grad"],
        ["collect"],
        ["collect", "a", "b", "c.zip"],
        ["collect", "not-there.zip"],
        ["release", "--due", "tomorrow"],
        ["grades", "--outptu", "x"],
    ],
)
def test_wrong_usage(coursekit, course, arguments):
    if arguments[0] in main.commands:
        arguments = [*arguments, "--course", course.root]
    assert_fails(coursekit(*arguments), code=2)


@pytest.mark.parametrize(
    ("command", "file"), [("collect", "DOWNLOAD.zip"), ("worksheet", "WORKSHEET.csv")]
)
def test_file_that_was_left_out_is_named(coursekit, course, command, file):
    result = coursekit(command, "round", "--course", course.root)
    assert_fails(result, f"{file} is missing after 'round'", code=2)


def test_wrong_zip(coursekit, course, tmp_path):
    path = tmp_path / "download.zip"
    path.write_text("not a zip")
    assert_fails(coursekit("collect", path, "--course", course.root), "download.zip is not a zip")


def test_wrong_worksheet(coursekit, course, download, tmp_path):
    path = tmp_path / "worksheet.csv"
    path.write_text("Tunniste,Koko nimi\n")
    result = coursekit("collect", download(sums="S"), "--worksheet", path, "--course", course.root)
    assert_fails(result, "worksheet.csv", "English")
    assert not course.submitted.exists()


def test_damaged_gradebook_is_told_in_one_sentence(coursekit, released):
    (released.root / "gradebook.db").write_text("not a database at all")
    for command in ("release", "grade", "feedback", "grades"):
        assert_fails(coursekit(command, "--course", released.root), "gradebook.db cannot be used")


def test_file_in_the_way_is_told_in_one_sentence(coursekit, released):
    (released.root / "build").rename(released.root / "elsewhere")
    (released.root / "build").write_text("")
    assert_fails(coursekit("release", "--course", released.root), "build")


def test_release_names_folder_and_zip(coursekit, course):
    result = coursekit("release", "--course", course.root, "--due", "2026-11-30 23:59")
    assert result.exit_code == 0
    assert str(course.release / "round") in result.output
    assert (course.build / "round.zip").is_file()


def test_collect_tells_what_is_missing_and_ignored_without_names(coursekit, course, download):
    result = coursekit("collect", download(sums="S", other="O"), "--course", course.root)
    assert result.exit_code == 0
    assert result.output.splitlines()[:2] == [
        "1 submissions: 1 new",
        "  11: not handed in: products",
    ]
    assert "ignored" not in result.output
    assert "A B" not in result.output


def test_collect_tells_of_notebooks_under_other_names_in_one_line(coursekit, released, download):
    files = {"a": answer(released, "sums", {}), "b": answer(released, "products", {})}
    told = coursekit("collect", download(**files), "--course", released.root).output
    assert told.splitlines()[1] == (
        "  11: products.ipynb was found as b.ipynb. sums.ipynb was found as a.ipynb."
    )


def test_worksheet_says_that_nothing_was_filled_in(coursekit, released, tmp_path):
    sheet = tmp_path / "worksheet.csv"
    sheet.write_text(
        "Identifier,Grade,Maximum grade,Last modified (submission),Last modified (grade)\n"
        'Participant 11,,100.00,"Thursday, 19 November 2026, 12:30 PM",-\n'
    )
    result = coursekit("worksheet", sheet, "--course", released.root)
    assert result.exit_code == 0
    assert "unless you removed it yourself (coursekit forget): 11" in result.output
    assert result.output.endswith("No grade was filled in, so there is nothing to upload yet.\n")


def test_forget_says_what_would_bring_the_student_back(coursekit, course, download):
    path = download(sums="S")
    coursekit("collect", path, "--course", course.root)
    told = coursekit("forget", "--student", "11", "--yes", "--course", course.root).output
    assert "A download that holds the student's work brings it back" in told
    assert "1 new" in coursekit("collect", path, "--course", course.root).output


def test_feedback_that_cannot_be_written_is_told_without_a_traceback(coursekit, released, download):
    coursekit("collect", download(sums=answer(released, "sums", {})), "--course", released.root)
    coursekit("grade", "--course", released.root)
    released.feedback.write_text("in the way")
    result = coursekit("feedback", "--course", released.root)
    assert_fails(result, "No pages could be written for: 11.")
    assert f"  11: {released.feedback}/11: Not a directory." in result.stdout.splitlines()


def test_collect_tells_once_that_times_are_unknown_and_whose_work_stays(
    coursekit, course, download, tmp_path
):
    sheet = tmp_path / "worksheet.csv"
    sheet.write_text(
        "Identifier,Last modified (submission)\n"
        '"Participant 11","Thursday, 19 November 2026, 12:30 PM"\n'
    )
    where = ["--course", course.root]
    told = coursekit("collect", download(sums="S"), "--worksheet", sheet, *where).output
    assert "time" not in told
    told = coursekit("collect", download(sums="S"), *where).output
    assert told.count("Without --worksheet the times of submission are unknown") == 1
    assert "11:" not in told.replace("11: not handed in", "")
    told = coursekit("collect", download(sums="T"), *where).output
    assert told.count("Without --worksheet") == 1
    assert "11: undated: sums.ipynb" in told
    assert "collect again with --worksheet" in told
    with zipfile.ZipFile(tmp_path / "download.zip", "w") as archive:
        archive.writestr(FOLDER.replace("11", "12") + "/sums.ipynb", "S")
    told = coursekit("collect", tmp_path / "download.zip", *where).output
    assert "not in this download, and the earlier work stays and will be graded" in told
    assert told.splitlines()[-2].endswith("submitted/: 11")


def test_the_way_from_the_download_to_the_grades(coursekit, released, download):
    where = ["round", "--course", released.root]
    products = answer(released, "products", {"product": "product = 5"})
    sums = answer(released, "sums", {"add": "def add(a, b):\n    return a + b"})
    path = download(sums=sums, products=products)
    assert coursekit("collect", "round", path, "--course", released.root).exit_code == 0

    graded = coursekit("grade", *where)
    assert graded.output.startswith("1/1 11: graded.\n")
    rows = [
        [cell.strip() for cell in line.strip("│").split("│")]
        for line in graded.output.splitlines()
        if line.startswith("│")
    ]
    assert rows == [["graded", "1", ""], ["needs a person", "0", ""], ["not handed in", "0", ""]]
    assert "2 notebooks in " in graded.output

    pages = coursekit("feedback", *where)
    assert pages.exit_code == 0
    assert (released.feedback / "11" / "round" / "sums.html").is_file()

    grades = coursekit("grades", *where)
    assert grades.exit_code == 0
    row = next(line for line in grades.output.splitlines() if " 11 " in line)
    assert [cell.strip() for cell in row.strip("│").split("│")] == [
        "11",
        "0",
        "6",
        "6",
        "",
        "product-test -1: AssertionError:",
    ]
    assert (released.root / "grades.csv").read_text().splitlines()[1] == (
        "11,,graded,0,6,0,6,10,0,0,,product-test -1: AssertionError:; written answers left blank -3"
    )


def test_student_that_cannot_be_graded_is_named_and_the_exit_code_is_1(
    coursekit, released, download
):
    coursekit("collect", download(sums="{"), "--course", released.root)
    result = coursekit("grade", "--course", released.root)
    assert_fails(result, "Not graded: 11")
    assert "1/1 11: needs a person. sums.ipynb: " in result.stdout
    told = coursekit("grade", "--course", released.root, "--quiet")
    assert (told.exit_code, told.stdout) == (1, "")
    assert told.stderr.startswith("11: sums.ipynb: The file breaks off")
    assert told.stderr.endswith("Error: Not graded: 11; the reasons stand above.\n")


def test_only_the_named_student_is_graded(coursekit, released, download):
    coursekit("collect", download(sums="{"), "--course", released.root)
    with released.gradebook() as gradebook:
        gradebook.update_or_create_student("12")
    result = coursekit("grade", "--course", released.root, "--student", "12")
    assert result.exit_code == 0
    assert result.output.startswith("1/1 12: not handed in. Nothing of round was handed in.")


def test_workers_and_a_cluster_exclude_each_other(coursekit, released):
    result = coursekit(
        "grade", "--course", released.root, "--workers", "2", "--dask", "tcp://nowhere:1"
    )
    assert result.exit_code == 2
    assert "--workers is for this machine" in result.stderr


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--dask", "tcp://127.0.0.1:9"), "The Dask scheduler at tcp://127.0.0.1:9 cannot be used"),
        (("--dask", "nowhere.json"), "There is no scheduler file nowhere.json"),
        (("--dask", "tcp://127.0.0.1:9", "--unsafe-no-sandbox"), "on this machine only"),
        (("--notebook", "sum"), "round has no notebook 'sum'; it has products, sums."),
    ],
)
def test_what_cannot_be_done_is_told_before_anything_is_graded(
    coursekit, released, download, options, words
):
    coursekit("collect", download(sums="{}"), "--course", released.root)
    result = coursekit("grade", "--course", released.root, *options)
    assert result.exit_code == 1
    assert words in result.stderr
    assert "Traceback" not in result.stderr
    assert not list(released.autograded.glob("*"))


@pytest.mark.parametrize("student", ["nobody", "../11"])
def test_student_whom_nobody_knows_is_told(coursekit, released, download, student):
    coursekit("collect", download(sums="{"), "--course", released.root)
    result = coursekit("grade", "--course", released.root, "--student", student, "--student", "11")
    assert_fails(result, f"Nobody knows {student}:", "participant number")
    assert "1/1" not in result.output


def test_grades_that_cannot_be_written_name_the_path_that_was_asked_for(
    coursekit, released, tmp_path
):
    path = tmp_path / "nowhere" / "x.csv"
    result = coursekit("grades", "--course", released.root, "--output", path)
    assert_fails(result, f"{path} cannot be written: No such file or directory.")
    assert ".new" not in result.stderr


def test_verbose_shows_the_log_of_nbgrader(coursekit, course):
    result = coursekit("release", "--course", course.root, "--verbose")
    assert "Converting notebook" in result.stderr
    assert "Converting notebook" not in coursekit("release", "--course", course.root).output
