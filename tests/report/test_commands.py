import pytest
from click.testing import CliRunner

from coursekit.cli import main


def run(course, *arguments):
    return CliRunner().invoke(main, ["report", "--course", str(course.root), *arguments])


def test_report_and_anonymous_report_lie_apart(released, make):
    make(released, *(make.student(str(n), "Quentin", "Zauber") for n in range(4)))
    assert run(released, "round").exit_code == 0
    result = run(released, "--anonymous")
    assert result.exit_code == 0, result.output
    named = released.build / "report" / "round"
    unnamed = released.build / "report" / "round-anonymous"
    assert "Zauber" in (named / "report.html").read_text()
    assert sorted(path.name for path in unnamed.iterdir()) == [
        "report-anonymous-mistakes.csv",
        "report-anonymous-questions.csv",
        "report-anonymous-totals.csv",
        "report-anonymous.html",
    ]
    assert all("Zauber" not in path.read_text() for path in unnamed.iterdir())


def test_both_reports_in_one_folder_are_refused(released, make, tmp_path):
    make(released, make.student("1"))
    assert run(released, "--output", tmp_path).exit_code == 0
    refused = run(released, "--anonymous", "--output", tmp_path)
    assert refused.exit_code == 2
    assert "must not lie in one folder" in refused.stderr
    assert not list(tmp_path.glob("*anonymous*"))


def test_nobody_graded_is_told(released, tmp_path):
    result = run(released, "--output", str(tmp_path / "out"))
    assert result.exit_code == 0
    assert "Nobody is graded yet" in result.output
    assert "Nobody is graded yet" in (tmp_path / "out" / "report.html").read_text()


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "localhost:8888", "http://", "file:///etc", "http://[", "x y"]
)
def test_address_that_is_none_is_an_error_of_use(released, url):
    result = run(released, "--formgrader", url)
    assert result.exit_code == 2
    assert "http://localhost:8888" in result.output


def test_round_that_was_not_released(course):
    result = run(course)
    assert result.exit_code == 1
    assert "coursekit release" in result.output


def test_folder_that_cannot_be_written(released, tmp_path):
    (tmp_path / "file").write_text("")
    result = run(released, "--output", str(tmp_path / "file" / "folder"))
    assert result.exit_code == 1
    assert "cannot be written" in result.output
