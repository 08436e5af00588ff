"""The curve of a result, for a notebook."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from faceblind.display import needed
from faceblind.identification import metrics
from faceblind.identification.intervals import wilson_interval

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def plot_cmc(
    cmc: Sequence[float], people: int, gallery_size: int, axes: Axes | None = None
) -> Axes:
    """Draw the cumulative match characteristic with its interval and chance.

    Parameters
    ----------
    cmc : sequence of float
        Identification rate at rank 1, 2, and so on.
    people : int
        Who were searched.
    gallery_size : int
    axes : matplotlib Axes, optional
        Where to draw; a new figure if absent.

    Returns
    -------
    matplotlib Axes
    """
    pyplot: Any = needed("matplotlib.pyplot", "plot_cmc")
    axes = axes or pyplot.subplots()[1]
    ranks = np.arange(1, len(cmc) + 1)
    ends = np.array([wilson_interval(rate * people, people) for rate in cmc])
    axes.fill_between(ranks, ends[:, 0], ends[:, 1], alpha=0.2, label="95 % interval")
    axes.plot(ranks, cmc, label=f"{people} people")
    chance = [metrics.chance_rate(int(k), gallery_size) for k in ranks]
    axes.plot(ranks, chance, "--", color="grey", label="chance")
    axes.set(xlabel="rank", ylabel="identification rate", ylim=(0.0, 1.02))
    axes.legend(loc="lower right")
    return axes
