"""Does a method put the groups of the history into lists more often than others, at equal ratings (Figure 1b)?

Give the options of a comparison that has ended, with its trained models in its folder:

    python benchmarks/amplification.py --backbones=FM --methods=decrs,calibration --seeds=5 --output=results/ml-100k

Figure 1(b) of the paper compares the scores of a model; a re-ranker has lists alone. So here it is counted how many of
the pairs of a user and an item that are rated and not clicked in training or validation stand in the list of top k, by
the rating and by the share of the item's groups in the user's history, in fifths of the shares. A method amplifies less
than another if its rates, at one rating, rise less from the small shares to the large.
"""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats

from recbole_decrs.arguments import parse
from recbole_decrs.compare.configurations import Configurations
from recbole_decrs.compare.data_cache import DataCache
from recbole_decrs.compare.experiment import Experiment
from recbole_decrs.compare.methods import METHODS, title
from recbole_decrs.compare.outputs.pairs import AGAIN
from recbole_decrs.compare.pieces import Pieces
from recbole_decrs.compare.plan import plan_of
from recbole_decrs.compare.ratings import curves_of_pairs, rated_pairs
from recbole_decrs.compare.significance import holm
from recbole_decrs.config_files import config_files_of
from recbole_decrs.errors import DecRSError
from recbole_decrs.files import replaced_whole
from recbole_decrs.log import quiet_libraries
from recbole_decrs.plain_values import read_literal
from recbole_decrs.tables import as_markdown

PAIRS = ["rating", "pairs", "share"]
METHOD = ["backbone", "seed", "method"]
COLUMNS = [*PAIRS, "score", "error", *METHOD, "piece"]
"""The columns of amplification.csv; ``piece`` names what the comparison measured of the method, by its settings."""


def check_trained(experiment: Experiment, methods: list[str]) -> None:
    """Refuse a folder that lacks a model of the methods."""
    models = experiment.models
    needed = [model for name in methods for _, model in models.of_method(name)]
    if any(METHODS[name].ranks_by_backbone for name in methods):
        needed.append(models.conventional)
    if lacking := sorted({model.name for model in needed if not models.trained(model)}):
        raise DecRSError(
            f"output: {experiment.pieces.folder} lacks the trained {', '.join(lacking)}; run recbole-decrs compare "
            "with these options, in a folder that has not measured them yet"
        )


def read(path: str) -> pd.DataFrame:
    """Read the rates that an earlier call left; the frame is empty where there is no file."""
    if not Path(path).exists():
        return pd.DataFrame(columns=COLUMNS)
    try:
        return pd.read_csv(path, keep_default_na=False, na_values={"error": [""]})[COLUMNS]
    except (ValueError, LookupError) as error:  # empty, no text, or without these columns
        raise DecRSError(f"output: {path} is no table of rates; move it elsewhere") from error


def to_count(frame: pd.DataFrame, experiment: Experiment, methods: list[str], path: str) -> list[str]:
    """Name the methods of which a file has no rates; refuse one that has them of a method with other settings."""
    left = [name for name in methods if experiment.path(name).name not in set(frame["piece"])]
    there = frame[METHOD].values.tolist()
    for name in left:
        method = [experiment.backbone, experiment.seed, title(experiment.backbone, name)]
        if method in there:
            raise DecRSError(
                f"output: {path} has rates of {method[2]} over {method[0]}, seed {method[1]}, with other settings; "
                "give the settings they are of, or move it elsewhere"
            )
    return left


def added(frame: pd.DataFrame, found: pd.DataFrame, path: str) -> pd.DataFrame:
    """Add the rates of a method to those of a file; refuse to where these are of other pairs, not to be compared."""
    for _, there in frame.groupby("piece", sort=False):
        ours, theirs = (one[PAIRS].to_numpy(dtype=float) for one in (found, there))
        if ours.shape != theirs.shape or not np.allclose(ours, theirs, rtol=1e-4):
            raise DecRSError(f"output: {path} has rates of other pairs of users and items; move it elsewhere")
    return pd.concat([frame, found], ignore_index=True) if len(frame) else found


def open_pairs(experiment: Experiment) -> pd.DataFrame:
    """List the rated pairs of test users whose items are no clicks of training or validation: user, item, rating."""
    data = experiment.data
    pairs, valid = rated_pairs(experiment.config, data.part), data.valid.dataset
    if pairs is None:
        raise DecRSError(f"dataset: {experiment.config['dataset']} has no ratings outside training to be equal")
    of_test = np.unique(data.test.dataset.inter_feat[valid.uid_field].numpy())
    clicked = valid.inter_feat[valid.uid_field].numpy() * valid.item_num + valid.inter_feat[valid.iid_field].numpy()
    kept = pairs["user"].isin(of_test) & ~(pairs["user"] * valid.item_num + pairs["item"]).isin(clicked)
    return pairs[kept].reset_index(drop=True)


