"""The common style of all figures: colors, resolution, quiet axes.

Figures are built without pyplot, so nothing is global and any thread may draw.
"""

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from waste_risk.metrics import ValidationMetrics

# Okabe and Ito's palette: told apart by color-blind readers, and in gray.
MODEL = "#0072B2"
ORACLE = "#009E73"
MARK = "#D55E00"
QUIET = "#6E6E6E"
PALE = "#A9CBE3"
_DPI = 150


def make_figure(width: float, height: float) -> Figure:
    """Return an empty figure of so many inches."""
    figure = Figure(figsize=(width, height), dpi=_DPI, layout=ConstrainedLayoutEngine(w_pad=0.12, h_pad=0.1))
    FigureCanvasAgg(figure)
    return figure


def describe_label(metrics: ValidationMetrics) -> str:
    """Return in words what the probability is of."""
    return "wasted" if metrics.horizon_days is None else f"wasted within {metrics.horizon_days} days"


def add_title(figure: Figure, text: str) -> None:
    """Set a title over the whole figure: over the axes alone it would not fit beside long tick labels."""
    figure.suptitle(text, x=0.02, ha="left", fontsize="large", fontweight="bold")


def tidy(*all_axes: Axes) -> None:
    """Leave of the frames what helps reading."""
    for axes in all_axes:
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(color="#E6E6E6", lw=0.6)
        axes.set_axisbelow(True)
