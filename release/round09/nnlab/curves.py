"""How did training go? Losses over the iterations, in small panels that share their axes.

As in `nnlab.figures`, keep the figure that a function returns in a name.
"""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from nnlab.style import LINES, common_style

LOSS = "loss (nats per case)"
ITERATION = "iteration"
PARTS = {"training_loss": "training", "validation_loss": "validation"}


def plot_history(
    histories: Mapping[str, Mapping[str, Sequence[float]]],
    title: str | None = None,
    every: int = 1,
) -> Figure:
    """Plot training and validation loss over the iterations, one panel for each run.

    Parameters
    ----------
    histories : mapping of str to mapping
        For each run's label a history: lists ``training_loss`` and ``validation_loss``, in nats
        per case, one value for every `every` iterations.
    title : str, optional
        Title of the whole figure.
    every : int, optional
        Number of iterations from one value to the next.

    Returns
    -------
    Figure
        Keep it in a name, so that a notebook shows it once. A dot marks the lowest validation
        loss.
    """
    curves = [history[part] for history in histories.values() for part in PARTS]
    with common_style():
        figure, panels = _panels(len(histories))
        limits = _loss_limits(curves)
        for panel, (label, history) in zip(panels, histories.items(), strict=True):
            for (part, name), line in zip(PARTS.items(), LINES, strict=False):
                _draw(panel, history[part], every, label=name, **line)
            notes = [str(label), *_hidden([history[part] for part in PARTS], limits)]
            losses = np.asarray(history["validation_loss"], dtype=np.float64)
            if np.isfinite(losses).any():
                best = int(np.nanargmin(np.where(np.isfinite(losses), losses, np.nan)))
                panel.plot(
                    every * (best + 1),
                    losses[best],
                    "o",
                    color=LINES[1]["color"],
                    markeredgecolor="black",
                    clip_on=False,
                    zorder=3,
                    label="lowest validation loss",
                )
                notes.append(f"lowest: {losses[best]:.4f} at {every * (best + 1)}")
            panel.set_title("\n".join(notes))
        _finish(figure, panels, limits, title)
    return figure


def plot_sweep(
    results: Mapping[tuple[float, float], Sequence[float]], chance_loss: float | None = None
) -> Figure:
    """Plot the training loss for a grid of settings, one panel for each learning rate.

    The loss axis is the same in all panels and stays near the runs that learn: what a diverging
    run does above it is told in the panel's title.

    Parameters
    ----------
    results : mapping of (learning_rate, momentum) to sequence of float
        Training losses in nats per case, one for each iteration from 1.
    chance_loss : float, optional
        Loss of guessing, in nats per case, drawn as a thin line.

    Returns
    -------
    Figure
        Keep it in a name, so that a notebook shows it once.
    """
    rates = sorted({rate for rate, _ in results})
    momenta = sorted({momentum for _, momentum in results})
    with common_style():
        figure, panels = _panels(len(rates))
        limits = _loss_limits(results.values(), chance_loss)
        for panel, rate in zip(panels, rates, strict=True):
            if chance_loss is not None:
                panel.axhline(chance_loss, color="0.45", linewidth=0.8, label="guessing")
            runs = {m: results[rate, m] for m in momenta if (rate, m) in results}
            for momentum, losses in runs.items():
                line = LINES[momenta.index(momentum) % len(LINES)]
                _draw(panel, losses, label=f"momentum {momentum:g}", **line)
            notes = [f"learning rate {rate:g}", *_hidden(runs.values(), limits)]
            panel.set_title("\n".join(notes))
        _finish(figure, panels, limits, title="Training loss for each learning rate")
    return figure


def _panels(count: int) -> tuple[Figure, list[plt.Axes]]:
    # Three in a row, or two rows of about the same length, but never more than four in a row.
    columns = max(count, 1) if count <= 3 else min(4, -(-count // 2))
    rows = -(-count // columns) or 1
    width, height = (2.6, 2.5) if count > 1 else (4.4, 3.2)
    figure, axes = plt.subplots(
        rows,
        columns,
        figsize=(width * columns + 2.0, height * rows + 0.4),
        sharex=True,
        sharey=True,
        squeeze=False,
    )
    for index, axis in enumerate(axes.flat):
        if index >= count:
            axis.remove()
        elif index + columns >= count:
            axis.tick_params(labelbottom=True)  # nothing stands below it
    figure.supxlabel(ITERATION, fontsize="medium")
    figure.supylabel(LOSS, fontsize="medium")
    return figure, list(axes.flat[:count])


def _loss_limits(
    curves: Iterable[Sequence[float]], reference: float | None = None
) -> tuple[float, float]:
    # From the lowest loss to a little above where the runs start, or above guessing.
    curves = [values[np.isfinite(values)] for values in map(np.asarray, curves)]
    curves = [values for values in curves if values.size]
    if not curves:
        return 0.0, 1.0
    lowest, highest = (f(np.concatenate(curves)) for f in (np.min, np.max))
    start = max(np.median([values[0] for values in curves]), reference or -np.inf)
    height = max(start - lowest, 0.02 * abs(start), 1e-9)
    top = min(highest, start + 0.5 * height)
    return lowest - 0.05 * height, max(top, reference or top) + 0.05 * height


def _draw(panel: plt.Axes, losses: Sequence[float], every: int = 1, **line) -> None:
    losses = np.asarray(losses, dtype=np.float64)
    finite = np.isfinite(losses)
    panel.plot(every * np.arange(1, losses.size + 1)[finite], losses[finite], **line)


def _hidden(curves: Iterable[Sequence[float]], limits: tuple[float, float]) -> list[str]:
    # What a panel cannot show, in words short enough for its title.
    losses = np.concatenate([np.asarray(curve, dtype=np.float64) for curve in curves])
    finite = np.isfinite(losses)
    notes = []
    if (losses[finite] > limits[1]).any():
        notes.append(f"off the scale: up to {losses[finite].max():.3g}")
    if not finite.all():
        notes.append(f"{np.sum(~finite)} of {losses.size} values not finite")
    return notes


def _finish(
    figure: Figure, panels: list[plt.Axes], limits: tuple[float, float], title: str | None
) -> None:
    handles = {}
    for panel in panels:
        panel.set_ylim(*limits)
        handles |= dict(zip(*reversed(panel.get_legend_handles_labels()), strict=True))
    if handles:
        figure.legend(handles.values(), handles.keys(), loc="outside right center")
    if title:
        figure.suptitle(title)
