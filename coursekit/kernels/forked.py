"""What a forked process does: lock itself in, then be a Jupyter kernel."""

import os
import signal
import sys
import tempfile
from importlib.machinery import PathFinder

from coursekit.kernels import channel, policy, prepared


def run(connection, sandbox, limits, request, app, socket):
    """Become a kernel in the sandbox; does not return.

    Parameters
    ----------
    connection : socket.socket
        Where to hand over the process, and to say that the kernel is ready or why it failed.
        Closed before student code runs.
    sandbox : sandbox.Sandbox
    limits : policy.Limits
    request : dict
        ``work`` and ``profile`` (folders), ``environment``.
    app : ipykernel.kernelapp.IPKernelApp
        Prepared, see `prepared.prepare`.
    socket : socket.socket
        Over which the kernel is asked and answers.
    """
    try:
        _hand_over_process(connection)
        _settle(request["environment"], request["work"], request["profile"])
        prepared.connect(app, socket)
        sandbox.enter(limits, request["work"])
        _forget(_NotHere(sandbox.hidden_modules, sandbox.packages))
        prepared.finish(app)
    except BaseException as problem:
        channel.send(connection, failed=f"{type(problem).__name__}: {problem}"[:2000])
        os._exit(1)
    channel.send(connection, ready=True)
    connection.close()
    sys.path.insert(0, "")  # not before: a module of the student's would run at the start
    app.start()
    os._exit(0)


def look(connection, sandbox, limits, request):
    """Enter the sandbox, try to open each of ``request["paths"]``, and tell which opened."""
    try:
        sandbox.enter(limits, request["work"])
    except BaseException as problem:
        channel.send(connection, failed=f"{type(problem).__name__}: {problem}"[:2000])
        os._exit(1)
    channel.send(connection, opened=[path for path in request["paths"] if _opens(path)])
    os._exit(0)


def _opens(path):
    try:
        os.close(os.open(path, os.O_RDONLY | os.O_NONBLOCK))
    except OSError:
        return False
    return True


def _hand_over_process(connection):
    """Let the grader send this process signals itself: through the zygote they would be late."""
    process = os.pidfd_open(os.getpid())
    channel.send(connection, [process], forked=os.getpid())
    os.close(process)


def _settle(environment, work, profile):
    """Leave the zygote's session, terminal, environment, random state and main module."""
    os.setsid()
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nowhere, descriptor)
    os.close(nowhere)
    os.environ.clear()
    os.environ |= {
        "PATH": os.defpath,
        **environment,
        **policy.ONE_THREAD,
        "HOME": work,
        "TMPDIR": work,
        "IPYTHONDIR": profile,
        "MPLCONFIGDIR": os.path.join(work, ".matplotlib"),
        "MPLBACKEND": prepared.INLINE,
        "LOGNAME": "student",
    }
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.modules["numpy"].random.seed()  # Python's own generator is seeded by the fork
    tempfile.tempdir = None
    sys.argv = ["ipykernel_launcher"]


def _forget(not_here):
    """Take what may not be read out of Python's reach."""
    sys.path[:] = [path for path in sys.path if _is_listed(path)]
    # Editable installations have finders of their own, which know where the course lies.
    sys.meta_path[:] = [finder for finder in sys.meta_path if "editable" not in repr(finder)]
    sys.meta_path.insert(0, not_here)


def _is_listed(path):
    try:
        os.listdir(path)
    except OSError:
        return False
    return True


class _NotHere:
    """Says of installed modules that may not be read that they are not there."""

    def __init__(self, names, offered):
        self._names, self._offered = names, offered

    def find_spec(self, name, path=None, target=None):
        """Refuse hidden names; leave the others to Python's own finders."""
        if path is None and name in self._names and not PathFinder.find_spec(name, [""]):
            raise ModuleNotFoundError(
                f"No module named {name!r} where this is graded; "
                f"there are {', '.join(self._offered)}",
                name=name,
            )
