"""What the zygote imports and draws once, before it forks any kernel."""

import io
import os
import sys
from importlib import import_module
from importlib.util import find_spec

from coursekit.kernels import policy

OWN_PACKAGE = "coursekit"
# What ipykernel and matplotlib would import at the start of each kernel, or at its first cell.
OF_EVERY_KERNEL = (
    "IPython.core.completerlib",
    "IPython.core.oinspect",
    "IPython.core.pylabtools",
    "ipykernel.comm.manager",
    "ipykernel.ipkernel",
    "ipykernel.kernelapp",
    "ipykernel.subshell_manager",
    "ipykernel.zmqshell",
    "matplotlib.backends.backend_agg",
    "matplotlib_inline.backend_inline",
    "pdb",
    "sqlite3",
    "tornado.platform.asyncio",
)


def warm_up(folder):
    """Import what kernels need, draw once, and take this course's code out of Python's reach.

    Parameters
    ----------
    folder : str
        Gets the profile of IPython that all kernels read and none can write.

    Returns
    -------
    tuple of module
        `coursekit.kernels.forked` and `prepared`.

    Raises
    ------
    RuntimeError
        If an import left a thread behind, for a fork would lose it.
    """
    sys.modules["debugpy.server"] = None  # a kernel of the grader's has nobody to debug it
    import_module("ipykernel.debugger")
    del sys.modules["debugpy.server"]
    for name in (*OF_EVERY_KERNEL, *policy.PRELOADED):
        if find_spec(name.partition(".")[0]):
            import_module(name)
    from IPython.core.profiledir import ProfileDir
    from matplotlib.figure import Figure

    from coursekit.kernels import forked, jobs, prepared

    jobs.register()
    os.environ["IPYTHONDIR"] = folder
    ProfileDir.create_profile_dir_by_name(folder, "default")
    figure = Figure()
    figure.subplots().plot([0, 1])
    figure.savefig(io.BytesIO(), format="png")  # finds the fonts
    threads = len(os.listdir("/proc/self/task"))
    if threads > 1:
        raise RuntimeError(f"{threads} threads are left after the imports")
    for name in list(sys.modules):  # in a kernel, it would copy what they share to walk through
        if name.partition(".")[0] == OWN_PACKAGE:
            del sys.modules[name]
    return forked, prepared
