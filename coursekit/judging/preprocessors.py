"""The two nbgrader preprocessors around the execution of a notebook.

`PoseChallenges` replaces ``judge("name")`` in a locked test cell by self-contained lines that call
the student's code on fresh inputs and publish the answers; `JudgeAnswers` restores the cell,
judges the answers outside the student's process and writes the verdict as the cell's only outputs.
nbgrader's own scorer then reads it.
"""

import inspect
import json
import re
import secrets
from functools import lru_cache

from nbgrader.preprocessors import NbGraderPreprocessor
from nbgrader.utils import is_grade, is_locked
from traitlets import Unicode

from coursekit.judging import answering, marking, seeds, verdict, wire
from coursekit.judging.rounds import TASKS

MIME = "application/vnd.coursekit.answers+json"
JUDGE_LINE = re.compile(r"^judge\(\"([\w-]+)\"\)$", re.MULTILINE)
RESOURCE = "coursekit_challenges"

PUBLISH = """
def publish(request, nonce, namespace):
    import json
    from IPython.display import publish_display_data

    request = json.loads(request)
    harness = globals()[request["harness"]]
    answers = answer_all(
        namespace, request["names"], request["challenges"], harness, encode, decode
    )
    publish_display_data({request["mime"]: {"nonce": nonce, "answers": answers}})
"""


class PoseChallenges(NbGraderPreprocessor):
    """Put challenges in the place of ``judge("name")`` in locked test cells, before execution."""

    secret_file = Unicode(
        ".coursekit/secret", help="File of the course's secret, relative to the course folder."
    ).tag(config=True)

    def preprocess(self, nb, resources):
        """Pose the challenges of every judged cell; what was posed goes into `resources`."""
        posed = resources[RESOURCE] = {}
        for index, cell in enumerate(nb.cells):
            line = judge_line(cell)
            if line:
                task = TASKS[line[1]]
                seed = self.seed(task, cell)
                nonce = secrets.token_hex(16)
                posed[index] = (task, seed, nonce, cell.source)
                asking = asking_source(task, seed, nonce)
                cell.source = cell.source[: line.start()] + asking + cell.source[line.end() :]
        return nb, resources

    def seed(self, task, cell):
        """Give the seed of a cell's challenges: the same for all students of a grading run."""
        return seeds.seed(seeds.course_secret(self.secret_file), seeds.run(), task.name)


class JudgeAnswers(NbGraderPreprocessor):
    """Judge the answers after execution and write the verdicts, before the grades are saved."""

    def preprocess(self, nb, resources):
        """Restore each judged cell and replace its outputs by the verdict."""
        for output in (output for cell in nb.cells for output in cell.get("outputs", [])):
            if isinstance(output.get("metadata"), dict):
                output.metadata.pop(verdict.METADATA_KEY, None)  # a verdict that is none of ours
        for index, (task, seed, nonce, source) in resources.pop(RESOURCE, {}).items():
            cell = nb.cells[index]
            cell.source = source
            answers = sent_answers(cell, nonce)
            found = marking.mark(task, seed, answers, why_nothing(cell))
            cell.outputs = verdict.outputs(found)
        nb.metadata.pop("widgets", None)  # an output widget may have caught answers
        for cell in nb.cells:
            for output in cell.get("outputs", []):
                for part in (output.get("data"), output.get("metadata")):
                    if isinstance(part, dict):
                        part.pop(MIME, None)
        return nb, resources


def judge_line(cell):
    """Find the line ``judge("name")`` of a locked test cell.

    Parameters
    ----------
    cell : nbformat.NotebookNode

    Returns
    -------
    re.Match or None
        Group 1 is the task's name.
    """
    if cell.cell_type == "code" and is_grade(cell) and is_locked(cell):
        return JUDGE_LINE.search(cell.source)
    return None


def asking_source(task, seed, nonce):
    """Write the lines that ask the student's code and publish the answers.

    They run in a namespace of their own, so that nothing of them stays in the student's.

    Parameters
    ----------
    task : Task
    seed : int
    nonce : str
        One-time word that the answers must bring back.

    Returns
    -------
    str
    """
    return (
        "_judge = {'__name__': 'judge'}\n"
        f"exec({_module(task.harness)!r}, _judge)\n"
        f"_judge.pop('publish')({_request(task, seed)!r}, {nonce!r}, globals())\n"
        "del _judge"
    )


@lru_cache(maxsize=8)
def _module(harness):
    parts = map(inspect.getsource, (wire, answering, harness))
    return "\n".join([*parts, PUBLISH])


@lru_cache(maxsize=64)  # as many as a round has tasks, and some
def _request(task, seed):
    """Write what the kernel is asked, the same for all students of a grading run."""
    request = {
        "mime": MIME,
        "names": list(task.asks),
        "challenges": marking.pose(task, seed),
        "harness": task.harness.__name__,
    }
    return json.dumps(request)


def sent_answers(cell, nonce):
    """Pick the answers out of a judged cell's outputs.

    Parameters
    ----------
    cell : nbformat.NotebookNode
        After execution; its outputs are untrusted.
    nonce : str

    Returns
    -------
    object or None
        The untrusted list of answers; None unless exactly one output brings them with the nonce.
    """
    contents = [output.get("data") for output in cell.outputs]
    sent = [data[MIME] for data in contents if isinstance(data, dict) and MIME in data]
    if len(sent) != 1 or not isinstance(sent[0], dict) or sent[0].get("nonce") != nonce:
        return None
    return json.loads(json.dumps(sent[0].get("answers")))  # plain dicts in place of nbformat's


def why_nothing(cell):
    """Say why a judged cell may have sent no answers, by the error it ended with.

    Parameters
    ----------
    cell : nbformat.NotebookNode
        After execution; its outputs are untrusted and serve for words only.

    Returns
    -------
    str
    """
    errors = [output for output in cell.outputs if output.output_type == "error"]
    return f"{errors[-1].get('ename')}: {errors[-1].get('evalue')}" if errors else marking.NOTHING
