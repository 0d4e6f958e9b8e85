"""Run a student's notebook in the sandbox, within limits of time and output."""

import asyncio
import math
from time import monotonic

from jupyter_client.manager import AsyncKernelManager
from jupyter_core.utils import run_sync
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbformat.v4 import new_output
from nbgrader.preprocessors import Execute
from traitlets import Bool, Float, Integer, List

from coursekit.grading.mending import MENDED
from coursekit.grading.selftest import check_sandbox
from coursekit.judging.verdict import METADATA_KEY
from coursekit.kernels.policy import MIB
from coursekit.kernels.provisioner import SandboxManager, SandboxProvisioner

STOPPED = "Stopped"
NOT_RUN = "Not run"
UNSAFE = "unsafe_no_sandbox"
CUT = "\n(The rest of this cell's output was left out: it was too long.)\n"
GRACE = 10  # seconds beyond a cell's time in which it must have been interrupted
DEEPEST = 24  # the deepest answer that the judge reads nests 19 lists and dicts
NUMBER, INDENT = 16, 8  # characters that a number takes, and the indentation of an item
MESSAGE_OVERHEAD = 512  # bytes that a message takes beside its content, roughly


class BoundedExecute(Execute):
    """nbgrader's `Execute` in a sandboxed kernel, with limits for each cell and for the notebook.

    A cell that takes too long is interrupted, and what it prints beyond the limit is left out.
    Once the notebook's time is used up, or the kernel is gone, the cells that are left are not
    run; each gets an error output that says why, so that a test cell among them earns nothing,
    and the grading goes on.
    """

    unsafe_no_sandbox = Bool(
        False,
        help="Run student code with all rights of whoever grades, in kernels without a sandbox.",
    ).tag(config=True)

    cell_timeout = Float(20, min=0.1, help="Seconds that one cell may run.").tag(config=True)
    notebook_timeout = Float(
        120, min=0.1, help="Seconds that all cells of a notebook may run together."
    ).tag(config=True)

    printed_limit = Integer(
        MIB, min=1, help="Characters that the prints of one cell may have together."
    ).tag(config=True)
    displayed_limit = Integer(
        12 * MIB, min=1, help="Characters that all other outputs of one cell may have together."
    ).tag(config=True)
    notebook_output_limit = Integer(
        64 * MIB, min=1, help="Characters that all outputs of a notebook may have together."
    ).tag(config=True)

    extra_arguments = List(
        ["--log-level=ERROR", "--HistoryManager.hist_file=:memory:"],
        help="Arguments of the kernel; its warnings are not for the terminal.",
    ).tag(config=True)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        manager = AsyncKernelManager if self.unsafe_no_sandbox else SandboxManager
        self.kernel_manager_class = manager
        self.shutdown_kernel = "immediate"

    def preprocess(self, nb, resources, km=None):
        """Run the notebook; see nbconvert's `ExecutePreprocessor`.

        Raises
        ------
        SandboxError
            If student code would not be locked in; then none has run.
        """
        told = nb.metadata.pop(METADATA_KEY, None)
        told = {MENDED: told[MENDED]} if isinstance(told, dict) and MENDED in told else {}
        if self.unsafe_no_sandbox:
            self.log.warning("Student code runs without a sandbox, with all your rights.")
            told[UNSAFE] = True
        else:
            check_sandbox(self.config)
        if told:
            nb.metadata[METADATA_KEY] = told
        self._used = 0.0
        self._stopped = None
        self._notebook_output = 0
        try:
            return super().preprocess(nb, resources, km)
        finally:
            provisioner = getattr(self.km, "provisioner", None)
            if isinstance(provisioner, SandboxProvisioner):
                provisioner.abandon()  # nbclient forgets a kernel that it was kept from talking to

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
        self._room = {"stream": self.printed_limit, "other": self.displayed_limit}
        start = monotonic()
        try:
            return super().preprocess_cell(cell, resources, index)
        except DeadKernelError:
            what = getattr(self.km.provisioner, "reason", "") or "died"
            reason = f"the kernel {what} while it ran this cell."
            self._stopped = f"the kernel {what} in an earlier cell."
        except CellTimeoutError:
            reason = "this cell ran too long and could not be interrupted."
            self._stopped = "an earlier cell could not be stopped."
        except Exception:  # a kernel that student code has rewritten may send anything
            reason = "the kernel sent messages that cannot be read."
            self._stopped = "the kernel sent messages that cannot be read in an earlier cell."
        finally:
            self._used += monotonic() - start
        cell.outputs.append(new_output("error", **_error(STOPPED, reason)))
        cell.execution_count = None  # whether the kernel still told it is chance
        return cell, resources

    async def async_execute_cell(self, *arguments, **options):
        """Run one cell; see nbclient's method, which a kernel could keep waiting for ever."""
        patience = self.timeout_func(None) + self.iopub_timeout + GRACE
        try:
            return await asyncio.wait_for(
                super().async_execute_cell(*arguments, **options), patience
            )
        except TimeoutError:
            raise CellTimeoutError(f"no end after {patience:g} s") from None

    execute_cell = run_sync(async_execute_cell)

    def process_message(self, msg, cell, cell_index):
        """Take a message of the kernel, unless the cell has said too much already.

        Beyond its limits a cell's messages are dropped as they arrive; see nbclient's method.
        """
        if msg["msg_type"] in ("status", "execute_input"):
            return super().process_message(msg, cell, cell_index)
        if msg["msg_type"].startswith("comm_"):  # for widgets, of which nothing is kept
            return None
        kind = "stream" if msg["msg_type"] == "stream" else "other"
        left = min(self._room[kind], self.notebook_output_limit - self._notebook_output)
        size = MESSAGE_OVERHEAD + _size(msg["content"], left)
        if size <= left:
            self._room[kind] -= size
            self._notebook_output += size
            return super().process_message(msg, cell, cell_index)
        if left > 0:  # the first message that is too much
            self._room[kind] = 0
            cell.outputs.append(new_output("stream", name="stderr", text=CUT))
        return None


def _size(content, limit: float) -> float:
    """Measure roughly what a message's content takes when the notebook is written, indented.

    Infinite if it is above the limit, or nested deeper than outputs are.
    """
    size, left = 0, [(content, 0)]
    while left:
        if size > limit:
            return math.inf
        item, depth = left.pop()
        if isinstance(item, dict):
            size += sum(map(len, item))
            inside = item.values()
        elif isinstance(item, list):
            inside = item
        else:
            size += len(item) if isinstance(item, str) else NUMBER
            continue
        if depth == DEEPEST:
            return math.inf
        size += (depth + INDENT) * len(item)
        left += [(part, depth + 1) for part in inside]
    return size


def _error(name: str, reason: str) -> dict:
    """Return the content of an error output."""
    return {"ename": name, "evalue": reason, "traceback": [f"{name}: {reason}"]}
