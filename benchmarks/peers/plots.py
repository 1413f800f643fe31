"""Draws docs/benchmarks/results.json: turns a second, and what a message costs as things grow.

Run with the peers' packages: .venv-peers/bin/python -m benchmarks.peers.plots RESULTS FOLDER
"""

import json
import sys
from pathlib import Path
from statistics import median
from typing import Any

import matplotlib as mpl

mpl.use("agg")  # needs no screen

from matplotlib import pyplot as plt

BARS = (
    ("echo", "peer", "echo,\nSDK"),
    ("echo", "ours", "echo,\nours"),
    ("floor", "floor", "echo,\nno SDK"),
    ("echo_auth", "peer", "with tokens,\nSDK"),
    ("echo_auth", "ours", "with tokens,\nours"),
    ("turn", "peer", "template's\nturn, SDK"),
    ("turn", "ours", "template's\nturn, ours"),
)
COLOURS = {"peer": "#999999", "ours": "#0078d4", "floor": "#cccccc"}
GROWTH = (
    ("growth_stored", "CPU a message, stored conversations", "o-"),
    ("growth_queued", "CPU a message, waiting messages", "s-"),
    ("growth_stored_memory", "memory, stored conversations", "o--"),
    ("growth_queued_memory", "memory, waiting messages", "s--"),
)
DOTS_PER_INCH = 120


def draw_turns(rows: dict[str, Any], picture: Path) -> None:
    """A bar for each program, with the lowest and the highest round."""
    figure, axes = plt.subplots(figsize=(8, 4))
    for place, (row, who, _) in enumerate(BARS):
        seen = rows[row][who]
        height, low, high = seen["median"], seen["low"], seen["high"]
        error = [[height - low], [high - height]]
        axes.bar(place, height, color=COLOURS[who], yerr=error, capsize=4)
        axes.annotate(f"{height:.0f}", (place, high), ha="center", va="bottom")
    axes.set_xticks(range(len(BARS)), [name for _, _, name in BARS], fontsize=8)
    axes.set_ylabel("turns per CPU second")
    _save(figure, axes, picture)


def draw_growth(rows: dict[str, Any], picture: Path) -> None:
    """A line for each kind of growth, relative to the one that stays small."""
    figure, axes = plt.subplots(figsize=(8, 4))
    for row, name, style in GROWTH:
        seen = rows[row]["more"]
        sizes = seen["at_each_size"]
        relative = [
            median(sizes[size]) / median(seen["at_the_smallest_meanwhile"][size]) for size in sizes
        ]
        axes.plot([int(size) for size in sizes], relative, style, label=name)
    axes.axhspan(0.9, 1.1, color="#eeeeee", zorder=0)
    axes.set_xscale("log")
    axes.set_ylim(bottom=0)
    axes.set_xlabel("how many there are")
    axes.set_ylabel("relative to the fewest, measured meanwhile")
    axes.legend(fontsize=8)
    _save(figure, axes, picture)


def _save(figure: Any, axes: Any, picture: Path) -> None:
    axes.spines[["top", "right"]].set_visible(False)
    figure.tight_layout()
    figure.savefig(picture, dpi=DOTS_PER_INCH)


def main() -> None:
    """Draw both."""
    rows, folder = json.loads(Path(sys.argv[1]).read_text())["rows"], Path(sys.argv[2])
    draw_turns(rows, folder / "turns.png")
    draw_growth(rows, folder / "growth.png")


if __name__ == "__main__":
    main()
