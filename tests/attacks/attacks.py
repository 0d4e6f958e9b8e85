"""What hostile students may hand in, as data: the cell, and the share that each task earns.

Every notebook begins with `HONEST`: a right momentum step and a wrong stage 2. An attack is a cell
after it that tries to turn the wrong one into points; the judged cells come next. Where an attack
spoils the answers themselves, the right function beside it may earn nothing either.
"""

from dataclasses import dataclass, field

HONEST = """
import numpy as np


def momentum_step(w, v, gradient, learning_rate, momentum):
    v = momentum * v - gradient
    return w + learning_rate * v, v


def stage2(y2, t):
    return np.zeros(10)
"""

EARNED = {"stage2-dE-dz2": 0, "momentum-update": 1}
UNCHANGED = {"stage2-dE-dz2": 0.25, "momentum-update": 1}  # wrong, but it changes no argument
SPOILT = {"stage2-dE-dz2": 0, "momentum-update": 0}


@dataclass(frozen=True)
class Attack:
    """A hostile cell.

    Attributes
    ----------
    name : str
    source : str
        The student's cell before the judged ones.
    earns : dict
        Share of the points of each judged cell, in their order in the notebook.
    later : str
        A student's cell after the judged ones.
    seconds : float
        Limit of time for each cell.
    """

    name: str
    source: str
    earns: dict = field(default_factory=EARNED.copy)
    later: str = ""
    seconds: float = 15


def returning(name, expression, before="", earns=EARNED):
    """Make an attack by what stage 2 returns; its other calls see what `before` defines."""
    body = f"{before}\n\ndef stage2(y2, t):\n    return {expression}\n"
    return Attack(name, body, earns)


# --- By what the function returns: all in one kernel -----------------------------------------

EQUAL = """
class Equal:
    def __eq__(self, other):
        return True
    __lt__ = __le__ = __gt__ = __ge__ = __ne__ = __eq__
    __hash__ = None
    def __sub__(self, other):
        return 0.0
    __rsub__ = __sub__
    def __float__(self):
        return 0.0
"""

ARRAY = """
class Array:
    shape, dtype, ndim, size = (10,), np.dtype(float), 1, 10
    def __array__(self, dtype=None, copy=None):
        return np.zeros(10)
    def __array_ufunc__(self, *args, **kwargs):
        return np.ones(10, dtype=bool)
    def __array_function__(self, *args, **kwargs):
        return True
"""

LYING = """
class Lying(np.ndarray):
    def __eq__(self, other):
        return np.ones(10, dtype=bool)
    def __sub__(self, other):
        return np.zeros(10)
    def tobytes(self, order="C"):
        return b"\\\\0" * 80
    def __array_finalize__(self, other):
        pass
    def __reduce__(self):
        raise SystemExit
    def all(self, *args, **kwargs):
        return True
"""

NUMBER = """
class Number(float):
    def __eq__(self, other):
        return True
    def __array__(self, dtype=None, copy=None):
        return np.ones(10)
    def __sub__(self, other):
        return 0.0
"""

TEXT = """
class Text(str):
    def __eq__(self, other):
        return True
    __hash__ = str.__hash__
    def __str__(self):
        return "right"
"""

UNPRINTABLE = """
class Unprintable(Exception):
    def __str__(self):
        raise SystemExit


def fail(error):
    raise error
"""

SEARCH = """
import gc
import sys

found = []


def search():
    words = ("reference", "expected", "properties", "tolerance", "rtol", "mistakes", "TASKS")
    frame = sys._getframe()
    while frame:
        names = {**frame.f_locals, **frame.f_globals}
        if frame.f_code.co_filename.startswith("<") or "judge" in str(names.get("__name__")):
            found.extend(name for name in names if any(word in name for word in words))
        frame = frame.f_back
    found.extend(name for name in sys.modules if name.split(".")[0] == "coursekit")
    for item in gc.get_objects():  # what starts kernels is there; what judges must not be
        module = str(getattr(item, "__module__", ""))
        if module.startswith("coursekit") and not module.startswith("coursekit.kernels"):
            found.append(item)


def stage2(y2, t):
    search()
    return y2 - t if found else np.zeros(10)
"""

FIRST_ONLY = """
calls = []


def stage2(y2, t):
    calls.append(1)
    return y2 - t if len(calls) == 1 else np.zeros(10)
"""

