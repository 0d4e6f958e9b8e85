"""Which known mistakes does the judge catch and name, and does it wrong anybody?

Every row goes the judge's own way without a kernel: challenges, answers as JSON, verdict.
"""

import json
import sys
from pathlib import Path

from rich.console import Console
from rich.progress import track
from rich.table import Table

from coursekit.judging import answering, marking, wire
from coursekit.judging.diagnosis import stand_ins
from coursekit.judging.round09 import TASKS
from tests.mutants.right import RIGHT

OUTPUT = Path(__file__).parents[2] / "build" / "mutants.json"
SEEDS = (1, 2, 3)


def verdict(task, objects, seed):
    """Judge objects as if a student's process had answered with them."""
    namespace = dict(zip(task.asks, objects, strict=True))
    messages = answering.answer_all(
        namespace, task.asks, marking.pose(task, seed), task.harness, wire.encode, wire.decode
    )
    return marking.mark(task, seed, json.loads(json.dumps(messages)))


def asked_for(names):
    """List the tasks that ask for the same names."""
    return [task for task in TASKS.values() if task.asks == names]


def catalogue():
    """List each mistake of the round once, with one of the tasks that may name it."""
    tasks = {mistake: task for task in TASKS.values() for mistake in task.mistakes}
    return [(task, mistake) for mistake, task in tasks.items()]


def judged_mistake(task, mistake, seeds=SEEDS):
    """Send one mistake through every task that asks for its names; a row of the report."""
    lost, caught, diagnosed = set(), True, True
    for seed in seeds:
        verdicts = [
            verdict(other, stand_ins(task, mistake), seed) for other in asked_for(task.asks)
        ]
        failed = [found for found in verdicts if not found.passed]
        findings = [finding for found in failed for finding in found.findings]
        lost |= {found.task for found in failed}
        caught &= {found.task for found in failed} == set(mistake.loses)
        diagnosed &= any(finding.mistake == mistake.name for finding in findings)
    return {
        "name": mistake.name,
        "function": ", ".join(task.asks),
        "caught": caught,
        "diagnosed": diagnosed,
        "lost": sorted(lost),
        "expected": sorted(mistake.loses),
    }


def judged_right(name, function, code, seeds=SEEDS):
    """Send one right solution through every task that asks for it; a row of the report."""
    verdicts = [verdict(task, [code], seed) for task in asked_for((function,)) for seed in seeds]
    lost = {found.task for found in verdicts if not found.passed}
    return {
        "name": name,
        "function": function,
        "caught": bool(lost),
        "diagnosed": any(finding.mistake for found in verdicts for finding in found.findings),
        "lost": sorted(lost),
        "expected": [],
    }


def summary(mistakes, right):
    """Put the rows of both kinds together, counted."""
    return {
        "mistakes": len(mistakes),
        "caught": sum(row["caught"] for row in mistakes),
        "diagnosed": sum(row["diagnosed"] for row in mistakes),
        "right": len(right),
        "false_alarms": sum(bool(row["lost"]) for row in right),
        "rows": [*mistakes, *right],
    }


def table(result):
    """Show the rows by function, and those that went wrong by name."""
    shown = Table("function", "mistakes", "caught", "diagnosed", "right", "false alarms")
    rows = result["rows"]
    for function in dict.fromkeys(row["function"] for row in rows):
        of_function = [row for row in rows if row["function"] == function]
        wrong = [row for row in of_function if row["expected"]]
        right = [row for row in of_function if not row["expected"]]
        counts = (
            len(wrong),
            sum(row["caught"] for row in wrong),
            sum(row["diagnosed"] for row in wrong),
            len(right),
            sum(row["caught"] for row in right),
        )
        shown.add_row(function, *map(str, counts))
    shown.add_section()
    names = ("mistakes", "caught", "diagnosed", "right", "false_alarms")
    shown.add_row("all", *(str(result[name]) for name in names))
    return shown


def main():
    """Write build/mutants.json and print a table; tell whether nothing went wrong."""
    console = Console()
    mistakes = [judged_mistake(*row) for row in track(catalogue(), "mistakes", transient=True)]
    right = [judged_right(*row) for row in track(RIGHT, "right solutions", transient=True)]
    result = summary(mistakes, right)
    OUTPUT.parent.mkdir(exist_ok=True)
    OUTPUT.write_text(json.dumps(result, indent=1) + "\n")
    console.print(table(result))
    for row in result["rows"]:
        if row["caught"] != bool(row["expected"]):
            console.print(f"{row['name']}: loses {row['lost']}, should lose {row['expected']}")
        elif not row["diagnosed"] and row["expected"]:
            console.print(f"{row['name']}: caught, not named")
    console.print("written: build/mutants.json", highlight=False)
    return result["caught"] == result["mistakes"] and not result["false_alarms"]


if __name__ == "__main__":
    sys.exit(0 if main() else 1)
