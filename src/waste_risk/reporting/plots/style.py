"""The common look of all figures: colours, resolution, quiet axes.

Figures are built without pyplot, so nothing is global and any thread may draw.
"""

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

# Okabe and Ito's palette: told apart by colour-blind readers, and in grey.
MODEL = "#0072B2"
ORACLE = "#009E73"
MARK = "#D55E00"
QUIET = "#6E6E6E"
PALE = "#A9CBE3"
_DPI = 150


def make_figure(width: float, height: float) -> Figure:
    """Begin a figure of so many inches."""
    figure = Figure(figsize=(width, height), dpi=_DPI, layout=ConstrainedLayoutEngine(w_pad=0.12, h_pad=0.1))
    FigureCanvasAgg(figure)
    return figure


def tidy(*all_axes: Axes) -> None:
    """Leave of a frame what helps reading."""
    for axes in all_axes:
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(color="#E6E6E6", lw=0.6)
        axes.set_axisbelow(True)
