"""nbgrader's preprocessors for a whole class: made once, they share an open gradebook.

Each does what nbgrader's does, cell by cell by nbgrader's own code. Only what stands around that
differs: nbgrader opens the gradebook anew each time, and checks each student's metadata again.
"""

import json

from nbgrader import preprocessors as stock

from coursekit.grading.gradebook import OpenGradebook
from coursekit.grading.mending import MendCells
from coursekit.judging.preprocessors import JudgeAnswers, PoseChallenges


class _Shared(stock.NbGraderPreprocessor):
    """A preprocessor on an open gradebook.

    Parameters
    ----------
    gradebook : OpenGradebook
    """

    def __init__(self, gradebook: OpenGradebook, **options):
        super().__init__(**options)
        self.gradebook = gradebook

    def preprocess(self, nb, resources):
        """Preprocess each cell."""
        self._begin(resources)
        return stock.NbGraderPreprocessor.preprocess(self, nb, resources)

    def _begin(self, resources):
        names = resources["nbgrader"]
        self.notebook_id, self.assignment_id = names["notebook"], names["assignment"]
        self.student_id = names["student"]


class OverwriteKernelspec(_Shared, stock.OverwriteKernelspec):
    """Sets the released kernel."""

    def preprocess(self, nb, resources):
        """See nbgrader's."""
        self._begin(resources)
        kernelspec = self.gradebook.find_notebook(self.notebook_id, self.assignment_id).kernelspec
        if kernelspec and json.loads(kernelspec):
            nb.metadata["kernelspec"] = json.loads(kernelspec)
        return nb, resources


class OverwriteCells(_Shared, stock.OverwriteCells):
    """Puts locked cells back as they were released."""

    def preprocess(self, nb, resources):
        """See nbgrader's."""
        nb, resources = super().preprocess(nb, resources)
        if self.add_missing_cells:
            nb, resources = self.add_missing_grade_cells(nb, resources)
            nb, resources = self.add_missing_task_cells(nb, resources)
        return nb, resources


class SaveAutoGrades(_Shared, stock.SaveAutoGrades):
    """Saves the points.

    What a person has graded stays so where nothing has changed: nbgrader would have all of it
    looked at again. `coursekit.grading.submission` asks again where other work was handed in.
    """

    def _add_score(self, cell, resources):
        names = self.notebook_id, self.assignment_id, self.student_id
        grade = self.gradebook.find_grade(cell.metadata.nbgrader.grade_id, *names)
        by_hand = grade.manual_score is not None and not grade.needs_manual_grade
        before = grade.auto_score
        super()._add_score(cell, resources)
        if by_hand and grade.auto_score == before:
            grade.needs_manual_grade = False


class AssignLatePenalties(_Shared, stock.AssignLatePenalties):
    """Saves what is taken off for being late."""

    def preprocess(self, nb, resources):
        """See nbgrader's."""
        self._begin(resources)
        self.init_plugin()
        where = self.assignment_id, self.student_id
        notebook = self.gradebook.find_submission_notebook(self.notebook_id, *where)
        seconds = self.gradebook.find_submission(*where).total_seconds_late
        notebook.late_submission_penalty = None
        if seconds > 0:
            self.gradebook.db.flush()
            self.gradebook.db.refresh(notebook)  # its score is added up by the database
            penalty = self.plugin_inst.late_submission_penalty(
                self.student_id, notebook.score, seconds
            )
            if penalty is not None:
                notebook.late_submission_penalty = self._check_late_penalty(notebook, penalty)
        return nb, resources


class CheckCellMetadata(stock.CheckCellMetadata):
    """Checks nbgrader's metadata, unless the very same was right before."""

    _right: set[str] = set()

    def preprocess(self, nb, resources):
        """See nbgrader's."""
        told = [(cell.cell_type, cell.metadata.get("nbgrader")) for cell in nb.cells]
        key = json.dumps(told, sort_keys=True)
        if key not in self._right:
            nb, resources = super().preprocess(nb, resources)
            self._right.add(key)
        return nb, resources


ON_OPEN_GRADEBOOK = {
    getattr(stock, kind.__name__): kind
    for kind in (OverwriteKernelspec, OverwriteCells, SaveAutoGrades, AssignLatePenalties)
}


# These keep nothing of one notebook for the next.
KEPT = {
    *ON_OPEN_GRADEBOOK,
    *(stock.ClearOutput, stock.DeduplicateIds, stock.CheckCellMetadata),
    *(stock.IgnorePattern, stock.LimitOutput),
    *(MendCells, PoseChallenges, JudgeAnswers),
}


class Preprocessors:
    """The preprocessors of a class; those that keep nothing of a notebook are made once.

    Parameters
    ----------
    gradebook : OpenGradebook
    """

    def __init__(self, gradebook: OpenGradebook):
        self.gradebook = gradebook
        self._made = {}

    def make(self, given, exporter):
        """Make a preprocessor ready to be called.

        Parameters
        ----------
        given : object
            A class, or what else nbconvert takes for a preprocessor.
        exporter : nbconvert.Exporter
            Whose configuration it takes.

        Returns
        -------
        callable
        """
        kept = isinstance(given, type) and given in KEPT
        if kept and given in self._made:
            return self._made[given]
        if given in ON_OPEN_GRADEBOOK:
            made = ON_OPEN_GRADEBOOK[given](self.gradebook, parent=exporter)
        else:
            exporter.register_preprocessor(
                CheckCellMetadata if given is stock.CheckCellMetadata else given
            )
            made = exporter._preprocessors.pop()
        if kept:
            self._made[given] = made
        return made
