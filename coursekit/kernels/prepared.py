"""A kernel that is ready as far as can be before the zygote forks.

Reading its arguments and building its shell takes a kernel longer than all that is left to do, and
copies memory that forked processes share for as long as none of them writes to it.
"""

import gc
import os
import sys
from functools import lru_cache
from logging import NullHandler
from pathlib import Path
from threading import active_count, main_thread
from types import SimpleNamespace
from uuid import uuid4

import matplotlib
from ipykernel.ipkernel import IPythonKernel
from ipykernel.kernelapp import IPKernelApp
from ipykernel.kernelbase import Kernel
from IPython.core.application import BaseIPythonApplication
from IPython.core.compilerop import CachingCompiler
from matplotlib import pyplot
from matplotlib_inline import backend_inline
from tornado.ioloop import IOLoop
from traitlets import Type
from traitlets.config import Config

from coursekit.kernels.speaking import IOPUB, Printed, SocketSession, answer

INLINE = "module://matplotlib_inline.backend_inline"
IN_MEMORY = Config({"HistoryManager": {"hist_file": ":memory:"}})  # a file would need a thread


class _Kernel(IPythonKernel):
    """IPython's kernel, which gets its session when it is asked for a second time."""

    # The kernel's own compiler, made for debuggers, takes 20 ms to name a cell of 80 kB.
    compiler_class = Type(CachingCompiler)
    # Of this "thread", a cell with `await` asks which one it was started by.
    shell_channel_thread = SimpleNamespace(parent_thread=main_thread())
    _supports_kernel_subshells = False

    @classmethod
    def instance(cls, **traits):
        """Give the one kernel, with these traits, whether or not it was there before."""
        kernel = super().instance(**traits)
        for name, value in (traits | {"ident": str(uuid4())}).items():
            setattr(kernel, name, value)
        kernel._stdout, kernel._stderr = sys.stdout, sys.stderr
        hook = kernel.shell.displayhook
        for speaker in (hook, kernel.shell.display_pub):
            speaker.session, speaker.pub_socket = kernel.session, kernel.iopub_socket
        hook.topic = kernel._topic("execute_result")
        return kernel

    def start(self):
        """Begin; IPython's own step before that begins with a debugger, or warns of its absence."""
        self.shell.exit_now = False
        Kernel.start(self)

    def _abort_queues(self, *_):
        """Drop no requests after an error: who asks waits for each answer."""


def prepare(arguments):
    """Build the kernel's application, the kernel and its shell: all that a fork does not hurt.

    What was prepared before, with other arguments, is dropped. IPython's folder is the
    environment's ``IPYTHONDIR``.

    Parameters
    ----------
    arguments : sequence of str
        Of ipykernel.

    Returns
    -------
    ipykernel.kernelapp.IPKernelApp

    Raises
    ------
    RuntimeError
        If ipykernel refuses the arguments, or they leave a thread behind, which a fork would lose.
    """
    for kind in (IPKernelApp, _Kernel, _Kernel.shell_class.default_value):
        kind.clear_instance()
    app = IPKernelApp.instance(config=IN_MEMORY, kernel_class=_Kernel)
    app.load_config_file = _nothing  # what this machine's files set would run outside the sandbox
    try:
        BaseIPythonApplication.initialize(app, arguments)
        app.init_pdb()
        kernel = _Kernel.instance(
            parent=app, log=app.log, profile_dir=app.profile_dir, user_ns=app.user_ns
        )
        app.shell = kernel.shell
        app.init_extensions()
        app.init_code()
    except SystemExit:
        raise RuntimeError(f"ipykernel refuses the arguments {' '.join(arguments)}") from None
    app.log.handlers[:] = [NullHandler()]  # what the kernel logs is nothing that a student printed
    _adapt(app.shell)
    if active_count() > 1:
        raise RuntimeError(f"{active_count()} threads are left after building the kernel's shell")
    sys.path_importer_cache.clear()  # it lists folders that the kernel may not read
    gc.collect()
    gc.freeze()  # a collection in a kernel would copy all of this: 120 ms a notebook
    return app


def connect(app, socket):
    """In a forked process, before it is locked in, send what is printed to a socket.

    Parameters
    ----------
    app : ipykernel.kernelapp.IPKernelApp
        From `prepare`.
    socket : socket.socket
        Over which the kernel is asked and answers.
    """
    app.session = SocketSession(socket)
    for stream in (sys.__stdout__, sys.__stderr__):
        stream.reconfigure(line_buffering=True)
    sys.stdout, sys.stderr = Printed("stdout", 1, app.session), Printed("stderr", 2, app.session)
    sys.stdout.pair_with(sys.stderr)
    app.patch_io()


def finish(app):
    """In a forked process that is locked in, do what of `IPKernelApp.initialize` is left to do.

    Parameters
    ----------
    app : ipykernel.kernelapp.IPKernelApp
        Connected.
    """
    app.kernel = _Kernel.instance(session=app.session, iopub_socket=IOPUB)
    for step in (app.init_signal, app.init_path, app.init_shell):
        step()
    shell = app.shell
    shell.starting_dir, shell.home_dir = os.getcwd(), os.environ["HOME"]
    shell.history_manager.dir_hist[:] = [Path(shell.starting_dir)]  # the student's `_dh`
    IOLoop.current().add_callback(answer, app.kernel, app.session.socket)


def _adapt(shell):
    """Let figures be shown inline, and commands of the system refused."""
    # Imported before there was a shell, the inline backend has yet to hook itself in.
    os.environ["MPLBACKEND"] = matplotlib.rcParams["backend"] = INLINE
    backend_inline._enable_matplotlib_integration()
    # Before the inline backend shows a figure, pyplot would draw it once more for nobody.
    pyplot.uninstall_repl_displayhook()
    shell.system = shell.getoutput = _no_shell
    # ipykernel and IPython both transform each cell: 4 ms more for one of 80 kB.
    shell.transform_cell = lru_cache(maxsize=1)(shell.transform_cell)


def _nothing(*_, **__):
    """Stand in for a step that is not taken."""


def _no_shell(command, *_, **__):
    """Answer ``!command`` in place of IPython."""
    raise PermissionError(f"Shell commands such as !{command} do not run where this is graded.")
