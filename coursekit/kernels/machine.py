"""What a machine must offer for the sandbox; can be imported on every system."""

import sys


def missing():
    """Say what this machine lacks for the sandbox.

    Returns
    -------
    str
        Empty if nothing is missing.
    """
    if not sys.platform.startswith("linux"):
        return "the sandbox needs Linux; grade on a Linux machine, in WSL or in a virtual machine"
    # These need a Unix to be imported.
    from coursekit.kernels import landlock, seccomp

    try:
        landlock.version()
    except OSError as problem:
        return (
            f"{problem.strerror}; use Linux 5.13 or newer with landlock in its list of security "
            "modules (kernel option lsm=landlock,...), and a container that allows its system calls"
        )
    try:
        seccomp.library()
    except OSError as problem:
        return f"{problem.strerror}; on Debian or Ubuntu: apt install libseccomp2"
    return ""
