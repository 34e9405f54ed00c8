"""Shares the users of an evaluation out between the processes of a run, each of which scores its own."""

from __future__ import annotations

import math
from collections.abc import Iterator

from recbole.data.dataloader import FullSortEvalDataLoader

from recbole_decrs.distributed.group import place


class ShareOfUsers(FullSortEvalDataLoader):
    """Hands out the batches of this process's users, those of a lower process before those of a higher one.

    Args:
        loader: of all users.
        start, stop: the places of this process's users among them.
    """

    def __init__(self, loader: FullSortEvalDataLoader, start: int, stop: int) -> None:
        vars(self).update(vars(loader))
        self.start, self.stop = start, stop

    def __len__(self) -> int:
        return math.ceil((self.stop - self.start) / self.step)

    def __iter__(self) -> Iterator[tuple]:
        for start in range(self.start, self.stop, self.step):
            yield self.collate_fn(range(start, min(start + self.step, self.stop)))


def share_of(eval_data):
    """Give the loader of this process's users.

    Args:
        eval_data: a validation or test loader.

    Returns:
        A :class:`ShareOfUsers`; the loader itself, of which every process evaluates the whole, where there is one
        process, where the loader samples candidates or has labels, and where there are fewer users than processes.
    """
    here = place()
    if here is None or not isinstance(eval_data, FullSortEvalDataLoader) or eval_data.is_sequential:
        return eval_data
    n = eval_data.sample_size
    if n < here.size:
        return eval_data
    return ShareOfUsers(eval_data, n * here.rank // here.size, n * (here.rank + 1) // here.size)
