"""Leaves out interactions of label 0, which are no clicks, where RecBole's ranking would take them for some."""

from __future__ import annotations

from logging import getLogger

from recbole.utils import EvaluatorType, FeatureType, ModelType

from recbole_decrs.errors import DecRSError


def are_labelled(dataset) -> bool:
    """Tell if the interactions of a dataset have labels and are ranked, so that only those of label 1 are clicks."""
    return dataset.label_field in dataset.inter_feat and dataset.config["eval_type"] == EvaluatorType.RANKING


def label_0_is_no_click(dataset) -> bool:
    """Tell if interactions of label 0 are to be left out everywhere.

    A context-aware model without negative sampling is trained by the labels instead, and keeps them in training.
    """
    return are_labelled(dataset) and not _is_used_by_labels(dataset, 0)


def check_labels(dataset) -> None:
    """See that labels are 0 and 1.

    Args:
        dataset: a RecBole Dataset with labels.

    Raises:
        DecRSError: they are not.
    """
    field, name = dataset.label_field, dataset.dataset_name
    labels, kind = dataset.inter_feat[field], dataset.field2type[field]
    if kind != FeatureType.FLOAT:
        raise DecRSError(
            f"LABEL_FIELD: {field} of {name}.inter is {kind.value}, and must be float; mend the first line of the file"
        )
    if not labels.isin([0, 1]).all():
        wrong = labels[~labels.isin([0, 1])].iloc[0]
        raise DecRSError(
            f"LABEL_FIELD: {field} of {name}.inter must be 0 or 1, and is {wrong:g}; leave it out of load_col, or set "
            "LABEL_FIELD to another name"
        )


def leave_out_label_0(dataset) -> None:
    """Take interactions of label 0 out of a dataset that is not split yet, and count them.

    Raises:
        DecRSError: no other is left.
    """
    field, feat = dataset.label_field, dataset.inter_feat
    no_click = feat[field] == 0
    if no_click.all():
        raise DecRSError(f"LABEL_FIELD: no row of {dataset.dataset_name}.inter has {field} 1; check the column")
    if no_click.any():
        getLogger().warning(
            f"{int(no_click.sum())} of {len(feat)} interactions have {field} 0: they are no clicks and are left out"
        )
        feat.drop(index=feat.index[no_click], inplace=True)


def leave_out_label_0_of_parts(parts: list) -> None:
    """Take interactions of label 0 out of parts in which they would count as clicks, and count them.

    Of a split by RecBole, those of which none is a click are left out before it. Ready-made parts come as they are; and
    a part that is used by its labels keeps both.

    Args:
        parts: of a dataset: training, validation, test.

    Raises:
        DecRSError: no other is left to train on.
    """
    if parts[0].label_field not in parts[0].inter_feat:
        return
    for place, part in enumerate(parts):
        labels = part.inter_feat[part.label_field]
        if not _is_used_by_labels(part, place):
            if place == 0 and not (labels > 0).any():
                raise DecRSError(
                    f"LABEL_FIELD: no training row of {part.dataset_name} has {part.label_field} 1; check the column"
                )
            part.inter_feat = part.inter_feat[labels > 0]
            if n_left_out := int((labels <= 0).sum()):
                getLogger().warning(
                    f"{n_left_out} of {len(labels)} interactions of part {place + 1} of {part.dataset_name} have "
                    f"{part.label_field} 0: they are no clicks and are left out"
                )


def _is_used_by_labels(part, place: int) -> bool:
    """Tell if a part is trained by its labels, without negative samples, or evaluated as labelled pairs.

    Else negatives are drawn, and each row is a click.
    """
    config = part.config
    if place == 0:
        sampled = config["train_neg_sample_args"]["distribution"] != "none"
        return not sampled and config["MODEL_TYPE"] == ModelType.CONTEXT
    return config["eval_args"]["mode"][("valid", "test")[place - 1]] == "labeled"
