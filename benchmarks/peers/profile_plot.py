"""Draws the shares that `benchmarks.where` found: read as JSON from standard input."""

import json
import sys
from pathlib import Path

import matplotlib as mpl

mpl.use("agg")  # needs no screen

from matplotlib import pyplot as plt

DOTS_PER_INCH = 120


def draw(shares: dict[str, float], picture: Path) -> None:
    """A bar for each part, in the order given."""
    figure, axes = plt.subplots(figsize=(8, 3))
    bars = axes.barh(list(shares), [share * 100 for share in shares.values()], color="#0078d4")
    axes.bar_label(bars, fmt="%.0f %%", padding=4)
    axes.invert_yaxis()
    axes.set_xlabel("% of the CPU time of the template's turn")
    axes.spines[["top", "right"]].set_visible(False)
    figure.tight_layout()
    figure.savefig(picture, dpi=DOTS_PER_INCH)


if __name__ == "__main__":
    draw(json.load(sys.stdin), Path(sys.argv[1]))
