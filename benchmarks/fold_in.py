"""Recall of new users who are folded in by their clicks, beside that of a model that was trained on these clicks.

For each seed a fifth of the users of MovieLens-100K is held out, and a model is trained without them. They are folded
in with the clicks that are their training part, and ranked for among the items that they have in neither training nor
validation; the same users and candidates are ranked for by a model that was trained on everybody.
"""

import os
import shutil
import tempfile
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

import numpy as np
import pandas as pd
from common import arguments, environment, quiet

RANKINGS = ("conventional", "deconfounded", "fused")
SHARE = 0.2
FEW = 5


def main() -> None:
    """Print a table with a row for each model, ranking and number of clicks."""
    chosen = arguments(__doc__, models="DecFM,DecNFM", seeds=3, k=20, epochs=300, stopping_step=10, folder="")
    quiet()
    folder = Path(chosen.folder or tempfile.mkdtemp())
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for model in chosen.models.split(","):
        for seed in range(chosen.seeds):
            settings = {key: getattr(chosen, key) for key in ("epochs", "stopping_step")}
            rows += compare(model, seed, folder, chosen.k, settings)
            print(pd.DataFrame(rows[-2 * len(RANKINGS) :]).to_string(index=False, header=False), flush=True)
    table = pd.DataFrame(rows).groupby(["model", "ranking", "clicks"], sort=False).mean().drop(columns="seed")
    table["folded in / trained"] = table["folded in"] / table["trained"]
    print(f"\nRecall@{chosen.k}, mean of {chosen.seeds} seeds\n")
    print(table.round(4).reset_index().to_markdown(index=False))
    print(f"\n{environment()}")
    if not chosen.folder:
        shutil.rmtree(folder)


def compare(model: str, seed: int, folder: Path, k: int, settings: dict[str, int]) -> list[dict[str, object]]:
    """Train with and without the users that a seed holds out, and measure both for these."""
    from recbole_decrs.serving import Recommender

    source, table = original()
    users = np.sort(table["user_id:token"].unique())
    held_out = set(np.random.default_rng(seed).permutation(users)[: int(SHARE * len(users))])
    reduced = folder / f"without-{seed}" / "ml-100k"
    if not reduced.exists():
        shutil.copytree(source, reduced)
        table[~table["user_id:token"].isin(held_out)].to_csv(reduced / "ml-100k.inter", sep="\t", index=False)
    settings = {"seed": seed, **settings}
    everybody = trained(model, folder / f"{model}-{seed}", settings)
    others = trained(model, folder / f"{model}-{seed}-without", {**settings, "data_path": str(reduced.parent)})
    rows = []
    for ranking in RANKINGS:
        whole = Recommender(everybody, {"inference": ranking})
        clicks = [clicks_of(part) for part in whole.known.parts]
        without = Recommender(others, {"inference": ranking, "data_path": str(reduced.parent)})
        known = set(without.dataset.field2token_id["item_id"])
        times = table.rename(columns=lambda name: name.partition(":")[0])[["user_id", "item_id", "timestamp"]]
        train, valid, test = (part[part["user_id"].isin(held_out) & part["item_id"].isin(known)] for part in clicks)
        asked = sorted(set(train["user_id"]) & set(test["user_id"]))
        by_training = whole.recommend(asked, k)
        hidden = int(valid.groupby("user_id").size().max())
        for name, given in (("all", train), (f"{FEW} at random", train.sample(frac=1, random_state=seed))):
            given = given if name == "all" else given.groupby("user_id").head(FEW)
            given = given.merge(times, on=["user_id", "item_id"])
            given = given.assign(user_id="new " + given["user_id"])
            lists = without.recommend(clicks=given, k=k + hidden + int(train.groupby("user_id").size().max()))
            lists = lists.assign(user_id=lists["user_id"].str.removeprefix("new "))
            lists = first(left_out(lists, pd.concat([train, valid])), k)
            rows.append(
                {
                    "model": model,
                    "seed": seed,
                    "ranking": ranking,
                    "clicks": name,
                    "users": len(asked),
                    "trained": recall(by_training, test, asked),
                    "folded in": recall(lists, test, asked),
                    "most popular": recall(popular_lists(clicks[0], held_out, train, valid, asked, k), test, asked),
                }
            )
    return rows


def original() -> tuple[Path, pd.DataFrame]:
    """Find the files of MovieLens-100K that RecBole ships, and read the clicks."""
    import recbole

    source = Path(recbole.__file__).parent / "dataset_example" / "ml-100k"
    return source, pd.read_csv(source / "ml-100k.inter", sep="\t", dtype=str)


def trained(model: str, folder: Path, settings: dict[str, object]) -> str:
    """Train a model, unless its folder has a checkpoint already, and return the path of that."""
    from recbole_decrs import run_recbole_decrs

    if found := sorted(folder.glob("*.pth")):
        return str(found[0])
    quietly = {"checkpoint_dir": str(folder), "report": False, "show_progress": False}
    here = Path.cwd()
    os.chdir(folder.parent)  # where logs go
    try:
        with redirect_stdout(StringIO()):
            result = run_recbole_decrs(model, "ml-100k", config_dict=settings | quietly)
        return os.path.abspath(result["saved_model_file"])
    finally:
        os.chdir(here)


def clicks_of(part) -> pd.DataFrame:
    """Give the clicks of a part of a dataset by token."""
    fields = ("user_id", "item_id")
    return pd.DataFrame({field: part.id2token(field, part.inter_feat[field].numpy()) for field in fields})


def popular_lists(clicks, held_out, train, valid, asked, k) -> pd.DataFrame:
    """List the items that most of the other users have clicked in training."""
    counts = clicks[~clicks["user_id"].isin(held_out)]["item_id"].value_counts().index
    pairs = pd.MultiIndex.from_product([asked, counts], names=["user_id", "item_id"]).to_frame(index=False)
    return first(left_out(pairs, pd.concat([train, valid])), k)


def left_out(lists: pd.DataFrame, clicks: pd.DataFrame) -> pd.DataFrame:
    """Take clicks out of lists."""
    merged = lists.merge(clicks.drop_duplicates(), on=["user_id", "item_id"], how="left", indicator=True)
    return merged[merged["_merge"] == "left_only"]


def first(lists: pd.DataFrame, k: int) -> pd.DataFrame:
    """Cut each user's list to k items."""
    return lists.groupby("user_id").head(k)


def recall(lists: pd.DataFrame, test: pd.DataFrame, asked: list[str]) -> float:
    """Compute the mean over the users asked for of the share of their test clicks that is listed."""
    hits = lists.merge(test, on=["user_id", "item_id"]).groupby("user_id").size()
    n_test = test[test["user_id"].isin(asked)].groupby("user_id").size()
    return float((hits.reindex(n_test.index).fillna(0) / n_test).mean())


if __name__ == "__main__":
    main()
