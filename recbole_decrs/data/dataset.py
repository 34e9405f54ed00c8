"""The dataset hook: a mixin over RecBole's Dataset classes that hands out a Confounder after the split."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable

import numpy as np
from recbole.data import dataset as recbole_datasets
from recbole.utils import FeatureSource, FeatureType, ModelType

from recbole_decrs.causal import Confounder, estimate_confounder
from recbole_decrs.data.download import download
from recbole_decrs.data.group_field import read_membership
from recbole_decrs.data.reading import ReadingMixin, atomic_file
from recbole_decrs.errors import DecRSError, did_you_mean

CLICK_ORDER = "decrs_click_order"
"""A column that travels through RecBole's split and is gone after it: the place of a click in the order of time."""

MOST_SAMPLES = 1000
"""How many items may be sampled for a click of data that have fewer."""

Clicks = tuple[np.ndarray, np.ndarray]
"""Users and items of clicks, shape [n_clicks] each; user 0 marks what is no click."""


def one_drift_remark(name: str, alphas: Iterable[float]) -> str:
    """What follows where all users of a dataset have the same drift, with one of these exponents of Eq. 12."""
    ends = {
        True: "0, and the fused ranking equals the conventional one",
        False: "1 where alpha is 0, and the fused ranking equals the deconfounded one",
    }
    found = sorted({float(alpha) > 0 for alpha in alphas}, reverse=True)
    return (
        f"all users of {name} have the same drift eta_u, as they do where all items have one group, so that by Eq. 12 "
        f"every weight is {'; it is '.join(ends[positive] for positive in found)}"
    )