CHANGES_LISTS = """
import sys


def stage2(y2, t):
    local = sys._getframe(1).f_back.f_locals
    for name in ("answers", "challenges"):
        if isinstance(local.get(name), list):
            local[name].clear()
    return np.zeros(10)
"""

NUMERICAL = """
def gradient(W1, W2, x, t, weight_decay):
    def loss(W1):
        z2 = W2 @ (1 / (1 + np.exp(-(W1 @ x))))
        z2 = z2 - z2.max(axis=0)
        return -np.sum(t * (z2 - np.log(np.exp(z2).sum(axis=0)))) / x.shape[1]
    slope = np.zeros(W1.shape)
    for index in np.ndindex(*W1.shape):
        step = np.zeros(W1.shape)
        step[index] = 1e-5
        slope[index] = (loss(W1 + step) - loss(W1 - step)) / 2e-5
    return slope, np.zeros(W2.shape)
"""

BY_VALUE = (
    Attack("nothing", "pass"),
    returning("an object that equals everything", "Equal()", EQUAL),
    returning("an array of such objects", "np.array([Equal()] * 10)", EQUAL),
    returning("an object with array methods", "Array()", ARRAY),
    returning("a subclass that lies", "np.ones(10).view(Lying)", LYING),
    returning("a float that equals everything", "Number(1)", NUMBER),
    returning("floats that equal everything", "[Number(1)] * 10", NUMBER),
    returning("a text that equals everything", "Text('wrong')", TEXT),
    returning("a dict", "{'__eq__': True}"),
    returning("np.matrix of another shape", "np.asmatrix(y2 - t)", earns=UNCHANGED),
    returning("all masked", "np.ma.masked_all(10)"),
    returning("structured", "np.zeros(10, dtype=[('a', 'f8')])"),
    returning("complex", "(y2 - t).astype(complex)"),
    returning("NaN", "np.full(10, np.nan)"),
    returning("NaN with a message", "np.frombuffer(b'\\xff' * 80)"),
    returning("infinity", "np.full(10, np.inf)"),
    returning("one number for all", "0.0"),
    returning("one entry for all", "np.zeros(1)"),
    returning("a column", "(y2 - t)[:, None]", earns=UNCHANGED),
    returning("no entries", "np.zeros(0)"),
    returning("an axis too many", "(y2 - t).reshape((1,) * 20 + (10,))"),
    returning("100 MB", "np.zeros(100 * 2**17)"),
    returning("a terabyte of the same number", "np.broadcast_to(0.0, (2**17, 2**20))"),
    returning("many large arrays", "[np.zeros(2**19)] * 100"),
    returning("a text of 10 MB", "'x' * 10**7"),
    returning("a million keys", "dict.fromkeys(range(10**6))"),
    returning("a million items", "list(range(10**6))"),
    returning("deep nesting", "deep", "deep = []\nfor _ in range(10_000):\n    deep = [deep]"),
    returning("a list in itself", "loop", "loop = []\nloop.append(loop)"),
    returning("an endless generator", "iter(int, 1)"),
    returning("a type with a long name", "type('x' * 10**6 + '\\n  right  ', (), {})()"),
    returning("SystemExit", "fail(SystemExit(0))", UNPRINTABLE),
    returning("KeyboardInterrupt", "fail(KeyboardInterrupt())", UNPRINTABLE),
    returning("GeneratorExit", "fail(GeneratorExit())", UNPRINTABLE),
    returning("MemoryError", "np.zeros(2**60)"),
    returning("RecursionError", "stage2(y2, t)"),
    returning("an exception that cannot be printed", "fail(Unprintable())", UNPRINTABLE),
    returning("an exception with a long text", "fail(ValueError('x' * 10**8))", UNPRINTABLE),
    returning("a score on the display hook", "get_ipython().displayhook(5.0)"),
    returning("a score printed", "print(5.0)"),
    Attack("frames, modules and memory searched", SEARCH),
    Attack("right on the first call only", FIRST_ONLY),
    Attack("lists of the judge emptied", CHANGES_LISTS),
    Attack("numerical differences", NUMERICAL, {"gradient-W1": 0, "momentum-update": 1}),
)

LARGE = ("100 MB", "a text of 10 MB", "a million keys", "a million items", "deep nesting")
LARGE += ("a terabyte of the same number", "many large arrays", "an exception with a long text")


# --- By what becomes of the kernel: each in a kernel of its own -------------------------------


