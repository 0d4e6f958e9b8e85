"""Make the pictures of docs/images anew, of the class of `make demo`; look at them afterwards."""

import io
import shutil
import subprocess
import sys

import nbformat
import pypdfium2
import pytest
from matplotlib import pyplot as plt
from PIL import Image
from rich.console import Console

from coursekit.course import Course
from coursekit.demo.run import ASSIGNMENT
from coursekit.grading.results import results
from coursekit.grading.table import grade_table
from coursekit.judging.preprocessors import judge_line
from nnlab.pdf import Title, export
from tests.e2e.conftest import ROOT, TOKEN
from tests.e2e.formgrader import Formgrader
from tests.e2e.lab import Notebook

IMAGES = ROOT / "docs" / "images"
COLOURS = 128
SHARPNESS = 2  # pixels of the picture for one of the page
PERFECT, NO_WEIGHT_DECAY = "2471501", "2471503"
IN_THE_TABLE = ["2471501", "2471502", "2471503", "2471504", "2471506", "2471510", "2471515"]
ANSWER = "stage2-derivation"
SCROLL = """(element, space) => {
    element.style.scrollMarginTop = `${space}px`;
    element.scrollIntoView({behavior: "instant"});
}"""
COMMENT = "Clear, and the sum of **t** is used where it is needed."
SCAN = [
    "Stage 2",
    r"$y_i = e^{z_i} / \sum_k e^{z_k}$",
    r"$\partial y_i / \partial z_k = y_i\,(\delta_{ik} - y_k)$   (quotient rule, both cases)",
    r"$E = -\sum_i t_i \log y_i$   so   $\partial E / \partial y_i = -t_i / y_i$",
    r"$\partial E / \partial z_k = \sum_i (-t_i / y_i)\; y_i\,(\delta_{ik} - y_k)$",
    r"           $= -t_k + y_k \sum_i t_i$",
    r"           $= y_k - t_k$   because   $\sum_i t_i = 1$",
]


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """The demo's class; in a copy, since one student gets a scan of the derivations."""
    demo = ROOT / "build" / "demo"
    assert demo.is_dir(), "Run make demo first."
    course = Course(shutil.copytree(demo, tmp_path_factory.mktemp("pictures") / "course"))
    work = course.submitted / PERFECT / ASSIGNMENT
    path = work / "derivation.ipynb"
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        if cell.metadata.get("nbgrader", {}).get("grade_id") == ANSWER:
            cell.source = "scan, page 1"
    path.chmod(0o600)
    nbformat.write(notebook, path)
    (work / "exercise1.pdf").unlink()
    (work / "scan.pdf").write_bytes(handwritten())
    coursekit(course, "grade", ASSIGNMENT)
    return course


def handwritten():
    """Make a page that looks as if somebody had derived something on paper."""
    buffer = io.BytesIO()
    with plt.rc_context({"mathtext.fontset": "cm", "font.family": "serif", "font.style": "italic"}):
        figure = plt.figure(figsize=(8.3, 11.7), facecolor="#f7f3e6")
        for row, text in enumerate(SCAN):
            place = 0.1, 0.88 - 0.095 * row
            figure.text(*place, text, size=19, color="#22327a", rotation=0.7 * (-1) ** row)
        figure.savefig(buffer, format="pdf", facecolor=figure.get_facecolor())
        plt.close(figure)
    return buffer.getvalue()


def coursekit(course, *words):
    """Run a command as people do."""
    command = [sys.executable, "-P", "-m", "coursekit", *words, "--course", str(course.root)]
    subprocess.run(command, check=True, capture_output=True)


def keep(name, png):
    """Save a picture with few colours, which takes a third of the room."""
    picture = Image.open(io.BytesIO(png)).convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
    picture.save(IMAGES / f"{name}.png", optimize=True)


def below(box):
    """Give the place of the lower edge of a box."""
    return box["y"] + box["height"]


@pytest.fixture
def sized(browser):
    """Return a function that opens a page of a size."""
    contexts = []

    def sized(width, height, scheme="light"):
        context = browser.new_context(
            viewport={"width": width, "height": height},
            device_scale_factor=SHARPNESS,
            color_scheme=scheme,
        )
        contexts.append(context)
        return context.new_page()

    yield sized
    for context in contexts:
        context.close()


