"""Makes several rankings from the scores of the same models, which are computed once."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from recbole.data.dataloader import FullSortEvalDataLoader
from recbole.evaluator.collector import DataStruct
from recbole.trainer import Trainer
from recbole.utils import set_color

from recbole_decrs.console import Bar
from recbole_decrs.distributed.users import share_of
from recbole_decrs.evaluator.collector import DecRSCollector, users_of
from recbole_decrs.evaluator.rankings import Ranking
from recbole_decrs.evaluator.reranking import Reranker


class Scorer(Trainer):
    """Scores batches as RecBole's Trainer does before it ranks, masked as it masks them, without its folders.

    Args:
        config: the configuration.
        eval_data: a validation or test loader.
        full_sort: True to score all items also where the loader samples candidates; if none, as the loader does.
    """

    def __init__(self, config, eval_data, full_sort: bool | None = None) -> None:
        self.config, self.device, self.test_batch_size = config, config["device"], config["eval_batch_size"]
        self.full_sort = isinstance(eval_data, FullSortEvalDataLoader) if full_sort is None else full_sort
        self.tot_item_num = eval_data._dataset.item_num
        self.item_tensor = eval_data._dataset.get_item_feature().to(self.device) if self.full_sort else None

    def __call__(self, model, batch: tuple) -> torch.Tensor:
        """Score a batch: shape [n users of the batch, n_items], -inf where an item is no candidate."""
        self.model = model
        return (self._full_sort_batch_eval if self.full_sort else self._neg_sample_batch_eval)(batch)[1]


@torch.no_grad()
def collect_rankings(
    config,
    models: Sequence,
    rankings: dict[str, Ranking],
    eval_data,
    show_progress: bool = False,
    rerankers: dict[str, Reranker] | None = None,
    length: int | None = None,
) -> dict[str, DataStruct]:
    """Collect what the evaluator needs of each ranking.

    Args:
        config: the configuration.
        models: the models that score, in evaluation mode, with ``predict`` and perhaps ``full_sort_predict``.
        rankings: the rankings by name.
        eval_data: a validation or test loader.
        show_progress: True to show a progress bar.
        rerankers: the re-rankers of rankings that have one, by the name of the ranking.
        length: the length of the lists that are collected; the longest of ``topk`` if none.

    Returns:
        What was collected of each ranking, by its name.
    """
    scorer = Scorer(config, eval_data)
    collectors = {
        name: DecRSCollector(config, (rerankers or {}).get(name), length, _in_words(config["model"], name))
        for name in rankings
    }
    eval_data = share_of(eval_data)
    for collector in collectors.values():
        collector.begin(eval_data)
    batches = Bar(eval_data, ncols=100, desc=set_color("Evaluate   ", "pink")) if show_progress else eval_data
    for batch in batches:
        interaction, _, positive_u, positive_i = batch
        scores = [scorer(model, batch) for model in models]
        users = users_of(interaction[config["USER_ID_FIELD"]], scores[0]).to(scores[0].device)
        for name, ranking in rankings.items():
            collectors[name].eval_batch_collect(ranking(*scores, users), interaction, positive_u, positive_i)
    return {name: collector.get_data_struct() for name, collector in collectors.items()}


def _in_words(model: str, ranking: str) -> str:
    return model if ranking in ("", model) else f"{model} ({ranking})"