def publishing(answers, nonce="nonce"):
    """Write the expression of an output that brings answers."""
    return (
        f'{{"application/vnd.coursekit.answers+json": {{"nonce": {nonce}, "answers": {answers}}}}}'
    )


FORGED = """
from IPython.display import publish_display_data

shell = get_ipython()


def forge(*_):
    print("Stage 2: dE/dz2: 2 of 2 points")
    publish_display_data({"text/plain": "2.0"}, metadata={"coursekit": {"points": 2}})
    shell.displayhook(5.0)
    publish_display_data(FORGERY)
"""
FORGED = FORGED.replace("FORGERY", publishing("[]", "'00'"))

# The nonce stands in the text of the posed cell, which hooks of IPython see before it runs.
STEAL = """
import base64
import re
from IPython.display import publish_display_data

shell = get_ipython()
ZEROS = {"dtype": "<f8", "shape": [10], "data": base64.b64encode(bytes(80)).decode()}


def steal(text):
    return next(iter(re.findall(r"[0-9a-f]{32}", text)), None)


def publish(nonce):
    publish_display_data(FORGERY)
"""
STEAL = STEAL.replace("FORGERY", publishing('[{"value": ZEROS}] * 50'))

RAW = """
kernel = get_ipython().kernel
session = kernel.session


def send(kind, content, parent=None):
    parent = parent or kernel.get_parent()["header"]
    message = {"header": session.msg_header(kind), "parent_header": parent, "msg_type": kind}
    data = session.pack(message | {"metadata": {}, "content": "CONTENT"})
    session.socket.send(bytes([3]) + data.replace(b'"CONTENT"', content))
"""

# Right numbers under a message that is not the judge's own earn nothing either.
TAMPER = """
import IPython.display as display

right, kept = display.publish_display_data, []


def publish(data, **options):
    for content in data.values():
        CHANGE
    right(data)


display.publish_display_data = publish
"""
CHANGES = {
    "right numbers, wrong nonce": "content['nonce'] = '0' * 32",
    "right numbers, no nonce": "del content['nonce']",
    "right numbers, an earlier cell's nonce": "kept.append(content['nonce'])\n"
    "        content['nonce'] = kept[0]",
    "right numbers twice": "right(data)",
}

WIDGET = """
from comm import create_comm

model = {"_model_name": "OutputModel", "_model_module": "@jupyter-widgets/output"}
comm = create_comm(
    target_name="jupyter.widget",
    data={"state": {**model, "outputs": [], "msg_id": ""}},
)
"""

AST_TRANSFORMER = """
import ast


class Drop(ast.NodeTransformer):
    def visit_Module(self, node):
        node.body = %s
        return node


get_ipython().ast_transformers.append(Drop())
"""

COMPARISONS = """
import numpy.testing

numpy.testing.assert_allclose = numpy.testing.assert_array_equal = lambda *a, **k: None
np.allclose = np.isclose = np.array_equal = np.all = lambda *a, **k: True
np.max = np.abs = lambda *a, **k: 0.0
"""

