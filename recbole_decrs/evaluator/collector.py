"""Collects data for metrics as RecBole's Collector does, with user ids and groups, and for a loaded model too."""

from __future__ import annotations

from collections import defaultdict
from logging import getLogger

import torch
from recbole.data.interaction import Interaction
from recbole.evaluator import Collector
from recbole.evaluator.collector import DataStruct

from recbole_decrs.causal import item_popularity, profile_popularity
from recbole_decrs.data.clicks import click_matrix
from recbole_decrs.distributed.group import joined
from recbole_decrs.distributed.users import ShareOfUsers
from recbole_decrs.evaluator.registry import OF_POPULARITY
from recbole_decrs.evaluator.reranking import Reranker, top_items
from recbole_decrs.finite import REMEDY, check_scores


def users_of(users: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
    """Name the user of each row of ``scores``; with sampled candidates, a batch names a user once per candidate."""
    return users if len(users) == len(scores) else torch.unique_consecutive(users)


class DecRSCollector(Collector):
    """Collects the data that RecBole's metrics, the plugin's and one's own need; see ``registry.NEEDS``.

    RecBole's own knows neither user ids nor groups, fails on the plain numbers that it collects itself, sorts out the
    top items once for each kind of metric, and copies everything at each batch and each evaluation.

    Args:
        config: the configuration.
        reranker: re-ranks each user's top items before they are collected.
        length: of the lists that are collected, with their scores; without it, the longest of ``topk`` is collected,
            and with scores a list of ``save_topk``.
        name: what a message calls that which ranks; the model of the configuration without it.
    """

    def __init__(
        self, config, reranker: Reranker | None = None, length: int | None = None, name: str | None = None
    ) -> None:
        super().__init__(config)
        self.name = name or config["model"]
        self.remedy = "raise ips_floor" if config["ips"] == "item" else REMEDY
        self.has_told = False
        self.user_field = config["USER_ID_FIELD"]
        self.reranker = reranker
        self.confounder = None
        ranks = any(map(self.register.need, ("rec.items", "rec.ranked", "rec.topk")))
        self.length = length or (max(config["topk"]) if ranks else 0)
        self.list_length = length or config["save_topk"] or 0
        for key in ("rec.items", "rec.topk"):  # collected here, the others by RecBole
            setattr(self.register, key, False)
        self.batches: dict[str, list[torch.Tensor]] = defaultdict(list)
        self.collected_from = None
        self.has_share = False

    def begin(self, eval_data) -> None:
        """Prepare for the batches of a loader, which may be a share of those of several processes."""
        self.has_share = isinstance(eval_data, ShareOfUsers)
        self.collect_from_training_part(eval_data._dataset)

    def data_collect(self, train_data) -> None:
        """Collect the static data, as RecBole's trainers ask for before training."""
        self.collect_from_training_part(train_data._dataset)

    def collect_from_training_part(self, dataset) -> None:
        """Collect the static data of the dataset that ``dataset`` is a part of, once."""
        part = dataset.training_part
        if self.collected_from is part:
            return
        super().data_collect(_Loader(part))
        if any(map(self.register.need, OF_POPULARITY)):
            clicks = click_matrix(part)
            self.data_struct.set("data.item_popularity", item_popularity(clicks))
            self.data_struct.set("data.profile_popularity", profile_popularity(clicks))
        self.confounder = part.confounder
        self.data_struct.set("data.user_drift", None)
        if part.confounder is not None:
            self.data_struct.set("data.confounder", part.confounder)
            for name in ("membership", "user_distribution"):  # arrays of all items and users, for who asks for them
                if self.register.need(f"data.{name}"):
                    self.data_struct.set(f"data.{name}", getattr(part.confounder, name))
            self.data_struct.set("data.user_drift", part.confounder.drift)
        self.collected_from = part

    def eval_batch_collect(
        self,
        scores_tensor: torch.Tensor,
        interaction: Interaction,
        positive_u: torch.Tensor,
        positive_i: torch.Tensor,
    ) -> None:
        """Collect from one batch as RecBole does, and the user of each row, and the lists if they are to be saved.

        Raises:
            DecRSError: a score is infinite or not a number.
        """
        check_scores(scores_tensor, self.name)
        super().eval_batch_collect(scores_tensor, interaction, positive_u, positive_i)
        users = users_of(interaction[self.user_field], scores_tensor)
        self._keep("rec.users", users)
        longest = max(self.length, self.list_length)
        if not longest:
            return
        scores, items = top_items(scores_tensor, users, longest, self.reranker, self.confounder)
        if scores.shape[1] > 1:
            self._keep("rec.all_equal", (scores[:, 0] == scores[:, -1]) & scores[:, -1].isfinite())
        if self.length:
            n_items = scores_tensor.shape[1]
            rows = torch.arange(len(items), device=items.device).unsqueeze(1)
            positives = torch.unique((positive_u * n_items + positive_i).to(items.device))  # sampled ones may repeat
            hits = torch.isin(rows * n_items + items[:, : self.length], positives)
            n_positive = torch.bincount(positives // n_items, minlength=len(items)).unsqueeze(1)
            self._keep("rec.items", items[:, : self.length])
            self._keep("rec.ranked", torch.isfinite(scores[:, : self.length]))
            self._keep("rec.topk", torch.cat((hits, n_positive), dim=1).int())
        if self.list_length:
            self._keep("rec.list_items", items[:, : self.list_length])
            self._keep("rec.list_scores", scores[:, : self.list_length])

    def _keep(self, key: str, tensor: torch.Tensor) -> None:
        self.batches[key].append(tensor.cpu())

    def get_data_struct(self) -> DataStruct:
        """Hand out what has been collected, and forget what belongs to this evaluation alone.

        Where users are shared out between processes, each gets what all have collected, in the order of one process.
        """
        collected = DataStruct()
        for key, tensors in self.batches.items():
            collected.set(key, self._of_all_users(torch.cat(tensors)))
        self._tell_of_equal_scores(collected)
        self.batches.clear()
        for key, value in list(self.data_struct._data_dict.items()):
            of_evaluation = not key.startswith("data.") or key == "data.label"
            if isinstance(value, torch.Tensor):
                value = self._of_all_users(value.cpu()) if of_evaluation else value.cpu()
            collected.set(key, value)
            if of_evaluation:
                del self.data_struct[key]
        return collected

    def _of_all_users(self, values: torch.Tensor) -> torch.Tensor:
        return joined(values) if self.has_share else values

    def _tell_of_equal_scores(self, collected: DataStruct) -> None:
        """Warn once, not at each evaluation of a training."""
        equal = collected._data_dict.pop("rec.all_equal", None)
        if not self.has_told and equal is not None and len(equal) > 1 and equal.all():
            self.has_told = True
            getLogger().warning(
                f"{self.name} gives every user a list of equal scores, whose order says nothing: it has "
                f"learnt nothing, or its training has diverged; {self.remedy}"
            )


class _Loader:
    """Has the one attribute of a training loader that RecBole's Collector asks for."""

    def __init__(self, dataset) -> None:
        self.dataset = dataset
