"""What hostile code leaves for the kernel of the next submission; and what kernels must do.

As data, with the names of `probes`.
"""

from dataclasses import dataclass

from .probes import ANYONE, DEPENDS


@dataclass(frozen=True)
class Trace:
    """Something left behind for the kernel of the next submission.

    Attributes
    ----------
    name : str
    leave : str
        The cell of the first submission; it may fail.
    found : str
        An expression that is true where the trace is there.
    possible_for : str
    """

    name: str
    leave: str
    found: str
    possible_for: str = ANYONE


FOLDER = "{0}.mkdir(parents=True, exist_ok=True)\n({0} / {1}).write_text({2!r})"


def file_left(name, folder, file, text="", possible_for=ANYONE):
    """Make the trace that a file is."""
    leave = FOLDER.format(f"Path({folder})", file, text)
    return Trace(name, leave, f"(Path({folder}) / {file}).exists()", possible_for)


EVIL = "import builtins; builtins.evil = True"

TRACES = [
    file_left("file-in-work-folder", "'.'", "MARK"),
    file_left("file-in-home", "HOME", "MARK"),
    file_left("file-in-temporary", "TEMPORARY", "MARK"),
    file_left("file-in-shared-memory", "'/dev/shm'", "MARK"),
    file_left(
        "startup-file",
        "os.environ.get('IPYTHONDIR', '.ipython'), 'profile_default/startup'",
        "'00.py'",
        EVIL,
    ),
    file_left("startup-file-in-home", "HOME, '.ipython/profile_default/startup'", "'00.py'", EVIL),
    file_left("usercustomize", "HOME, '.local/lib/python3'", "'usercustomize.py'", EVIL),
    file_left("sitecustomize", "SITE", "'sitecustomize.py'", EVIL, DEPENDS),
    file_left("path-file", "SITE", "f'{MARK}.pth'", EVIL, DEPENDS),
    file_left(
        "matplotlib-settings",
        "os.environ.get('MPLCONFIGDIR', '.matplotlib')",
        "'matplotlibrc'",
        "lines.linewidth: 99",
    ),
    file_left("matplotlib-cache", "matplotlib.get_cachedir()", "MARK", possible_for=DEPENDS),
    file_left("matplotlib-cache-of-zygote", "LAUNCHER, 'matplotlib'", "MARK"),
    Trace("evil-has-run", "builtins.evil = True", "hasattr(builtins, 'evil')"),
    Trace("patched-numpy", "np.dot = lambda *_: 'evil'", "np.dot(1, 1) == 'evil'"),
    Trace("patched-settings", "matplotlib.rcParams['lines.linewidth'] = 99.0",
          "matplotlib.rcParams['lines.linewidth'] == 99"),
    Trace("false-module", "sys.modules[MARK] = sys", "MARK in sys.modules"),
    Trace("path-of-modules", "sys.path.insert(0, MARK)", "MARK in sys.path"),
    Trace("environment", "os.environ['LEFT'] = MARK", "os.environ.get('LEFT') == MARK"),
    Trace("global-variable", "left = 1", "'left' in globals()"),
    Trace("random-state-of-numpy", "np.random.seed(0)", "np.random.rand() == 0.5488135039273248"),
    Trace("random-state-of-python", "random.seed(0)", "random.random() == 0.8444218515250481"),
]  # fmt: skip

# What honest code does, so that a refusal means more than a broken kernel: cell and its print.
HONEST = {
    "numbers": ("print(np.ones((2, 3)) @ np.ones(3))", "[3. 3.]"),
    "files": ("Path('own.txt').write_text('own')\nprint(Path('own.txt').read_text())", "own"),
    "data-handed-in": ("print(Path('data.csv').read_text())", "1,2"),
    "late-import": ("from sklearn.svm import SVC\nprint(SVC().C)", "1.0"),
    "thread": (
        "import threading\nthread = threading.Thread(target=print, args=['ran'])\n"
        "thread.start()\nthread.join()",
        "ran",
    ),
}

# What must not stop the grader from clearing up: a deep folder, and one that its owner cannot list.
LITTER = {
    "unlistable": "os.mkdir('locked', 0o300)\nPath('locked/file').write_text('x')",
    "deep": "for _ in range(3000):\n    os.mkdir('deeper')\n    os.chdir('deeper')",
}

IDENTITY = """
import json
lines = [line.split(":", 1) for line in open("/proc/self/status")]
kept = "CapEff", "CapPrm", "CapInh", "CapAmb", "CapBnd", "NoNewPrivs", "Seccomp"
rights = {name: int(value, 16) for name, value in lines if name in kept}
ids = {"uid": os.getresuid(), "gid": os.getresgid(), "groups": os.getgroups()}
print(json.dumps({**ids, "zygote": os.getppid(), "rights": rights}))
"""
DRAWS = "print(np.random.rand(), np.random.default_rng().random(), random.random(), os.urandom(8))"
