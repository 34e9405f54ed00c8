"""Sees that columns which keys name are there, are loaded, and have the type that the key asks for."""

from __future__ import annotations

from logging import getLogger

from recbole.utils import EvaluatorType

from recbole_decrs.data.atomic_files import AtomicFile
from recbole_decrs.errors import DecRSError, did_you_mean

KEYS_THAT_LOAD = ("RATING_FIELD", "TIME_FIELD", "USER_ID_FIELD", "ITEM_ID_FIELD", "LABEL_FIELD", "group_field")
"""Keys by which columns are loaded that ``load_col`` does not name."""
KEYS_OF_LOADED_COLUMNS = (
    "numerical_features",
    "normalize_field",
    "seq_len",
    "alias_of_user_id",
    "alias_of_item_id",
    "alias_of_entity_id",
    "alias_of_relation_id",
)
"""Keys that name loaded columns, of which RecBole passes over those that are not there."""
RECBOLES_LABEL = "label"
"""The default of ``LABEL_FIELD``, of which nobody says that the file has such a column."""


def check_ids_are_tokens(file: AtomicFile, config) -> None:
    """See that the columns of users and items, where a file has them, are of type ``token``.

    Raises:
        DecRSError: one is of another type.
    """
    for key in ("USER_ID_FIELD", "ITEM_ID_FIELD"):
        field = config[key]
        if file.columns.get(field, "token") != "token":
            raise DecRSError(
                f"{key}: column {field} of {file.path} is {file.columns[field]}, and must be token; mend the first "
                "line of the file"
            )


def check_columns_of_clicks(file: AtomicFile, load_col: set[str] | None, unload_col: set[str] | None, config) -> None:
    """See that users and items of an .inter file are loaded, and warn where a column of labels is not.

    Args:
        file: the .inter file.
        load_col: the columns that are loaded of it; None for all.
        unload_col: those that are not, for ``load_col`` of None.
        config: the configuration.

    Raises:
        DecRSError: users or items are not loaded.
    """
    for field in (config["USER_ID_FIELD"], config["ITEM_ID_FIELD"]):
        if load_col is not None and field not in load_col:
            raise DecRSError(f"load_col: inter must have {field} among its columns; add it")
    label, ranked = config["LABEL_FIELD"], config["eval_type"] == EvaluatorType.RANKING
    if ranked and label not in file.columns and label != RECBOLES_LABEL:
        getLogger().warning(
            f"LABEL_FIELD: {file.path} has no column {label}, so every row counts as a click"
            f"{did_you_mean(label, file.columns)}"
        )
    not_named, unloaded = load_col is not None and label not in load_col, label in (unload_col or ())
    if ranked and label in file.columns and (not_named or unloaded):
        key, said, remedy = (
            ("unload_col", "names", "take it out there") if unloaded else ("load_col", "does not name", "name it there")
        )
        getLogger().warning(
            f"{file.path} has the column {label}, which {key} {said}, so every row counts as a click; "
            f"{remedy} to leave out those of label 0"
            + ("" if file.columns[label] == "float" else f" (its type is {file.columns[label]}, and must be float)")
        )


def check_loaded_columns(file: AtomicFile, load_col: set[str] | None, unload_col: set[str] | None, config) -> None:
    """See that a file has the columns that are to be loaded of it, and those that are not.

    Raises:
        DecRSError: it lacks one; the message names the key that asks for it.
    """
    if config.names_columns:
        given = "load_col" in config.external_config_dict
        keys = {} if given else {config[key]: key for key in KEYS_THAT_LOAD}
        for name in sorted(load_col or ()):
            file.check_columns([name], keys.get(name, "load_col"))
    file.check_columns(sorted(unload_col or ()), "unload_col")


def check_types_are_those_of_other_parts(dataset, file: AtomicFile, names: list[str]) -> None:
    """See that columns of an .inter file have the types that they have in those of the parts loaded before it.

    Args:
        dataset: a RecBole Dataset that is loading its files.
        file: the .inter file of a part.
        names: of the columns that are loaded of it.

    Raises:
        DecRSError: one has another type.
    """
    for name in names:
        before = dataset.field2type.get(name)
        if before is not None and before.value != file.columns[name]:
            raise DecRSError(
                f"{file.path}: the column {name} is {file.columns[name]}, and {before.value} in the files of "
                "benchmark_filename before it; give it one type in the first lines of all"
            )


def check_features_have_names_of_their_own(dataset, file: AtomicFile, names: list[str], own_id: str) -> None:
    """See that no feature of users or items is called as a column of another file, or as the labels of training.

    RecBole joins all columns of a batch by name, so that one would stand where the other is meant.

    Args:
        dataset: a RecBole Dataset that is loading its files.
        file: the .user or .item file.
        names: of the columns that are loaded of it.
        own_id: the one that names its rows.

    Raises:
        DecRSError: one is.
    """
    config = dataset.config
    keys = {config[key]: key for key in ("LABEL_FIELD", "ITEM_ID_FIELD", "USER_ID_FIELD")}
    for name in names:
        if name == own_id:
            continue
        if name in keys:
            raise DecRSError(
                f"{file.path}: the column {name} is called as {keys[name]}, in whose place it would stand; call it "
                "otherwise in the file, or leave it out of load_col"
            )
        if name in dataset.field2source:
            raise DecRSError(
                f"{file.path}: the column {name} is called as one of the .{dataset.field2source[name].value} file, in "
                "whose place it would stand; call it otherwise in the file, or leave one of the two out of load_col"
            )


def check_columns_in_keys(dataset) -> None:
    """See that each column that a key names is loaded, and that those of numbers are numbers.

    Raises:
        DecRSError: one is not.
    """
    config, types = dataset.config, dataset.field2type
    named = {key: list(config[key] or ()) for key in KEYS_OF_LOADED_COLUMNS}
    for columns in (config["unused_col"] or {}).values():
        named.setdefault("unused_col", []).extend(columns)
    for ids, vectors in (config["preload_weight"] or {}).items():
        named.setdefault("preload_weight", []).extend([ids, vectors])
    named["discretization"] = list(config["discretization"] or ())
    for key, columns in named.items():
        for column in columns:
            if column not in types:
                raise DecRSError(
                    f"{key}: {dataset.dataset_name} has no loaded column {column}; name it in load_col, or leave it "
                    f"out{did_you_mean(column, list(types))}"
                )
            if key == "discretization" and column not in config["numerical_features"]:
                raise DecRSError(
                    f"{key}: {column} is not among numerical_features, which alone are put in buckets; add it"
                )
            if key == "numerical_features" and "float" not in types[column].value:
                raise DecRSError(
                    f"{key}: {column} of {dataset.dataset_name} is {types[column].value}, and must be float or "
                    "float_seq; leave it out"
                )