def test_notebook(course, sized, serve, tmp_path):
    folder = shutil.copytree(ROOT / "release" / ASSIGNMENT, tmp_path / ASSIGNMENT)
    name = "classification.ipynb"
    shutil.copy(course.autograded / NO_WEIGHT_DECAY / ASSIGNMENT / name, folder / "mine.ipynb")
    with serve(folder, sys.executable, "-m", "jupyterlab") as address:
        page = sized(1400, 1500)
        lab = Notebook.open(page, address, TOKEN, "mine.ipynb")
        heading = lab.panel.get_by_role("heading", name="4. The gradient")
        page.wait_for_timeout(2000)  # formulas are set one after the other
        heading.evaluate(SCROLL, 16)
        top = heading.bounding_box()
        end = lab.cell("nnlab.check_gradient(").locator(".jp-OutputArea").last.bounding_box()
        left = lab.panel.bounding_box()["x"] + 4
        clip = {"x": left, "y": top["y"] - 12, "width": 1050, "height": below(end) - top["y"] + 24}
        keep("notebook", page.screenshot(clip=clip))


def test_feedback(course, sized):
    page = sized(1000, 1180)
    path = course.feedback / NO_WEIGHT_DECAY / ASSIGNMENT / "classification.html"
    page.goto(path.as_uri())
    cells = [
        page.locator(".cell", has=page.locator(".panel-heading code", has_text=name)).last
        for name in ("gradient-W2", "gradient-stability")
    ]
    cells[0].evaluate(SCROLL, 0)
    first, last = (cell.bounding_box() for cell in cells)
    clip = {"x": 60, "y": first["y"], "width": 880, "height": below(last) - first["y"] + 8}
    keep("feedback", page.screenshot(clip=clip))


def test_grades(course, sized):
    console = Console(record=True, width=118, file=io.StringIO())
    found = [one for one in results(course, ASSIGNMENT) if one.student in IN_THE_TABLE]
    console.print(grade_table(found))
    page = sized(1200, 1000)
    style = "font: 14px/16px 'DejaVu Sans Mono'; display: inline-block; padding: 4px"  # lines meet
    table = console.export_html(inline_styles=True)
    page.set_content(f"<style>pre {{ {style} }}</style>{table}")
    keep("grades", page.locator("pre").screenshot())


def test_pdf(course):
    path = course.autograded / PERFECT / ASSIGNMENT / "derivation.ipynb"
    notebook = nbformat.read(path, as_version=4)
    notebook.cells = [cell for cell in notebook.cells if not judge_line(cell)]
    title = Title(course="CS-E4850", name="Päivi Hämäläinen", student_number="1023456")
    pdf = pypdfium2.PdfDocument(export([("derivation", notebook, None)], title=title).pdf)
    pages = [page for page in pdf if "Stage 5:" in page.get_textpage().get_text_bounded()]
    buffer = io.BytesIO()
    pages[-1].render(scale=1.3).to_pil().save(buffer, "PNG")
    keep("pdf", buffer.getvalue())


def test_formgrader(course, sized, serve_formgrader):
    with serve_formgrader(course) as address:
        page = sized(1500, 860)
        sheet = Formgrader(page, address).open(ASSIGNMENT, PERFECT, "derivation")
        page.wait_for_timeout(6000)  # formulas are set one after the other
        sheet.grade(ANSWER, "2", COMMENT)
        page.get_by_role("heading", name="Stage 2").evaluate(SCROLL, 60)
        page.wait_for_timeout(3000)  # until "saved" has faded
        keep("formgrader", page.screenshot())


@pytest.mark.parametrize(("name", "scheme"), [("report", "light"), ("report-dark", "dark")])
def test_report(course, sized, name, scheme):
    coursekit(course, "report", ASSIGNMENT)
    page = sized(1100, 1500, scheme)
    page.goto((course.build / "report" / ASSIGNMENT / "report.html").as_uri())
    end = page.locator("#totals").bounding_box()
    keep(name, page.screenshot(clip={"x": 0, "y": 0, "width": 1100, "height": below(end) + 20}))
