"""Draws docs/benchmarks/results.json: turns a second; with the peers' packages.

python -m benchmarks.peers.plots RESULTS PICTURE
"""

import json
import sys
from pathlib import Path

import matplotlib as mpl

mpl.use("agg")  # needs no screen

from matplotlib import pyplot as plt

BARS = (
    ("echo", "theirs", "echo,\nSDK", "#999999"),
    ("echo", "ours", "echo,\nours", "#0078d4"),
    ("floor", "theirs", "echo,\nno SDK", "#cccccc"),
    ("echo_auth", "theirs", "with tokens,\nSDK", "#999999"),
    ("echo_auth", "ours", "with tokens,\nours", "#0078d4"),
    ("turn", "theirs", "template's\nturn, SDK", "#999999"),
    ("turn", "ours", "template's\nturn, ours", "#0078d4"),
)


def main(results: str, picture: str) -> None:
    """Draw a bar for each program."""
    rows = json.loads(Path(results).read_text())["rows"]
    figure, axes = plt.subplots(figsize=(8, 4))
    for place, (row, whose, _, colour) in enumerate(BARS):
        axes.bar_label(axes.bar(place, rows[row][whose], color=colour), fmt="%.0f")
    axes.set_xticks(range(len(BARS)), [name for _, _, name, _ in BARS], fontsize=8)
    axes.set_ylabel("turns per CPU second")
    axes.spines[["top", "right"]].set_visible(False)
    figure.tight_layout()
    figure.savefig(picture, dpi=120)


if __name__ == "__main__":
    main(*sys.argv[1:])
