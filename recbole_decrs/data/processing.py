"""Processes the tables of a RecBole Dataset as RecBole does, and counts each row or cell that is lost or made up."""

from __future__ import annotations

import numpy as np

from recbole_decrs.data.columns import check_columns_in_keys
from recbole_decrs.data.inter_counts import Side, places_within
from recbole_decrs.data.labels import are_labelled, check_labels, label_0_is_no_click, leave_out_label_0
from recbole_decrs.data.loading import as_recbole_reads
from recbole_decrs.data.missing_cells import check_times, check_unrated, tell_missing_cells
from recbole_decrs.data.rows import (
    check_ids_of_split_files,
    check_rows_are_left,
    count_clicks_without_rows,
    count_ids_without_additional_rows,
    intervals_as_read,
    leave_out_rows_without_id,
)

WITHOUT_FEATURES = "they have no features and groups"
"""What becomes of a click whose user or item has no row of its own, unless it is left out."""


class CountedLossesMixin:
    """Lets a RecBole Dataset tell what it leaves out and makes up, which RecBole does in silence.

    It goes over these methods of RecBole's:

    - ``_data_processing``, to see before it that the keys fit the columns that were loaded;
    - ``_data_filtering``, to tell how many clicks are left;
    - ``_filter_nan_user_or_item``, to leave out interactions of label 0 as well;
    - ``_filter_by_field_value``, in which no token, as they are text, equals a value that is a number;
    - ``_filter_by_inter_num``, whose Counters are Python for each interaction in each round; the same rows are left;
    - ``_reset_index``, to tell which filter has left nothing;
    - ``_remap_ID_all``, to make text and arrays of what large files are read as, once they are filtered;
    - ``_fill_nan``, which takes the mean also for a time or a rating.
    """

    def _data_processing(self) -> None:
        check_columns_in_keys(self)
        count_ids_without_additional_rows(self)
        if self.benchmark_filename_list is not None:
            check_ids_of_split_files(self)
            count_clicks_without_rows(self, WITHOUT_FEATURES)
        if are_labelled(self):
            check_labels(self)
        super()._data_processing()

    def _data_filtering(self) -> None:
        n_rows = len(self.inter_feat)
        super()._data_filtering()
        if len(self.inter_feat) < n_rows:
            self.logger.info(f"{n_rows} rows of {self.dataset_name}.inter, {len(self.inter_feat)} after filtering")

    def _filter_nan_user_or_item(self) -> None:
        leave_out_rows_without_id(self)
        if label_0_is_no_click(self):
            leave_out_label_0(self)
        left_out = self.config["filter_inter_by_user_or_item"]
        count_clicks_without_rows(self, "they are left out" if left_out else WITHOUT_FEATURES)

    def _filter_by_field_value(self) -> None:
        configured = self.config
        self.config = configured.with_values(val_interval=intervals_as_read(self) or None)
        try:
            super()._filter_by_field_value()
        finally:
            self.config = configured

    def _filter_by_inter_num(self) -> None:
        sides = {}
        for name, field in (("user", self.uid_field), ("item", self.iid_field)):
            intervals = self._parse_intervals_str(self.config[f"{name}_inter_num_interval"])
            if len(intervals or ()) > 1:
                self.logger.warning("More than one interval of interaction number are given!")
            feat = getattr(self, f"{name}_feat")
            sides[name] = Side.of(self.inter_feat[field], None if feat is None else feat[field], intervals)
        places = places_within(sides["user"], sides["item"])
        if len(places) < len(self.inter_feat):
            self.inter_feat = self.inter_feat.iloc[places].copy()
        for name, side in sides.items():
            if not side.is_left.all():
                setattr(self, f"{name}_feat", getattr(self, f"{name}_feat")[side.is_left].copy())

    def _remap_ID_all(self) -> None:
        for name in self.feat_name_list:
            as_recbole_reads(getattr(self, name))
        super()._remap_ID_all()

    def _reset_index(self) -> None:
        check_rows_are_left(self)
        super()._reset_index()

    def _fill_nan(self) -> None:
        check_times(self)
        tell_missing_cells(self)
        rating = self.config["RATING_FIELD"]
        unrated = self.inter_feat[rating].isna() if rating in self.inter_feat else None
        super()._fill_nan()
        if unrated is not None and unrated.any():
            check_unrated(self, int(unrated.sum()))
            self.inter_feat.loc[unrated, rating] = np.nan
