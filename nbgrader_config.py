"""nbgrader's configuration of the course: every stock command and the formgrader read it."""

import os

from nbconvert.preprocessors import CSSHTMLHeaderPreprocessor, TagRemovePreprocessor
from nbgrader import preprocessors as stock

from coursekit.formgrader.cleaning import markdown2html
from coursekit.formgrader.view import FormgraderView
from coursekit.grading.execute import BoundedExecute
from coursekit.grading.hook import begin_run
from coursekit.grading.mending import MendCells
from coursekit.grading.scan import LeaveOutScan, ShowScan
from coursekit.judging.preprocessors import JudgeAnswers, PoseChallenges

c = get_config()  # noqa: F821  (nbgrader's loader defines it)

c.CourseDirectory.course_id = "cs-e4850"
# Never copied.
c.CourseDirectory.ignore = [".*", "*.pyc", "__pycache__", "*.egg-info", "feedback", "hand_in"]
c.Exchange.timezone = "Europe/Helsinki"  # the time zone of MyCourses' dates

# --- Release ---------------------------------------------------------------------------------
# Cells tagged `instructor` (the live judge, marking guides) never reach the students.
c.TagRemovePreprocessor.enabled = True
c.TagRemovePreprocessor.remove_cell_tags = {"instructor"}
c.GenerateAssignment.preprocessors = [
    TagRemovePreprocessor,
    stock.IncludeHeaderFooter,
    stock.LockCells,
    stock.ClearSolutions,
    stock.ClearOutput,
    stock.CheckCellMetadata,
    stock.ComputeChecksums,
    stock.SaveCells,
    stock.ClearHiddenTests,
    stock.ClearMarkScheme,
    stock.ComputeChecksums,
    stock.CheckCellMetadata,
]
c.ClearSolutions.code_stub = {
    "python": "# YOUR CODE HERE, in place of these two lines\n"
    'raise NotImplementedError("not answered yet")'
}
c.ClearSolutions.text_stub = (
    "*Your answer: text and LaTeX, or the words “scan, page n” with the page of your scan.*"
)

# --- Autograding -----------------------------------------------------------------------------
# Damaged cells are mended, and metadata of the student's own taken away (MendCells); locked cells
# come back as released. Then each judged cell gets fresh inputs, runs in a sandboxed kernel
# (BoundedExecute), and its answers are judged here, outside the student's process, before nbgrader
# saves the grades.
c.Autograde.sanitize_preprocessors = [
    stock.ClearOutput,
    MendCells,
    stock.DeduplicateIds,
    stock.OverwriteKernelspec,
    stock.OverwriteCells,
    stock.CheckCellMetadata,
]
c.Autograde.pre_convert_hook = begin_run(c)
c.Autograde.autograde_preprocessors = [
    PoseChallenges,
    BoundedExecute,
    JudgeAnswers,
    stock.IgnorePattern,
    stock.LimitOutput,
    ShowScan,
    stock.SaveAutoGrades,
    stock.AssignLatePenalties,
    stock.CheckCellMetadata,
]
# Those whose written answers may stand in a scan; it is shown where they are graded by hand.
c.ShowScan.notebooks = ["derivation"]

# What student code may use beside what coursekit/kernels/policy.py names: the course's own data
# set. Packages and limits are set alike: c.SandboxProvisioner.packages = ["torch"]
if "ROUND09_DATA" in os.environ:
    c.SandboxProvisioner.environment = ["ROUND09_DATA"]
    c.SandboxProvisioner.readable = [os.environ["ROUND09_DATA"]]

# --- Grading by hand ---------------------------------------------------------------------------
# In the formgrader each written answer has its marking guide, a cell `<grade id>-guide` of the
# source notebook, and nothing that a student wrote runs in the page.
c.HTMLExporter.preprocessors = [FormgraderView]
c.HTMLExporter.filters = {"markdown2html": markdown2html}

# --- Feedback --------------------------------------------------------------------------------
# Students see the verdicts, and no line of the hidden tests.
c.GenerateFeedback.preprocessors = [
    LeaveOutScan,
    stock.ClearHiddenTests,
    stock.GetGrades,
    CSSHTMLHeaderPreprocessor,
]

# --- MyCourses -------------------------------------------------------------------------------
# `nbgrader zip_collect` takes the zip of "Download all submissions" from downloaded/<assignment>/
# archive, and `nbgrader export` writes Aalto's gradebook CSV.
c.ZipCollectApp.extractor_plugin = "coursekit.mycourses.zip_collect.MyCoursesExtractor"
c.ZipCollectApp.collector_plugin = "coursekit.mycourses.zip_collect.MyCoursesCollector"
c.ExportApp.plugin_class = "coursekit.mycourses.export.MyCoursesExportPlugin"