class ConfounderMixin(ReadingMixin):
    """Adds to a RecBole Dataset what DecRS needs of it; nothing it does for other models changes.

    Attributes, set by :meth:`build` on the dataset and on each part of it:
        confounder: estimated from the training part; None where no ``group_field`` is set and none is needed.
        fingerprint: a hash of the ids, groups and training clicks, by which a checkpoint knows its data.
        training_part: the part of the dataset that models are trained on.
    """

    def _download(self) -> None:
        download(self, super()._download)

    def token2id(self, field: str, tokens):
        """As RecBole's: the ids of a token, or of several.

        Raises:
            DecRSError: there is no such token.
        """
        if isinstance(tokens, str) and tokens not in self.field2token_id[field]:
            raise DecRSError(
                f"{field}: {self.dataset_name} has no {tokens!r} left after its filters"
                + (did_you_mean(tokens, self.field2token_id[field]) or f"; take a {field} of its files")
            )
        return super().token2id(field, tokens)

    def build(self) -> list:
        """RecBole's split, on histories in the order of float64 time, and the Confounder of its training part.

        Raises:
            DecRSError: the groups or the time that the configuration needs are not in the data.
        """
        has_time = self.time_field in self.inter_feat
        self._check_order(has_time)
        self._check_samples()
        parts, clicks, orders = self._split(has_time)
        self._check_features_for_full_sort()
        self._count_clicks_of_the_unknown(clicks)

        confounder = self._estimate(clicks, orders if has_time else None)
        fingerprint = self._hash(clicks)
        for part in [self, *parts]:
            part.confounder, part.fingerprint, part.training_part = confounder, fingerprint, parts[0]
        return parts

    def _split(self, has_time: bool) -> tuple[list, list[Clicks], list[np.ndarray]]:
        """Split histories as RecBole, in the order of float64 time: the parts, and the clicks and order of each."""
        self._add_click_order(has_time)
        parts = super().build()
        self._leave_out_labels_of(parts)
        orders = [part.inter_feat[CLICK_ORDER].numpy() for part in parts]
        for part in [self, *parts]:
            part.inter_feat.drop(CLICK_ORDER)
        for properties in (self.field2type, self.field2source, self.field2seqlen):
            del properties[CLICK_ORDER]
        return parts, [self._clicks(part) for part in parts], orders

    def _count_clicks_of_the_unknown(self, clicks: list[Clicks]) -> None:
        """Clicks of the other parts by users of whom the training part has none."""
        if self.config["MODEL_TYPE"] == ModelType.SEQUENTIAL:  # it learns of users from the sequences before a click
            return
        known = np.bincount(clicks[0][0], minlength=self.user_num) > 0
        for name, (users, _) in zip(("validation", "test"), clicks[1:], strict=False):
            n_clicks, n_unknown = int((users > 0).sum()), int((~known[users[users > 0]]).sum())
            if n_unknown:
                self.logger.warning(
                    f"{n_unknown} of {n_clicks} {name} clicks of {self.dataset_name} are by users without a training "
                    "click, of whom nothing has been learnt"
                )

    def _check_samples(self) -> None:
        """Refuse what would fill any memory: many times more items for a click than there are."""
        training = self.config["train_neg_sample_args"]
        wanted = {f"train_neg_sample_args, {key}": training[key] for key in ("sample_num", "candidate_num")}
        for phase, mode in self.config["eval_args"]["mode"].items():
            wanted[f"eval_args, mode of {phase}"] = mode[3:]  # of uni100
        for where, number in wanted.items():
            if str(number).isdigit() and int(number) > max(MOST_SAMPLES, self.item_num):
                raise DecRSError(
                    f"{where}: {number} items are to be sampled for a click, and {self.dataset_name} has "
                    f"{self.item_num - 1}; take fewer"
                )

    def _check_order(self, has_time: bool) -> None:
        if has_time or self.config["eval_args"]["order"] != "TO" or self.benchmark_filename_list is not None:
            return
        if "eval_args" in self.config.external_config_dict:
            raise DecRSError(
                f"eval_args asks for the order of time (TO), but the .inter file of {self.dataset_name} has no loaded "
                f"column {self.time_field}; set TIME_FIELD and load_col, or order: RO"
            )
        self.logger.warning(
            f"{self.dataset_name} has no loaded column {self.time_field}, so it is split at random, not by time"
        )
        self.config.change("eval_args", {**self.config["eval_args"], "order": "RO"})

    def _places_by_time(self) -> np.ndarray:
        """Rows of the clicks in the order of time; RecBole keeps times as float32, 64 s apart for Unix times."""
        times = np.array([np.ravel(time)[0] for time in self.inter_feat[self.time_field]], dtype=np.float64)
        return np.argsort(times, kind="stable")

    def _add_click_order(self, has_time: bool) -> None:
        """Sort clicks, and write down their places, while their times are float64."""
        by_time = self._places_by_time() if has_time else np.arange(len(self.inter_feat))
        place = np.empty(len(by_time), dtype=np.int64)
        place[by_time] = np.arange(len(by_time))
        self.inter_feat[CLICK_ORDER] = place
        if self.config["eval_args"]["order"] == "TO" and self.benchmark_filename_list is None:
            self.inter_feat = self.inter_feat.iloc[by_time].reset_index(drop=True)
        self.set_field_property(CLICK_ORDER, FeatureType.TOKEN, FeatureSource.INTERACTION, 1)

    def _clicks(self, part) -> Clicks:
        """Users and items of the positive interactions of a part; what is no click is marked by user 0."""
        users, items = part.inter_feat[self.uid_field].numpy(), part.inter_feat[self.iid_field].numpy()
        if self.label_field in part.inter_feat:
            users = np.where(part.inter_feat[self.label_field].numpy() > 0, users, 0)
        return users, items

    def item_clicks(self) -> np.ndarray:
        """How often each item is clicked in this part, shape [n_items]."""
        users, items = self._clicks(self)
        return np.bincount(items[users > 0], minlength=self.item_num)

    def _estimate(self, clicks: list, orders: list[np.ndarray] | None) -> Confounder | None:
        """The Confounder of the training part; None where no ``group_field`` is set and none is needed."""
        config = self.config
        self._check_what_is_needed(has_time=orders is not None)
        if config["group_field"] is None:
            return None
        names, membership = self._read_membership()
        users, items = clicks[0]
        history = None if orders is None else self._history(clicks, orders)
        try:
            confounder = estimate_confounder(
                names,
                membership,
                users[users > 0],
                items[users > 0],
                self.user_num,
                history,
                config["drift_smoothing"],
                config["drift_periods"],
            )
        except ValueError as error:
            raise DecRSError(
                f"{error}: the items of the training part of {self.dataset_name} have no value in the group field "
                f"{config['group_field']}, or the part is empty; take another column or split"
            ) from error
        if config.needs_drift and history is not None and not confounder.drifting.any():
            raise DecRSError(
                f"no user of {self.dataset_name} has the {config['drift_periods']} training clicks on grouped items "
                "that drift_periods asks for, so nobody has a drift; "
                + ("lower it, or " if config["drift_periods"] > 2 else "take more data, or ")
                + "set fusion_weight"
            )
        if config.needs_drift and history is not None and confounder.one_drift:
            alphas = config["drift_alpha_grid"] if config["drift_alpha"] == "auto" else [config["drift_alpha"]]
            self.logger.warning(one_drift_remark(self.dataset_name, alphas))
        return confounder

    def _check_what_is_needed(self, has_time: bool) -> None:
        config = self.config
        if config["group_field"] is None and config.needs_groups:
            path = self._item_path()
            columns = atomic_file(config, path).columns if os.path.isfile(path) else ()
            others = [column for column in columns if column != self.iid_field]
            raise DecRSError(
                f"group_field is not set, and {config.needs_groups} needs item groups; set it to a column of {path}"
                + (f" ({', '.join(others)})" if others else "")
            )
        if not has_time and config.needs_drift:
            raise DecRSError(
                f"fused inference needs the drift of each user, and the .inter file of {self.dataset_name} has no "
                f"loaded column {self.time_field}; set TIME_FIELD and load_col, or fusion_weight, or "
                "inference: deconfounded"
            )

    def _read_membership(self) -> tuple[tuple[str, ...], np.ndarray]:
        config, path = self.config, self._item_path()
        if not os.path.isfile(path):
            raise DecRSError(
                f"group_field: the item groups are read from {path}, which is not there; add it, or leave out CKL and "
                "DecRS"
            )
        names, membership = read_membership(
            atomic_file(config, path),
            self.iid_field,
            config["group_field"],
            self.field2token_id[self.iid_field],
            config["group_format"],
            config["seq_separator"],
        )
        membership = membership[: self.item_num]
        groupless = int((membership[1:].sum(axis=1) == 0).sum())
        if groupless:
            self.logger.warning(
                f"{groupless} of {self.item_num - 1} items have no value in the group field {config['group_field']}, "
                f"or no row in {os.path.basename(path)}; they are left out of the users' distributions"
            )
        return names, membership

    def _history(self, clicks: list, orders: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        """The clicks that drift is measured on, in the order of time."""
        n_parts = 2 if self.config["drift_history"] == "train+valid" else 1
        users, items = (np.concatenate(arrays[:n_parts]) for arrays in zip(*clicks, strict=True))
        by_time = np.argsort(np.concatenate(orders[:n_parts]), kind="stable")
        by_time = by_time[users[by_time] > 0]
        return users[by_time], items[by_time]

    def _item_path(self) -> str:
        return os.path.join(self.dataset_path, f"{self.dataset_name}.item")

    def _hash(self, clicks: list[Clicks]) -> str:
        """Of what gives a model's parameters their meaning: ids, features, and the clicks of each part."""
        digest = hashlib.sha256()
        for field in sorted(self.field2id_token):
            digest.update(f"{field}:{chr(0).join(map(str, self.field2id_token[field]))}".encode())
        for features in (self.user_feat, self.item_feat):
            for field in sorted(features or ()):
                digest.update(field.encode() + features[field].numpy().tobytes())
        for users, items in clicks:
            digest.update(np.sort(users.astype(np.int64) * self.item_num + items).tobytes() + b"|")
        return digest.hexdigest()

    def _check_features_for_full_sort(self) -> None:
        """A context-aware model must not need a feature that pairs which never met do not have."""
        embedded = [
            field
            for field in self.fields(source=[FeatureSource.INTERACTION])
            if field != self.label_field
            and ("token" in self.field2type[field].value or field in self.config["numerical_features"])
        ]
        full_sort = "full" in self.config["eval_args"]["mode"].values()
        if full_sort and self.config["MODEL_TYPE"] == ModelType.CONTEXT and embedded:
            raise DecRSError(
                f"the .inter columns {', '.join(embedded)} are features of an interaction, which full sort cannot "
                "give to pairs that never met; leave them out of load_col and numerical_features"
            )


class DecRSDataset(ConfounderMixin, recbole_datasets.Dataset):
    """RecBole's Dataset with a Confounder."""


class DecRSKnowledgeBasedDataset(ConfounderMixin, recbole_datasets.KnowledgeBasedDataset):
    """RecBole's KnowledgeBasedDataset with a Confounder."""

    def _filter_link(self) -> None:
        n_clicks = len(self.inter_feat)
        super()._filter_link()
        if self.inter_feat.empty:
            raise DecRSError(
                f"no item of {self.dataset_name}.inter has an entity of {self.dataset_name}.kg by "
                f"{self.dataset_name}.link; write ids in the same way in all three"
            )
        if without := n_clicks - len(self.inter_feat):
            self.logger.warning(
                f"{without} of {n_clicks} clicks are on items without an entity in {self.dataset_name}.link: they are "
                "left out, as RecBole's knowledge-based models need one"
            )
