"""Makes the resources of a change: several providers at a time, in threads."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

from dvr_ryu.companion.apply_order import ApplyOrder, Batch
from dvr_ryu.companion.providers.provider import Provider
from dvr_ryu.companion.resources.resource import Resource


def make(
    resources: Iterable[Resource],
    provider_of: Mapping[type[Resource], Provider],
    on_made: Callable[[int], object],
) -> None:
    """Make resources, each after those it needs; call `on_made` with the size of each finished
    batch.

    If a provider raises, the batches in progress run to their end, and then the error is raised.
    """
    order = ApplyOrder(resources)
    running: dict[Future[object], Batch] = {}
    with ThreadPoolExecutor(max_workers=len(provider_of) * 2) as pool:
        while order:
            for batch in order.begin():
                running[pool.submit(provider_of[batch.kind].make, batch.resources)] = batch
            for made in wait(running, return_when=FIRST_COMPLETED).done:
                batch = running.pop(made)
                made.result()
                order.done(batch)
                on_made(len(batch.resources))
