"""Many items on a cluster of somebody's own, by Dask: the same function, the same outcomes."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from faceblind.errors import FaceblindError
from faceblind.system.progress import track
from faceblind.system.workers import DIED, Item, Outcome, Value, attempt


def run_on_cluster(
    function: Callable[[Item], Value],
    items: Iterable[Item],
    scheduler: str,
    *,
    label: str = "Items",
    name: Callable[[Item], str] = str,
    show_progress: bool = True,
    until: Callable[[Outcome[Item, Value]], bool] | None = None,
) -> list[Outcome[Item, Value]]:
    """Apply a function to every item on the workers of a Dask scheduler.

    An item whose worker dies is given to another one; after some deaths it is a failure.

    Parameters
    ----------
    function, items, label, name, show_progress, until
        As `faceblind.system.workers.run_many` takes them.
    scheduler : str
        Address, such as ``tcp://node1:8786``, or the path of a scheduler file.

    Returns
    -------
    list of Outcome
        As `run_many` gives them.

    Raises
    ------
    FaceblindError
        If Dask is missing or the scheduler does not answer.
    """
    work = list(items)
    names = [name(item) for item in work]
    outcomes: dict[int, Outcome[Item, Value]] = {}
    client = _connected(scheduler)
    from distributed import KilledWorker, as_completed

    try:
        places = {
            client.submit(attempt, function, item, names[place], pure=False): place
            for place, item in enumerate(work)
        }
        with track(label, len(work), show_progress) as progress:
            for future in as_completed(list(places), loop=client.loop):
                place = places[future]
                try:
                    outcomes[place] = future.result()
                except KilledWorker:
                    outcomes[place] = Outcome(work[place], names[place], error=DIED)
                progress.advance(failed=not outcomes[place].ok)
                if until is not None and until(outcomes[place]):
                    break
        client.cancel([future for future, place in places.items() if place not in outcomes])
    finally:
        client.close()
    return [outcomes[place] for place in sorted(outcomes)]


def _connected(scheduler: str) -> Any:
    if importlib.util.find_spec("distributed") is None:
        raise FaceblindError("--dask needs Dask; install it with: pip install faceblind[dask]")
    from distributed import Client

    where = {"scheduler_file": scheduler} if Path(scheduler).is_file() else {"address": scheduler}
    try:
        return Client(**where, timeout="30s", set_as_default=False)
    except (OSError, ValueError) as error:
        raise FaceblindError(
            f"{scheduler}: no Dask scheduler answers there ({type(error).__name__}); check the "
            "address"
        ) from error
