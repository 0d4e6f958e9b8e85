"""What does judging cost? Milliseconds that pose and mark add to a judged cell (make bench-judge).

For each task the answers of its known mistakes, which take longest, since each wrong answer is
compared with the whole catalogue. Drawn once, as in a grading run, the challenges of a task are
the same for all students; the first student's cost is given apart.
"""

import json
import platform
import statistics
from pathlib import Path
from time import perf_counter

from coursekit.judging import answering, marking, wire
from coursekit.judging.diagnosis import stand_ins
from coursekit.judging.preprocessors import asking_source
from coursekit.judging.round09 import TASKS

OUTPUT = Path(__file__).parents[1] / "build" / "bench-judge.json"
SEED, NONCE = 2026, "0" * 32
ANSWERS = 8


def milliseconds(task, mistake):
    """Time posing and marking of one answer, without the student's own code."""
    start = perf_counter()
    asking_source(task, SEED, NONCE)
    posed = perf_counter()
    namespace = dict(zip(task.asks, stand_ins(task, mistake), strict=True))
    answers = answering.answer_all(
        namespace, task.asks, marking.pose(task, SEED), task.harness, wire.encode, wire.decode
    )
    message = json.loads(json.dumps(answers))
    answered = perf_counter()
    marking.mark(task, SEED, message)
    return 1000 * (posed - start + perf_counter() - answered)


def main():
    """Write build/bench-judge.json and print it in short."""
    rounds = [
        {
            name: statistics.median(milliseconds(task, row) for row in task.mistakes[:ANSWERS])
            for name, task in TASKS.items()
        }
        for _ in range(2)
    ]
    first, later = rounds
    result = {
        "machine": f"{platform.machine()}, Python {platform.python_version()}",
        "tasks": len(TASKS),
        "first_student_median_ms": statistics.median(first.values()),
        "later_median_ms": statistics.median(later.values()),
        "later_mean_ms": statistics.mean(later.values()),
        "later_worst_ms": max(later.values()),
        "by_task_ms": later,
    }
    OUTPUT.parent.mkdir(exist_ok=True)
    OUTPUT.write_text(json.dumps(result, indent=1) + "\n")
    for key in ("first_student_median_ms", "later_median_ms", "later_mean_ms", "later_worst_ms"):
        print(f"{key:24} {result[key]:6.1f}")
    print("written: build/bench-judge.json")


if __name__ == "__main__":
    main()
