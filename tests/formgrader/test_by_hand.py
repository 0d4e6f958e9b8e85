"""Points and comments that a person gave survive a regrade, and the totals follow."""

from nbgrader.api import Gradebook

from coursekit.grading.autograde import Wanted, grade
from coursekit.grading.results import results

from ..conftest import answer


def by_hand(gradebook: Gradebook):
    """Find the points and the comment of the written answer."""
    where = "why", "sums", "round", "anna"
    return gradebook.find_grade(*where), gradebook.find_comment(*where)


def test_points_and_comment_survive_a_regrade_and_totals_follow(released):
    folder = released.submitted / "anna" / "round"
    folder.mkdir(parents=True)
    text = answer(released, "sums", {"add": "def add(a, b):\n    return a + b", "why": "It does."})
    (folder / "sums.ipynb").write_text(text)
    wanted = Wanted(["anna"], regrade=True)
    grade(released, "round", wanted)
    with released.gradebook() as gradebook:
        points, comment = by_hand(gradebook)
        points.manual_score, points.needs_manual_grade = 2.5, False
        comment.manual_comment = "Say why."
        gradebook.db.commit()
    assert grade(released, "round", wanted)[0].status == "graded"
    with released.gradebook() as gradebook:
        points, comment = by_hand(gradebook)
        assert (points.score, comment.comment) == (2.5, "Say why.")
        submission = gradebook.find_submission("round", "anna")
        assert (submission.score, submission.written_score) == (8.5, 2.5)
    (found,) = [result for result in results(released, "round") if result.student == "anna"]
    sums = next(notebook for notebook in found.notebooks if notebook.name == "sums")
    assert sums.score == 8.5
