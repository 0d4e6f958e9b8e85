"""The judged cells of round 9, as data: one module a notebook."""

from coursekit.judging.round09 import classification, derivation, optimisation

NOTEBOOKS = {
    "derivation": derivation.TASKS,
    "classification": classification.TASKS,
    "optimisation": optimisation.TASKS,
}
TASKS = {task.name: task for tasks in NOTEBOOKS.values() for task in tasks}