def rates(experiment: Experiment, method: str, pairs: pd.DataFrame) -> pd.DataFrame:
    """Count how many of the pairs are in the lists of a method: columns rating, pairs, share and score, the rate."""
    lists, n_items = experiment.choice_of(method).test, experiment.data.part.item_num
    users, items = (lists.get(key).numpy() for key in ("rec.users", "rec.items"))
    listed = (users[:, None] * n_items + items)[lists.get("rec.ranked").numpy()]

    def is_listed(of_users: np.ndarray, of_items: np.ndarray) -> np.ndarray:
        return np.isin(of_users * n_items + of_items, listed).astype(float)

    return curves_of_pairs(pairs, experiment.data.part, is_listed)


def ratios(frame: pd.DataFrame) -> pd.DataFrame:
    """Divide the rate of the largest shares by that of the smallest: a row a method and seed, a column a rating."""
    by_share = frame.sort_values("share").groupby(["method", "seed", "rating"], sort=False)["score"]
    return (by_share.last() / by_share.first()).unstack("rating").sort_index(axis=1, ascending=False)


def against_backbone(of_all: pd.DataFrame, backbone: str, methods: list[str]) -> dict[str, str]:
    """Test over the seeds how many percent ratios of methods, geometric means over ratings, are from the backbone's.

    Returns:
        The change, its 95% interval and p by the t-test over seeds, corrected by Holm over the methods; by method. The
        backbone with other seeds, whose difference is chance, has no p and takes no part in the correction.
    """
    again = title(backbone, AGAIN)
    with np.errstate(divide="ignore"):  # where nothing of a share is listed there is no test
        logs = np.log(of_all.astype(float)).mean(axis=1, skipna=False)
    found = {}
    for method in methods:
        changes = (logs.loc[method] - logs.loc[backbone].reindex(logs.loc[method].index)).to_numpy()
        if len(changes) > 1 and np.isfinite(changes).all() and np.ptp(changes):
            test = stats.ttest_1samp(changes, 0)
            ends = (changes.mean(), *test.confidence_interval(0.95))
            found[method] = [100 * np.expm1(end) for end in ends], test.pvalue
    tested = [method for method in found if method != again]
    corrected = dict(zip(tested, holm([found[method][1] for method in tested]), strict=True))
    texts = {method: ", p < 0.01" if p < 0.01 else f", p {p:.2f}" for method, p in corrected.items()}
    form = "{:+.1f} [{:+.1f}, {:+.1f}]"
    return {method: form.format(*ends) + texts.get(method, "") for method, (ends, _) in found.items()}


def table(frame: pd.DataFrame, backbone: str) -> str:
    """Write the ratios over a backbone, least and most over the seeds, how many are below its own, and a test."""
    of_all = ratios(frame[frame["backbone"] == backbone])
    rows, methods = [], list(dict.fromkeys(frame.loc[frame["backbone"] == backbone, "method"]))
    tested = against_backbone(of_all, backbone, [method for method in methods if method != backbone])
    for method in methods:
        seeds = of_all.loc[method]
        below = (seeds < of_all.loc[backbone].reindex(seeds.index)).sum()
        ends = (map("{:.2f}".format, pair) for pair in zip(seeds.min(), seeds.max(), strict=True))
        counts = "" if method == backbone else ", ".join(map(str, below))
        cells = [" to ".join(dict.fromkeys(pair)) for pair in ends]
        rows.append([method, len(seeds), *cells, counts, tested.get(method, "")])
    heads = [*(f"rating {rating:g}" for rating in of_all), f"below {backbone}", f"% from {backbone}"]
    return as_markdown(rows, ["", "seeds", *heads])


def main(arguments: list[str]) -> None:
    """Count for each backbone, seed and method that the file lacks, write after each, and print the tables."""
    if {"-h", "--help"} & set(arguments):
        print(__doc__)
        return
    settings = parse(arguments)
    needed = ("backbones", "methods", "seeds", "output")
    if missing := [name for name in needed if name not in settings]:
        raise DecRSError(f"--{missing[0]} is missing; give what the comparison was made with")
    given = {name: settings.pop(name) for name in needed}
    backbones, methods = given["backbones"].split(","), given["methods"].split(",")
    files, dataset = config_files_of(settings), settings.pop("dataset", None)
    configure = Configurations(dataset, files, None, settings)
    path = f"{given['output']}/amplification.csv"
    frame = read(path)
    with quiet_libraries():
        plan = plan_of(backbones, methods, read_literal(given["seeds"]), configure)
        pieces, cache = Pieces(f"{given['output']}/pieces"), DataCache()
        for backbone, names in plan.methods.items():
            for seed in plan.seeds:
                experiment = Experiment(backbone, seed, configure, pieces, cache)
                left = to_count(frame, experiment, names, path)
                check_trained(experiment, left)
                pairs = open_pairs(experiment) if left else None
                for name in left:
                    about = {"backbone": backbone, "seed": seed, "method": title(backbone, name)}
                    found = rates(experiment, name, pairs).assign(**about, piece=experiment.path(name).name)
                    frame = added(frame, found, path)
                    with replaced_whole(path) as file:
                        frame.to_csv(file, index=False, float_format="%.6g", lineterminator="\n")
    for backbone in plan.methods:
        print(f"\nrate of the largest shares / of the smallest\n\n{table(frame, backbone)}")


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except DecRSError as error:
        sys.exit(str(error))
