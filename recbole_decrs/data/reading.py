"""Reads the files of a RecBole Dataset, and counts each row or cell that is lost or made up."""

from __future__ import annotations

import os

import numpy as np
import pandas as pd
from recbole.utils import EvaluatorType, FeatureSource, FeatureType, ModelType

from recbole_decrs.data.atomic_files import AtomicFile
from recbole_decrs.data.group_cells import split_cells
from recbole_decrs.data.group_field import check_one_row_an_id
from recbole_decrs.errors import DecRSError, did_you_mean

COLUMNS_IN_KEYS = (
    "numerical_features",
    "normalize_field",
    "seq_len",
    "alias_of_user_id",
    "alias_of_item_id",
    "alias_of_entity_id",
    "alias_of_relation_id",
)
"""Keys that name loaded columns, of which RecBole passes over those that are not there."""


def atomic_file(config, path: str) -> AtomicFile:
    """The file of a dataset with these settings."""
    return AtomicFile(path, config["field_separator"], config["encoding"])


PADDING = "[PAD]"
"""RecBole's token of id 0, of no user and no item."""
RECBOLES_LABEL = "label"
"""The default of ``LABEL_FIELD``, of which nobody says that the file has such a column."""


class ReadingMixin:
    """Over a RecBole Dataset: what cannot be read with certainty is refused, and what is lost is counted."""

    # Files

    def _load_feat(self, filepath: str, source: FeatureSource | str) -> pd.DataFrame | None:
        """The loaded columns of a file, sequences as arrays; sets the properties of its fields, as RecBole's."""
        load_col, unload_col = self._get_load_and_unload_col(source)
        if load_col == set():
            return None
        file = atomic_file(self.config, filepath)
        for key, field in (("USER_ID_FIELD", self.uid_field), ("ITEM_ID_FIELD", self.iid_field)):
            if file.columns.get(field, "token") != "token":
                raise DecRSError(
                    f"{key}: column {field} of {filepath} is {file.columns[field]}, and must be token; mend the first "
                    "line of the file"
                )
        if source == FeatureSource.INTERACTION:
            self._check_interactions(file, load_col)
        if self.config.names_columns:
            keys = {} if "load_col" in self.config.external_config_dict else self._keys_of_columns()
            for name in sorted(load_col or ()):
                file.check_columns([name], keys.get(name, "load_col"))
        file.check_columns(sorted(unload_col or ()), "unload_col")
        names = [
            name for name in file.columns if (load_col is None or name in load_col) and name not in (unload_col or ())
        ]
        if not names:
            self.logger.warning(f"load_col: no column of {filepath} is loaded")
            return None
        table = file.read(names)
        if table.empty:
            raise DecRSError(f"{filepath} has no rows; check the file")
        for field in {self.uid_field, self.iid_field} & set(names):
            if (table[field] == PADDING).any():
                row = int((table[field] == PADDING).to_numpy().argmax())
                raise DecRSError(
                    f"{filepath}, line {row + 2}: {field} is {PADDING}, which RecBole takes for nobody; rename it"
                )
        if file.has_mark:
            self.logger.info(f"{filepath} begins with a byte-order mark and is read as {file.encoding}")
        if file.n_short:
            self.logger.warning(
                f"{file.n_short} lines of {filepath} have fewer cells than the first; the rest is empty"
            )
        for name in names:
            kind = FeatureType(file.columns[name])
            groups = None
            if source == FeatureSource.ITEM and name == self.config["group_field"]:
                groups = self._groups_of(table[name], kind, filepath)
            if groups is not None:
                kind, table[name] = FeatureType.TOKEN_SEQ, groups
            elif kind.value.endswith("seq"):
                table[name] = self._sequences(table[name], kind, f"column {name} of {filepath}")
            self._set_properties(name, kind, source)
            if kind.value.endswith("seq"):
                table[name] = self._cut(name, table[name])
        return self._one_row_an_id(table, source, filepath)

    def _check_interactions(self, file: AtomicFile, load_col: set[str] | None) -> None:
        for field in (self.uid_field, self.iid_field):
            if load_col is not None and field not in load_col:
                raise DecRSError(f"load_col: inter must have {field} among its columns; add it")
        label, ranked = self.label_field, self.config["eval_type"] == EvaluatorType.RANKING
        if ranked and label not in file.columns and label != RECBOLES_LABEL:
            self.logger.warning(
                f"LABEL_FIELD: {file.path} has no column {label}, so every row counts as a click"
                f"{did_you_mean(label, file.columns)}"
            )
        if ranked and load_col is not None and label in file.columns and label not in load_col:
            self.logger.warning(
                f"{file.path} has the column {label}, which load_col does not name, so every row counts as a click; "
                "name it there to leave out those of label 0"
                + ("" if file.columns[label] == "float" else f" (its type is {file.columns[label]}, and must be float)")
            )

    def _keys_of_columns(self) -> dict[str, str]:
        """The settings by which columns are loaded that ``load_col`` does not name."""
        keys = ("RATING_FIELD", "TIME_FIELD", "USER_ID_FIELD", "ITEM_ID_FIELD", "LABEL_FIELD", "group_field")
        return {self.config[key]: key for key in keys}

    def _set_properties(self, name: str, kind: FeatureType, source: FeatureSource | str) -> None:
        if source == "link":  # its columns are those of other files
            return
        self.field2source[name], self.field2type[name] = source, kind
        if not kind.value.endswith("seq"):
            self.field2seqlen[name] = 1
        if "float" in kind.value:
            self.field2bucketnum[name] = 2

    def _sequences(self, cells: pd.Series, kind: FeatureType, where: str) -> list[np.ndarray]:
        parts = [[part for part in cell.split(self.config["seq_separator"]) if part] for cell in cells.fillna("")]
        if kind == FeatureType.TOKEN_SEQ:
            return [np.array(part) for part in parts]
        try:
            return [np.array([float(value) for value in part]) for part in parts]
        except ValueError as error:
            raise DecRSError(f"{where} is float_seq, and holds what is no number ({error}); mend it") from error

    def _groups_of(self, cells: pd.Series, kind: FeatureType, path: str) -> list[np.ndarray] | None:
        """The groups of each item where RecBole would read cells otherwise, else None."""
        blank = self.config["seq_separator"] == " "
        # By another separator RecBole keeps the blanks beside it.
        as_recbole = {FeatureType.TOKEN: "single", FeatureType.TOKEN_SEQ: "space" if blank else None}
        if kind not in as_recbole:
            return None
        where = f"column {self.config['group_field']} of {path}"
        found = split_cells(
            cells.fillna("").tolist(), kind.value, self.config["group_format"], self.config["seq_separator"], where
        )
        return None if found.form == as_recbole[kind] else [np.array(names) for names in found.names]

    def _cut(self, name: str, sequences: pd.Series) -> list[np.ndarray]:
        longest = int(sequences.map(len).max())
        wanted = (self.config["seq_len"] or {}).get(name)
        self.field2seqlen[name] = min(wanted, longest) if wanted else longest
        return [sequence[: self.field2seqlen[name]] for sequence in sequences]

    def _one_row_an_id(self, table: pd.DataFrame, source: FeatureSource | str, path: str) -> pd.DataFrame:
        """Without rows that are there twice; refused where they differ, since RecBole would take the first of them."""
        field = {FeatureSource.USER: self.uid_field, FeatureSource.ITEM: self.iid_field}.get(source)
        if field is None or field not in table:
            return table
        again = check_one_row_an_id(table, field, path)
        if not again.any():
            return table
        self.logger.warning(
            f"{int(again.sum())} rows of {path} have the {field} of another row, and the same in all columns that are "
            "loaded; they are left out"
        )
        return table[~again].reset_index(drop=True)

    def _load_user_or_item_feat(self, token: str, dataset_path: str, source: FeatureSource, field_name: str):
        path = os.path.join(dataset_path, f"{token}.{source.value}")
        wanted = (self.config["load_col"] or {}).get(source.value)
        if wanted and self.config.names_columns and not os.path.isfile(path):
            raise DecRSError(f"load_col: there is no file {path}; leave {source.value} out of load_col")
        field = getattr(self, field_name)
        if wanted and wanted != "*" and field not in wanted and os.path.isfile(path):
            raise DecRSError(f"load_col: {source.value} must have {field} among its columns; add it")
        return super()._load_user_or_item_feat(token, dataset_path, source, field_name)

    # Rows

    def _data_processing(self) -> None:
        self._check_columns_in_keys()
        self._count_ids_without_additional_rows()
        if self.benchmark_filename_list is not None:
            for field in (self.uid_field, self.iid_field):
                if missing := int(self.inter_feat[field].isna().sum()):
                    raise DecRSError(
                        f"{missing} rows of the .inter files of {self.dataset_name} have no {field}; fill it in, or "
                        "drop them"
                    )
            self._count_clicks_without_rows("they have no features and groups")
        if self.label_field in self.inter_feat and self.config["eval_type"] == EvaluatorType.RANKING:
            self._check_labels()
        super()._data_processing()

    def _count_ids_without_additional_rows(self) -> None:
        """Users, items, ... of which an additional file, such as one of pre-trained embeddings, knows nothing."""
        ids = {"alias_of_user_id": ("inter", [self.uid_field]), "alias_of_item_id": ("inter", [self.iid_field])}
        if self.config["MODEL_TYPE"] == ModelType.KNOWLEDGE:
            ids["alias_of_entity_id"] = ("kg", [self.head_entity_field, self.tail_entity_field])
            ids["alias_of_relation_id"] = ("kg", [self.relation_field])
        for ending in self.config["additional_feat_suffix"] or ():
            feat, file = getattr(self, f"{ending}_feat"), f"{self.dataset_name}.{ending}"
            for key, (source, fields) in ids.items():
                known = pd.concat([getattr(self, f"{source}_feat")[field] for field in fields]).dropna()
                known = known.drop_duplicates()
                for column in set(self.config[key] or ()) & set(feat.columns):
                    without = known[~known.isin(feat[column])]
                    if without.empty:
                        continue
                    whose = f"{fields[0]} of {self.dataset_name}.{source}"
                    if len(without) == len(known):
                        raise DecRSError(
                            f"{key}: no {whose}, such as {without.iloc[0]!r}, has a row in {file}, whose {column} has "
                            f"such as {feat[column].iloc[0]!r}; write ids in the same way in both"
                        )
                    self.logger.warning(
                        f"{len(without)} of {len(known)} {whose}, such as {without.iloc[0]}, have no row in {file}, "
                        "and are 0 in what is preloaded"
                    )

    def _check_columns_in_keys(self) -> None:
        loaded = list(self.field2type)
        named = {key: list(self.config[key] or ()) for key in COLUMNS_IN_KEYS}
        for columns in (self.config["unused_col"] or {}).values():
            named.setdefault("unused_col", []).extend(columns)
        for ids, vectors in (self.config["preload_weight"] or {}).items():
            named.setdefault("preload_weight", []).extend([ids, vectors])
        for key, columns in named.items():
            for column in columns:
                if column not in self.field2type:
                    raise DecRSError(
                        f"{key}: {self.dataset_name} has no loaded column {column}; name it in load_col, or leave it "
                        f"out{did_you_mean(column, loaded)}"
                    )
                if key == "numerical_features" and "float" not in self.field2type[column].value:
                    raise DecRSError(
                        f"{key}: {column} of {self.dataset_name} is {self.field2type[column].value}, and must be "
                        "float or float_seq; leave it out"
                    )

    def _data_filtering(self) -> None:
        n_rows = len(self.inter_feat)
        super()._data_filtering()
        if len(self.inter_feat) < n_rows:
            self.logger.info(f"{n_rows} rows of {self.dataset_name}.inter, {len(self.inter_feat)} after filtering")

    def _filter_nan_user_or_item(self) -> None:
        for source, fields in (
            ("inter", (self.uid_field, self.iid_field)),
            ("user", (self.uid_field,)),
            ("item", (self.iid_field,)),
        ):
            feat = getattr(self, f"{source}_feat")
            for field in fields if feat is not None else ():
                missing = feat[field].isna()
                if missing.any():
                    self.logger.warning(
                        f"{int(missing.sum())} rows of {self.dataset_name}.{source} have no {field} and are left out, "
                        f"the first in line {feat.index[missing][0] + 2}"
                    )
                    feat.drop(index=feat.index[missing], inplace=True)
        if self._labels_are_no_clicks():
            self._leave_out_label_0()
        kept = not self.config["filter_inter_by_user_or_item"]
        self._count_clicks_without_rows("they have no features and groups" if kept else "they are left out")

    def _count_clicks_without_rows(self, what: str) -> None:
        """Clicks of users or on items that the .user or .item file does not have."""
        for source, field, who in (("user", self.uid_field, "by users"), ("item", self.iid_field, "on items")):
            feat = getattr(self, f"{source}_feat")
            if feat is None:
                continue
            without = ~self.inter_feat[field].isin(feat[field])
            if not without.any():
                continue
            one, file = self.inter_feat[field][without].iloc[0], f"{self.dataset_name}.{source}"
            if without.all():
                raise DecRSError(
                    f"no {field} of {self.dataset_name}.inter, such as {one!r}, has a row in {file}, which has such as "
                    f"{feat[field].iloc[0]!r}; write ids in the same way in both"
                )
            self.logger.warning(
                f"{int(without.sum())} of {len(self.inter_feat)} clicks are {who} without a row in {file}, such as "
                f"{one}: {what}"
            )

    def _labels_are_no_clicks(self) -> bool:
        """Whether interactions are clicks, or else no click where a label says so.

        A context-aware model without negative sampling is trained by the labels instead.
        """
        config = self.config
        if self.label_field not in self.inter_feat or config["eval_type"] != EvaluatorType.RANKING:
            return False
        sampled = config["train_neg_sample_args"]["distribution"] != "none"
        return sampled or config["MODEL_TYPE"] != ModelType.CONTEXT

    def _check_labels(self) -> None:
        labels, kind = self.inter_feat[self.label_field], self.field2type[self.label_field]
        if kind != FeatureType.FLOAT:
            raise DecRSError(
                f"LABEL_FIELD: {self.label_field} of {self.dataset_name}.inter is {kind.value}, and must be float; "
                "mend the first line of the file"
            )
        if not labels.isin([0, 1]).all():
            wrong = labels[~labels.isin([0, 1])].iloc[0]
            raise DecRSError(
                f"LABEL_FIELD: {self.label_field} of {self.dataset_name}.inter must be 0 or 1, and is {wrong:g}; leave "
                "it out of load_col, or set LABEL_FIELD to another name"
            )

    def _leave_out_label_0(self) -> None:
        no_click = self.inter_feat[self.label_field] == 0
        if no_click.all():
            raise DecRSError(
                f"LABEL_FIELD: no row of {self.dataset_name}.inter has {self.label_field} 1; check the column"
            )
        if no_click.any():
            self.logger.warning(
                f"{int(no_click.sum())} of {len(self.inter_feat)} interactions have {self.label_field} 0: they are no "
                "clicks and are left out"
            )
            self.inter_feat.drop(index=self.inter_feat.index[no_click], inplace=True)

    def _leave_out_labels_of(self, parts: list) -> None:
        """Leave the interactions of label 0 out of parts in which they would count as clicks.

        Of a split by RecBole, those of which none is a click are left out before it. Ready-made parts come as they are;
        and the training part of a model that is trained by labels keeps both.
        """
        config = self.config
        if self.label_field not in parts[0].inter_feat or config["eval_type"] != EvaluatorType.RANKING:
            return
        everywhere = self._labels_are_no_clicks()
        for place, part in enumerate(parts):
            labels = part.inter_feat[self.label_field]
            if everywhere or place > 0:
                part.inter_feat = part.inter_feat[labels > 0]
                if n_left_out := int((labels <= 0).sum()):
                    self.logger.warning(
                        f"{n_left_out} of {len(labels)} interactions of part {place + 1} of {self.dataset_name} have "
                        f"{self.label_field} 0: they are no clicks and are left out"
                    )

    def _filter_by_field_value(self) -> None:
        intervals = dict(self.config["val_interval"] or {})
        for field, interval in intervals.items():
            if field not in self.field2type:
                raise DecRSError(
                    f"val_interval: {self.dataset_name} has no loaded column {field}; name it in load_col, or leave it "
                    f"out{did_you_mean(field, self.field2type)}"
                )
            kind = self.field2type[field]
            if kind == FeatureType.FLOAT and isinstance(interval, str):
                self._count_without_value(field)
            elif kind == FeatureType.TOKEN and isinstance(interval, list):
                intervals[field] = list(map(str, interval))
            else:
                takes = {FeatureType.FLOAT: "an interval such as '[4,inf)'", FeatureType.TOKEN: "a list of values"}
                raise DecRSError(
                    f"val_interval: {field} of {self.dataset_name} is {kind.value} and takes "
                    f"{takes.get(kind, 'no values')}, not {interval!r}"
                )
        self.config["val_interval"] = intervals or None
        super()._filter_by_field_value()

    def _count_without_value(self, field: str) -> None:
        for feat in self.field2feats(field):
            if missing := int(feat[field].isna().sum()):
                self.logger.warning(
                    f"{missing} rows of {self.dataset_name} have no {field}, so val_interval leaves them out"
                )

    def _reset_index(self) -> None:
        for name in self.feat_name_list:
            if getattr(self, name).empty:
                raise DecRSError(
                    f"no row of {self.dataset_name}.{name.removesuffix('_feat')} is left after filtering; loosen "
                    "val_interval, user_inter_num_interval and item_inter_num_interval"
                )
        super()._reset_index()

    # Cells

    def _fill_nan(self) -> None:
        """As RecBole's, which takes the mean for missing numbers; but never for a time or a rating."""
        missing_time = int(self.inter_feat[self.time_field].isna().sum()) if self.time_field in self.inter_feat else 0
        if missing_time:
            raise DecRSError(
                f"{missing_time} rows of the .inter file of {self.dataset_name} have no {self.time_field}; fill it in, "
                "drop them, or leave the column out of load_col"
            )
        self._tell_missing_cells()
        rating = self.config["RATING_FIELD"]
        unrated = self.inter_feat[rating].isna() if rating in self.inter_feat else None
        super()._fill_nan()
        if unrated is not None and unrated.any():
            self._check_unrated(rating, int(unrated.sum()))
            self.inter_feat.loc[unrated, rating] = np.nan

    def _check_unrated(self, rating: str, n_unrated: int) -> None:
        keys = [
            key for key in ("threshold", "numerical_features", "normalize_field") if rating in (self.config[key] or ())
        ]
        if keys or self.config["normalize_all"]:
            raise DecRSError(
                f"{n_unrated} rows of the .inter file of {self.dataset_name} have no {rating}, which "
                f"{keys[0] if keys else 'normalize_all'} asks for; fill it in, or drop them by val_interval"
            )
        self.logger.warning(
            f"{n_unrated} of {len(self.inter_feat)} clicks have no {rating}; they count as clicks (val_interval on "
            f"{rating} would leave them out)"
        )

    def _tell_missing_cells(self) -> None:
        told, rating = [], self.config["RATING_FIELD"]
        for name in self.feat_name_list:
            feat = getattr(self, name)
            padding = 1 if name in ("user_feat", "item_feat") else 0  # the row of id 0
            for field in feat.columns:
                kind, cells = self.field2type[field], feat[field].iloc[padding:]
                if kind == FeatureType.TOKEN and (missing := int((cells == 0).sum())):
                    told.append(f"{field} in {missing} rows")
                elif kind == FeatureType.FLOAT and field != rating and (missing := int(cells.isna().sum())):
                    told.append(f"{field} in {missing} rows, for which RecBole takes the mean")
        if told:
            self.logger.warning(f"missing values in {self.dataset_name}: {', '.join(told)}")
