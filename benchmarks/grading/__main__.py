"""Run the benchmark as ``python -m benchmarks.grading``."""

import json
import shutil

import click

from benchmarks.grading.comparison import compare, machine
from benchmarks.grading.courses import ROOT, light_workload, round_workload
from benchmarks.grading.table import markdown

OUTPUT = ROOT / "build" / "bench.json"
SIZES = (60, 120, 240)


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--light",
    type=click.IntRange(2),
    default=60,
    show_default=True,
    help="Students who hand in the light notebook.",
)
@click.option(
    "--round",
    "whole_round",
    type=click.IntRange(2),
    default=20,
    show_default=True,
    help="Students who hand in the whole round.",
)
@click.option("--skip-round", is_flag=True, help="Only the light notebook.")
@click.option("--skip-scaling", is_flag=True, help="No classes of 60, 120 and 240 students.")
@click.option(
    "--all-240",
    is_flag=True,
    help="Grade the whole round of 60, 120 and 240 students too; it takes long.",
)
@click.option("--table", is_flag=True, help="Only print the figures measured last, in Markdown.")
def main(
    light: int, whole_round: int, skip_round: bool, skip_scaling: bool, all_240: bool, table: bool
):
    """Grade by stock nbgrader and by coursekit, and write build/bench.json."""
    if not table:
        _measure(light, None if skip_round else whole_round, () if skip_scaling else SIZES, all_240)
    try:
        click.echo(markdown(json.loads(OUTPUT.read_text("utf-8"))))
    except FileNotFoundError:
        raise click.ClickException("Nothing is measured yet; leave out --table.") from None


def _measure(light: int, whole_round: int | None, sizes: tuple[int, ...], all_240: bool):
    folder = ROOT / "build" / "bench"
    if folder.exists():
        shutil.rmtree(folder)
    where = machine()
    result = compare(light_workload(folder / "light"), folder / "light", light, sizes)
    if whole_round:
        workload = round_workload(folder / "round")
        sizes = SIZES if all_240 else ()
        result["round"] = compare(workload, folder / "round", whole_round, sizes)
    text = json.dumps(_rounded(result | {"machine": where}), indent=1)
    OUTPUT.write_text(text + "\n", "utf-8")
    click.echo("Written: build/bench.json\n")


def _rounded(figures):
    """Keep four digits after the point."""
    if isinstance(figures, dict):
        return {name: _rounded(figure) for name, figure in figures.items()}
    return round(figures, 4) if isinstance(figures, float) else figures


if __name__ == "__main__":
    main(prog_name="python -m benchmarks.grading")