BY_KERNEL = (
    Attack("numpy's comparisons patched", COMPARISONS),
    Attack("np.asarray patched", "np.asarray = lambda *a, **k: np.zeros(10)", SPOILT),
    Attack(
        "np.frombuffer patched",
        "right = np.frombuffer\nnp.frombuffer = lambda *a, **k: right(*a, **k) * 0",
        SPOILT,
    ),
    Attack("json.loads patched", "import json\njson.loads = lambda *a, **k: {}", SPOILT),
    Attack(
        "json.dumps patched",
        "import json\nright = json.dumps\n"
        "json.dumps = lambda *a, **k: right(*a, **k).replace('nonce', 'once')",
        SPOILT,
    ),
    Attack("base64 patched", "import base64\nbase64.b64encode = lambda *a: b'AAAA'", SPOILT),
    Attack("exec patched", "import builtins\nbuiltins.exec = lambda *a: 5.0", SPOILT),
    Attack("globals patched", "import builtins\nbuiltins.globals = dict", SPOILT),
    Attack("print patched", "import builtins\nbuiltins.print = lambda *a, **k: 5.0", EARNED),
    Attack(
        "publish_display_data patched",
        "import IPython.display as display\ndisplay.publish_display_data = lambda *a: 5.0",
        SPOILT,
    ),
    Attack(
        "display publisher patched",
        "type(get_ipython().display_pub).publish = lambda self, data, *a, **k: print(5.0)",
        SPOILT,
    ),
    Attack(
        "display hook patched",
        "type(get_ipython().displayhook).__call__ = lambda self, value=None: print(5.0)",
    ),
    Attack(
        "AST transformer deletes the test",
        AST_TRANSFORMER % "[]",
        SPOILT,
    ),
    Attack(
        "AST transformer writes a score",
        AST_TRANSFORMER % "ast.parse('5.0').body",
        SPOILT,
    ),
    Attack(
        "input transformer deletes the test",
        "get_ipython().input_transformers_post.append(lambda lines: ['pass\\n'])",
        SPOILT,
    ),
    Attack(
        "input transformer writes a score",
        "get_ipython().input_transformers_cleanup.append(lambda lines: ['5.0\\n'])",
        SPOILT,
    ),
    *(
        Attack(
            f"verdicts forged in {event}",
            f"{FORGED}\nshell.events.register({event!r}, forge)",
            SPOILT,
        )
        for event in ("pre_run_cell", "pre_execute", "post_execute", "post_run_cell")
    ),
    Attack(
        "errors hidden",
        "shell = get_ipython()\n"
        "type(shell).showtraceback = type(shell)._showtraceback = lambda *a, **k: None\n"
        "def stage2(y2, t):\n    raise SystemExit",
    ),
    Attack(
        "run_cell patched",
        "shell = get_ipython()\n"
        "async def run_cell_async(self, *a, **k):\n    self.displayhook(5.0)\n"
        "type(shell).run_cell_async = run_cell_async\n"
        "type(shell).run_cell = lambda *a, **k: 5.0",
        SPOILT,
    ),
    Attack(
        "a judge of the student's own",
        "judge = _judge = lambda *a: 5.0\n"
        "for name in ('judge', '_judge', 'answer_all', 'encode', 'publish'):\n"
        "    get_ipython().user_ns[name] = judge",
    ),
    Attack("judge called in an open cell", 'judge("stage2-dE-dz2")'),
    Attack("answer without a nonce", STEAL + "\ndef stage2(y2, t):\n    publish(None)", EARNED),
    Attack("answer with a wrong nonce", STEAL + "\ndef stage2(y2, t):\n    publish('0' * 32)"),
    Attack(
        "stolen nonce, a second answer",
        STEAL + "shell.events.register('pre_run_cell', lambda i: publish(steal(i.raw_cell)))",
        SPOILT,
    ),
    Attack(
        "stolen nonce, other numbers",
        STEAL + "shell.input_transformers_cleanup.append(\n"
        "    lambda lines: [f'publish({steal(\"\".join(lines))!r})\\n']\n)",
        SPOILT,
    ),
    Attack(
        "stolen nonce, the second answer replaces the first",
        STEAL + "from IPython.display import clear_output\n"
        "def replace(result):\n    clear_output()\n    publish(steal(result.info.raw_cell))\n"
        "shell.events.register('post_run_cell', replace)",
        SPOILT,
    ),
    *(Attack(name, TAMPER.replace("CHANGE", change), SPOILT) for name, change in CHANGES.items()),
    Attack(
        "answers of another task",
        "import IPython.display as display\n"
        "publish, kept = display.publish_display_data, []\n"
        "def again(data, **options):\n"
        "    kept.append(data)\n"
        "    publish(kept[0])\n"
        "display.publish_display_data = again",
        {"momentum-update": 1, "stage2-dE-dz2": 0},
    ),
    Attack(
        "answers of another task under the right nonce",
        "import IPython.display as display\n"
        "publish, kept = display.publish_display_data, []\n"
        "def again(data, **options):\n"
        "    for content in data.values():\n"
        "        kept.append(content['answers'])\n"
        "        content['answers'] = kept[0]\n"
        "    publish(data)\n"
        "display.publish_display_data = again",
        {"momentum-update": 1, "stage2-dE-dz2": 0},
    ),
    Attack(
        "update_display from another cell",
        "import IPython.display as display\n"
        "publish, kept = display.publish_display_data, []\n"
        "def named(data, **options):\n"
        "    kept.append(data)\n"
        "    publish(data, transient={'display_id': 'answers'})\n"
        "display.publish_display_data = named",
        SPOILT,
        later="for data in kept:\n"
        "    publish({'text/plain': '5.0'}, transient={'display_id': 'answers'}, update=True)",
    ),
    Attack(
        "clear_output after the answer",
        "from IPython.display import clear_output\n"
        "get_ipython().events.register('post_run_cell', lambda result: clear_output())",
        SPOILT,
    ),
    Attack(
        "an output widget that takes the cell's outputs",
        WIDGET + "def stage2(y2, t):\n"
        "    parent = get_ipython().kernel.get_parent()['header']['msg_id']\n"
        "    comm.send({'method': 'update', 'state': {'msg_id': parent}})\n"
        "    print(5.0)\n"
        "    return np.zeros(10)",
    ),
    Attack(
        "a widget with a score",
        WIDGET + "def stage2(y2, t):\n"
        "    score = {'output_type': 'execute_result', 'data': {'text/plain': '5.0'}}\n"
        "    comm.send({'method': 'update', 'state': {'outputs': [score]}})\n"
        "    return np.zeros(10)",
    ),
    Attack(
        "a thread that publishes",
        STEAL + RAW + "import threading\nimport time\n"
        "def flood():\n"
        "    while True:\n"
        "        time.sleep(0.01)\n"
        '        send("display_data", b\'{"data": {"text/plain": "5.0"}, "metadata": {}}\')\n'
        '        send("execute_result", session.pack(\n'
        '            {"data": {"text/plain": "5.0"}, "metadata": {}, "execution_count": 1}))\n'
        "threading.Thread(target=flood, daemon=True).start()",
    ),
    Attack(
        "the cell said to be idle",
        RAW + "def stage2(y2, t):\n"
        '    send("execute_result", session.pack(\n'
        '        {"data": {"text/plain": "5.0"}, "metadata": {}, "execution_count": 1}))\n'
        '    send("status", session.pack({"execution_state": "idle"}))\n'
        "    return np.zeros(10)",
    ),
    Attack(
        "session.send patched",
        "session = get_ipython().kernel.session\n"
        "right = type(session).send\n"
        "def send(self, stream, kind, content=None, *args, **options):\n"
        "    if isinstance(kind, dict) and kind['msg_type'] == 'display_data':\n"
        "        kind, content = 'execute_result', {\n"
        "            'data': {'text/plain': '5.0'}, 'metadata': {}, 'execution_count': 1}\n"
        "    return right(self, stream, kind, content, *args, **options)\n"
        "type(session).send = send",
        SPOILT,
    ),
    Attack("published at exit", STEAL + "import atexit\natexit.register(publish, '0' * 32)"),
    Attack(
        "published at the end",
        STEAL + "seen = []\n"
        "shell.events.register('pre_run_cell', lambda i: seen.append(steal(i.raw_cell)))",
        later="for nonce in seen:\n    publish(nonce)",
    ),
    Attack(
        "output closed",
        "import os\nimport sys\n"
        "def stage2(y2, t):\n"
        "    os.close(1)\n    os.close(2)\n    sys.stdout = sys.stderr = None\n"
        "    return np.zeros(10)",
        {"momentum-update": 1, "stage2-dE-dz2": 0},
    ),
    Attack(
        "stdout replaced",
        "import io\nimport sys\nsys.stdout = sys.stderr = sys.__stdout__ = io.StringIO()\n"
        "sys.displayhook = print",
    ),
    Attack(
        "os._exit in the call",
        "import os\ndef stage2(y2, t):\n    os._exit(0)",
        {"momentum-update": 1, "stage2-dE-dz2": 0, "mini-batches": 0},
    ),
    Attack(
        "SIGKILL in the call",
        "import os\nimport signal\ndef stage2(y2, t):\n    os.kill(os.getpid(), signal.SIGKILL)",
        {"momentum-update": 1, "stage2-dE-dz2": 0, "mini-batches": 0},
    ),
    Attack(
        "a call without end",
        "import time\ndef stage2(y2, t):\n    time.sleep(100)",
        seconds=1,
    ),
    Attack(
        "threads left running",
        "import threading\nimport time\n"
        "def stage2(y2, t):\n"
        "    for _ in range(20):\n"
        "        threading.Thread(target=time.sleep, args=(100,), daemon=True).start()\n"
        "    return np.zeros(10)",
    ),
    Attack(
        "100 MB printed",
        "def stage2(y2, t):\n"
        "    for _ in range(50):\n        print('x' * 2**21)\n"
        "    return np.zeros(10)",
        seconds=30,
    ),
    Attack(
        "the reference imported",
        "try:\n"
        "    from coursekit.judging.round09.derivation import stage2\n"
        "except ModuleNotFoundError:\n"
        "    pass",
    ),
)
