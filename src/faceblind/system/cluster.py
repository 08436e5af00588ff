"""Many items on a cluster of somebody's own, by Dask: the same function, the same outcomes."""

from __future__ import annotations

import importlib.util
import queue
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import CancelledError
from pathlib import Path
from typing import Any

from faceblind.errors import FaceblindError, internal_error
from faceblind.system.progress import track
from faceblind.system.workers import DIED, Item, Outcome, Value, attempt

_LOOK_S = 1.0
"""How often to look at the cluster while no item is finished."""


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

    An item whose worker dies is given to another one; after some deaths it is tried once more with
    no other item beside it, which may have been the cause, and then it is a failure.

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
        If Dask is missing, or the scheduler does not answer or goes away.
    """
    work = list(items)
    client = _connected(scheduler)
    try:
        return work_off(
            client, function, work, label=label, name=name, show_progress=show_progress, until=until
        )
    finally:
        client.close()


def work_off(
    client: Any,
    function: Callable[[Item], Value],
    work: Sequence[Item],
    *,
    label: str,
    name: Callable[[Item], str],
    show_progress: bool,
    until: Callable[[Outcome[Item, Value]], bool] | None,
    watch: Callable[[int], None] | None = None,
) -> list[Outcome[Item, Value]]:
    """Apply a function to every item on the workers of a client's cluster.

    Parameters
    ----------
    client : distributed.Client
    function, work, label, name, show_progress, until
        As `run_on_cluster` takes them.
    watch : callable, optional
        Called now and then with how many items are not finished; what it raises ends the run.
    """
    names = [name(item) for item in work]
    outcomes: dict[int, Outcome[Item, Value]] = {}
    finished: queue.SimpleQueue[Any] = queue.SimpleQueue()
    places: dict[str, int] = {}

    def submit(place: int) -> None:
        future = client.submit(attempt, function, work[place], names[place], pure=False)
        places[future.key] = place
        future.add_done_callback(finished.put)

    for place in range(len(work)):
        submit(place)
    running, died, alone = len(work), list[int](), set[int]()
    with track(label, len(work), show_progress) as progress:
        while len(outcomes) < len(work):
            if watch is not None:
                watch(len(work) - len(outcomes))
            try:
                future = finished.get(timeout=_LOOK_S)
            except queue.Empty:
                if client.status not in ("running", "connecting"):
                    raise _gone() from None
                continue
            place = places[future.key]
            outcome: Outcome[Item, Value] = _collect(future, work[place], names[place])
            running -= 1
            if outcome.error == DIED and place not in alone:
                # Dask blames all that waited for a worker, not only what killed it.
                died.append(place)
            else:
                outcomes[place] = outcome
                progress.advance(failed=not outcome.ok)
                if until is not None and until(outcome):
                    break
            if not running and died:
                alone.add(died[0])
                submit(died.pop(0))
                running = 1
    return [outcomes[place] for place in sorted(outcomes)]


def _collect(future: Any, item: Item, name: str) -> Outcome[Item, Value]:
    from distributed import KilledWorker

    try:
        outcome: Outcome[Item, Value] = future.result()
    except KilledWorker:
        return Outcome(item, name, error=DIED)
    except CancelledError as error:
        raise _gone() from error
    except Exception as error:  # noqa: BLE001 - the item or its value could not travel
        return Outcome(item, name, error=internal_error(error))
    return outcome


def _gone() -> FaceblindError:
    return FaceblindError("the Dask scheduler is gone; start the run again, and it goes on")


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
