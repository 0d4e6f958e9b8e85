"""What the formgrader shows, what students' files can do in it, and where the guides never go."""

import json
import re
from pathlib import Path

import nbformat
import pytest
from nbconvert.exporters import HTMLExporter
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from nbgrader.server_extensions.formgrader import handlers
from traitlets.config import Config

from coursekit.course import Course
from coursekit.formgrader.cleaning import clean
from coursekit.formgrader.guides import is_graded_by_hand, read_guides
from coursekit.judging.verdict import METADATA_KEY, Finding, Verdict, outputs

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "source" / "round09"
NOTEBOOKS = sorted(SOURCE.glob("*.ipynb"))
POINTS = re.compile(r"^- \*\*([\d.]+)\*\* ", re.MULTILINE)
ROLE = {"schema_version": 3, "task": False, "locked": False, "grade": True, "solution": True}


def by_hand(path):
    """List the cells of a notebook that a person grades."""
    return [cell for cell in nbformat.read(path, as_version=4).cells if is_graded_by_hand(cell)]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_every_answer_graded_by_hand_has_a_guide_whose_points_are_those_of_the_cell(path):
    guides = read_guides(path)
    worth = {cell.id: cell.metadata.nbgrader.points for cell in by_hand(path)}
    assert {name: sum(map(float, POINTS.findall(text))) for name, text in guides.items()} == worth
    assert all("*Common mistakes.*" in text for text in guides.values())


def test_guides_are_for_29_points():
    assert sum(cell.metadata.nbgrader.points for path in NOTEBOOKS for cell in by_hand(path)) == 29


def test_no_line_of_a_guide_is_released():
    released = "".join(
        path.read_text(encoding="utf-8")
        for path in (ROOT / "release").rglob("*")
        if path.suffix in (".ipynb", ".py", ".md", ".toml", ".txt")
    )
    assert "Marking guide" not in released
    for path in NOTEBOOKS:
        for text in read_guides(path).values():
            for line in filter(None, text.splitlines()):
                assert json.dumps(line, ensure_ascii=False)[1:40] not in released


def graded_notebook():
    """Make a notebook as it is after the grading, by a hostile student."""
    verdict = Verdict("stage3", "dE/dy1", 2.0, (Finding("value", 2.0, "it is transposed"),))
    hostile = new_output(
        "display_data",
        {
            "text/html": "<table><tr><td>cell</td></tr></table><script>steal()</script>",
            "application/javascript": "steal()",
            "image/png": "aGk=",
        },
        metadata={"image/png": {"width": "1 onload=steal()"}},
    )
    markdown = 'scan, page 2, $a<b$\n\n<img src="x" onerror="steal()"><p id="score">*words*</p>'
    answer = {**ROLE, "grade_id": "stage3-derivation", "points": 2}
    test = {**ROLE, "solution": False, "locked": True, "grade_id": "stage3-dE-dy1", "points": 2}
    scan = new_markdown_cell(
        "##### Scan page 2\n\n![Scan page 2](attachment:scan-2.jpg)",
        metadata={METADATA_KEY: "scan"},
        attachments={"scan-2.jpg": {"image/jpeg": "PICTURE="}},
    )
    return new_notebook(
        cells=[
            scan,
            new_markdown_cell(markdown, metadata={"nbgrader": answer}),
            new_code_cell("display()", outputs=[hostile]),
            new_code_cell("judge()", outputs=outputs(verdict), metadata={"nbgrader": test}),
        ]
    )


@pytest.fixture(scope="module")
def config():
    """The configuration of the course, with its sources."""
    made = Config(Course(ROOT).config.copy())
    made.HTMLExporter.template_name = "formgrade"
    made.HTMLExporter.extra_template_basedirs = [handlers.template_path]
    return made


@pytest.fixture(scope="module")
def page(config):
    """The page of the formgrader."""
    resources = {
        **{"submission_id": "1", "assignment_id": "round09", "notebook_id": "derivation"},
        **{"index": 0, "total": 1, "base_url": "/base", "notebook_path": "x"},
    }
    html, _ = HTMLExporter(config=config).from_notebook_node(graded_notebook(), resources)
    return html


def test_guide_and_scan_stand_beside_the_answer(page):
    guide = page.index("Marking guide")
    assert "The chain rule with stage 2" in page[guide : page.index("scan, page 2, ")]
    assert 'href="#Scan-page-2"' in page
    assert 'id="Scan-page-2"' in page
    assert 'class="coursekit-scan"' in page
    assert "data:image/jpeg;base64,PICTURE=" in page


def test_verdict_is_shown_and_its_number_only_in_the_head_of_the_cell(page):
    assert "dE/dy1: 0 of 2 points" in page
    assert "it is transposed" in page
    assert "<pre>0.0</pre>" not in page


def test_formulas_need_no_network(page):
    assert "/base/static/jupyter_server_mathjax/MathJax.js" in page


def test_nothing_of_the_student_runs_or_takes_a_name(page):
    assert "steal" not in page
    assert 'id="score"' not in page
    assert "<em>words</em>" in page
    assert "<td>cell</td>" in page
    assert "$a&lt;b$" in page


def test_file_stays_as_it_is_and_feedback_has_no_guide(config):
    feedback = Config(config.copy())
    feedback.HTMLExporter.template_name = "classic"
    exporter = HTMLExporter(config=feedback)
    for preprocessor in config.GenerateFeedback.preprocessors[:1]:
        exporter.register_preprocessor(preprocessor, enabled=True)
    told = {"notebook": "derivation", "score": 0, "max_score": 1, "late_penalty": 0}
    html, _ = exporter.from_notebook_node(graded_notebook(), {"nbgrader": told})
    assert "words" in html
    assert "Marking guide" not in html
    assert "The chain rule with stage 2" not in html
    assert "PICTURE" not in html
    assert "coursekit" not in html


@pytest.mark.parametrize(
    "html",
    [
        "<svg onload=steal()>",
        "<a href='javascript:steal()'>x</a>",
        "<iframe srcdoc='<script>steal()</script>'></iframe>",
        "<p style='position:fixed' onclick='steal()'>x</p>",
        "<form action='//steal()'><input name='steal'></form>",
        "<math><style><img src=x onerror=steal()></style></math>",
        "<scr<script>ipt>steal</script>",
        "<img src='/logout?steal'>",
        "<img src='https://example.org/steal.png'>",
        "<a href='data:text/html,<script>steal()</script>'>x</a>",
    ],
)
def test_markup_that_could_act_is_taken_out(html):
    cleaned = clean(html)
    assert not re.search(r"<[^>]*(steal|position|form|svg|script)", cleaned)
