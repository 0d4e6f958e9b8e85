"""What travels to a Dask worker, and what the worker does with it: plain data in, bytes out."""

import asyncio
import json
import os
import platform
import stat
import tempfile
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path, PurePosixPath

from coursekit import __version__
from coursekit.errors import KitError
from coursekit.kernels import folders

RAN, FAILED, REFUSED, LEFT = "ran", "failed", "refused", "left"
MIB = 2**20
LARGEST_FOLDER = 64 * MIB
LARGEST_ANSWER = 256 * MIB  # the outputs of a notebook have at most 64 Mi characters
# The sections of the configuration that a worker needs; the others tell of the course.
SECTIONS = (
    "BoundedExecute",
    "Execute",
    "ExecutePreprocessor",
    "NotebookClient",
    "SandboxProvisioner",
)

# --- On the grader's machine ------------------------------------------------------------------


def parcel(job):
    """Turn a job into what is sent: nothing of the course but what its kernels are given.

    Parameters
    ----------
    job : Job

    Returns
    -------
    notebook : bytes
    files : dict
        Bytes of each file of the folder under its relative path, None for a folder.
    settings : str
        JSON text.

    Raises
    ------
    KitError
        If the folder is too large, or a setting is more than plain data.
    """
    settings = {name: job.settings[name] for name in SECTIONS if name in job.settings}
    if settings.get("BoundedExecute", {}).get("unsafe_no_sandbox"):
        raise KitError(
            "On a Dask cluster student code runs only in the sandbox; leave out --dask, or "
            "--unsafe-no-sandbox and c.BoundedExecute.unsafe_no_sandbox."
        )
    try:
        text = json.dumps(settings)
    except (TypeError, ValueError) as problem:
        raise KitError(
            f"A setting of c.{', c.'.join(SECTIONS)} cannot be sent to Dask workers: {problem}; "
            "set numbers, text and lists in nbgrader_config.py, or grade without --dask."
        ) from None
    return job.notebook.encode("utf-8", "surrogatepass"), _files_of(job.folder), text


def _files_of(root):
    files, room = {}, LARGEST_FOLDER
    for folder, below, names in os.walk(root):
        for path in (Path(folder, name) for name in (*below, *names)):
            mode = path.lstat().st_mode
            inside = path.relative_to(root).as_posix()
            if stat.S_ISDIR(mode):
                files[inside] = None
            elif stat.S_ISREG(mode) and path.suffix != ".ipynb":
                with path.open("rb") as file:
                    files[inside] = file.read(room + 1)
                room -= len(files[inside])
                if room < 0:
                    raise KitError(
                        f"{root} holds more than {LARGEST_FOLDER // MIB} MiB beside the notebooks, "
                        "too much to send to a Dask worker; remove what is not needed, or grade "
                        "this student without --dask."
                    )
    return files


def versions():
    """Give the versions in which a grader, the scheduler and the workers must agree.

    Returns
    -------
    dict of str to str
    """
    python = ".".join(platform.python_version_tuple()[:2])
    return {"Python": python, "coursekit": __version__, "distributed": version("distributed")}


def differences(theirs):
    """Say how another process differs from this one.

    Parameters
    ----------
    theirs : dict of str to str
        What `versions` returned there.

    Returns
    -------
    str
        Empty if it does not.
    """
    ours = versions()
    names = [name for name in ours if theirs.get(name) != ours[name]]
    told = [f"{name} {theirs.get(name)} there and {ours[name]} here" for name in names]
    return f"the versions differ: {', '.join(told)}" if told else ""


# --- On the worker ----------------------------------------------------------------------------

AGAIN = 1.0  # seconds until what still runs is cancelled once more
_loops = {}  # the event loop of each notebook that runs in this process
_stopped = set()  # names of notebooks that nobody wants any more


def introduce(dask_worker):
    """Tell which process this is, and its versions.

    Parameters
    ----------
    dask_worker : distributed.Worker

    Returns
    -------
    dict
    """
    return {"process": dask_worker.id, "versions": versions()}


def work(name, process, notebook, files, settings):
    """Run a notebook in the sandbox, in a thread of a Dask worker.

    Parameters
    ----------
    name : str
        To `stop` it by.
    process : str
        Who was asked. Another process that has the address by now must not run the notebook.
    notebook, files, settings
        From `parcel`.

    Returns
    -------
    kind : str
    answer : bytes
        `RAN` and the notebook after the run; `FAILED` and why it could not be run; `REFUSED` and
        why this worker can run none; or `LEFT` and nothing.

    Raises
    ------
    Exception
        If this worker can run none for another reason.
    """
    # These take seconds to import, and `introduce` should answer at once.
    from distributed import get_worker
    from jupyter_core.utils import ensure_event_loop
    from traitlets.config import Config

    from coursekit.grading.running import Job, run_in_thread
    from coursekit.grading.selftest import check_sandbox
    from coursekit.kernels.fork import SandboxError

    worker = get_worker()
    if worker.id != process:
        return LEFT, b""
    os.environ["NBGRADER_EXECUTION"] = "autograde"  # as nbgrader tells student code
    settings = json.loads(settings)
    # Out of reach must be, here, the folder where the files of other students are unpacked.
    settings["CourseDirectory"] = {"root": worker.local_directory}
    try:
        check_sandbox(Config(settings))
    except SandboxError as problem:
        return REFUSED, str(problem).encode()
    folder = tempfile.mkdtemp(prefix="notebook-", dir=worker.local_directory)
    try:
        unpack(files, Path(folder))
        _loops[name] = ensure_event_loop()  # which nbclient takes in this thread
        if name in _stopped:
            stop(name)
        ran = run_in_thread(
            Job(notebook.decode("utf-8", "surrogatepass"), folder, settings)
        ).encode()
    except asyncio.CancelledError:
        return LEFT, b""
    except Exception as problem:  # of a kernel that would not start, say
        kind = "" if isinstance(problem, KitError) else f"{type(problem).__name__}: "
        return FAILED, f"{kind}{problem}".encode(errors="replace")
    finally:
        _loops.pop(name, None)
        folders.remove(folder)
    if len(ran) > LARGEST_ANSWER:
        return FAILED, f"after the run it has more than {LARGEST_ANSWER // MIB} MiB.".encode()
    return RAN, ran


def unpack(files, folder):
    """Write the files of a parcel.

    Parameters
    ----------
    files : dict
        From `parcel`.
    folder : Path

    Raises
    ------
    ValueError
        If a path leads out of the folder.
    """
    for name, content in files.items():
        inside = PurePosixPath(name)
        if inside.is_absolute() or ".." in inside.parts:
            raise ValueError(f"{name} leads out of the folder")
        if content is None:
            (folder / inside).mkdir()
        else:
            (folder / inside).write_bytes(content)


def stop(name):
    """End the kernel of a notebook that runs in this process, or will run.

    Parameters
    ----------
    name : str
        As given to `work`.
    """
    _stopped.add(name)
    loop = _loops.get(name)
    if loop is not None:
        with suppress(RuntimeError):  # closed: it has just ended
            loop.call_soon_threadsafe(_cancel_all, loop)


def _cancel_all(loop):
    for task in asyncio.all_tasks(loop):
        task.cancel()
    # Before Python 3.12, `asyncio.wait_for` loses a cancellation that comes with its result.
    loop.call_later(AGAIN, _cancel_all, loop)
