"""What do all figures have in common? Colours, lines and letters."""

from collections.abc import Iterator
from contextlib import contextmanager

import matplotlib
from matplotlib import pyplot as plt

# Okabe and Ito's colours, which people with any kind of colour vision can tell apart.
BLUE, VERMILLION, GREEN, ORANGE, PURPLE = "#0072B2", "#D55E00", "#009E73", "#E69F00", "#CC79A7"
LINES = tuple(
    {"color": color, "linestyle": style}
    for color, style in (
        (BLUE, "-"),
        (VERMILLION, "--"),
        (GREEN, "-."),
        (ORANGE, ":"),
        (PURPLE, (0, (5, 1, 1, 1, 1, 1))),
    )
)
STYLE = {
    "figure.constrained_layout.use": True,
    "font.size": 10.0,
    "axes.titlesize": 10.0,
    "axes.labelsize": 10.0,
    "figure.titlesize": 11.0,
    "axes.grid": False,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "lines.linewidth": 1.8,
    "legend.frameon": False,
    "image.cmap": "gray_r",
}


@contextmanager
def common_style() -> Iterator[None]:
    """Draw in the common style, and leave the settings afterwards as they were.

    A notebook's backend is loaded with the first figure and switches interactive mode on. That
    must stay: without it the notebook shows the first figure and none of the later ones.
    """
    with plt.rc_context(STYLE):
        yield
        interactive = matplotlib.is_interactive()
    matplotlib.interactive(interactive)
