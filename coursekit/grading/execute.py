"""Run a student's notebook within limits of time."""

from time import monotonic

from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbformat.v4 import new_output
from nbgrader.preprocessors import Execute
from traitlets import Float, List

STOPPED = "Stopped"
NOT_RUN = "Not run"


class BoundedExecute(Execute):
    """nbgrader's `Execute` with a time limit for each cell and one for the notebook.

    A cell that takes too long is interrupted. Once the notebook's time is used up, or the kernel
    is gone, the cells that are left are not run; each gets an error output that says why, so that
    a test cell among them earns nothing, and the grading goes on.
    """

    cell_timeout = Float(20, min=0.1, help="Seconds that one cell may run.").tag(config=True)
    notebook_timeout = Float(
        120, min=0.1, help="Seconds that all cells of a notebook may run together."
    ).tag(config=True)

    extra_arguments = List(
        ["--log-level=ERROR"],
        help="Arguments of the kernel; its warnings are not for the terminal.",
    ).tag(config=True)

    def preprocess(self, nb, resources, km=None):
        """Run the notebook; see nbconvert's `ExecutePreprocessor`."""
        self.shutdown_kernel = "immediate"
        self._used = 0.0
        self._stopped = None
        return super().preprocess(nb, resources, km)

    def timeout_func(self, cell):
        """Return the seconds that `cell` may run, and prepare the words for one that does not end.

        Parameters
        ----------
        cell : nbformat.NotebookNode or None

        Returns
        -------
        float
        """
        left = self.notebook_timeout - self._used
        if left > self.cell_timeout:
            reason = (
                f"this cell ran longer than {self.cell_timeout:g} s. "
                "Is there a loop that never ends?"
            )
        else:
            reason = f"the notebook used up its {self.notebook_timeout:g} s."
        self.error_on_timeout = _error(STOPPED, reason)
        return min(self.cell_timeout, left)

    def preprocess_cell(self, cell, resources, index):
        """Run one cell, if there is still time and a kernel to run it."""
        if cell.cell_type != "code" or not cell.source.strip():
            return cell, resources
        # Only the instructor decides which cells run.
        cell.metadata.pop("tags", None)
        if self._stopped is None and self._used >= self.notebook_timeout:
            self._stopped = f"the notebook used up its {self.notebook_timeout:g} s."
        if self._stopped is not None:
            cell.outputs = [new_output("error", **_error(NOT_RUN, self._stopped))]
            cell.execution_count = None
            return cell, resources
        start = monotonic()
        try:
            return super().preprocess_cell(cell, resources, index)
        except DeadKernelError:
            reason = "the kernel died while it ran this cell."
            self._stopped = "the kernel died in an earlier cell."
        except CellTimeoutError:
            reason = "this cell ran too long and could not be interrupted."
            self._stopped = "an earlier cell could not be stopped."
        except Exception:  # a kernel that student code has rewritten may send anything
            reason = "the kernel sent messages that cannot be read."
            self._stopped = "the kernel sent messages that cannot be read in an earlier cell."
        finally:
            self._used += monotonic() - start
        cell.outputs.append(new_output("error", **_error(STOPPED, reason)))
        return cell, resources


def _error(name: str, reason: str) -> dict:
    """Return the content of an error output."""
    return {"ename": name, "evalue": reason, "traceback": [f"{name}: {reason}"]}
