"""nbgrader's preprocessors for a whole class: they share an open gradebook, and check things once.

Each does what nbgrader's does, cell by cell by nbgrader's own code. Only what stands around that
differs: nbgrader opens the gradebook anew each time, and checks each student's metadata again.
"""

import json

from nbgrader import preprocessors as stock

from coursekit.grading.gradebook import OpenGradebook


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
    """Saves the points."""


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


def shared(preprocessors, gradebook, parent):
    """Replace nbgrader's preprocessors by those that share what they can.

    Parameters
    ----------
    preprocessors : iterable
        Classes, or what else nbconvert takes for a preprocessor.
    gradebook : OpenGradebook
    parent : Configurable
        Whose configuration they take.

    Returns
    -------
    list
        Ready to be registered.
    """
    return [
        ON_OPEN_GRADEBOOK[given](gradebook, parent=parent)
        if given in ON_OPEN_GRADEBOOK
        else CheckCellMetadata
        if given is stock.CheckCellMetadata
        else given
        for given in preprocessors
    ]
