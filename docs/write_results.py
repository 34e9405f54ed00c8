"""Writes the tables of the pages of results/ml-1m from the CSV files beside them: python docs/write_results.py

A table stands between two comments, of which the first names it, as <!-- overall fm FM --> and <!-- end --> do; the
text around them is written by hand and stays as it is.
"""

import json
import re
from functools import partial
from pathlib import Path
from runpy import run_path

import pandas as pd

import trial_tables
from recbole_decrs.compare.methods import METHODS, title
from recbole_decrs.evaluator.report import title_of
from recbole_decrs.report.comparison.of_folder import results_of_folder
from recbole_decrs.report.comparison.paper import ROWS, papers_tables
from recbole_decrs.tables import as_markdown

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "results" / "ml-1m"
PAGES = sorted(FOLDER.glob("*.md"))
PAPERS = {"recall@10": "R@10", "recall@20": "R@20", "ndcg@10": "N@10", "ndcg@20": "N@20"}
METRICS = [*PAPERS, "ckl@20"]
WORDS = {
    "ips_three": "IPS, caps 2, 5 and 10 (three seeds)",
    "decrs_wo": "Dec{} alone (w/o inference)",
    "decrs": "**DecRS**",
    "decrs_authors": "DecRS, d̄ and start of the authors' code",
    "constant": "{0} and Dec{0} by one weight",
    "shuffled": "DecRS by the drift of other users",
    "ensemble": "two {}s, fused as DecRS",
    "ensemble_constant": "two {}s by one weight",
    "ensemble_equal": "two {}s, equal weights",
    "equal": "{0} and Dec{0}, equal weights",
    "other_seed": "{}, other seeds (A/A)",
    "confounded": "the confounded twin: d_u for d̄",
    "confounded_wo": "the confounded twin alone (w/o inference)",
    "by_user": "Dec{} trained with d_u, ranked with d̄",
    "free": "a free vector for M(d̄, u)",
    "wide": "one {}, twice as wide",
}
"""What methods are called here, where it is not their title; controls stand in this order."""

MODELS = {
    "decrs": "Dec{}",
    "decrs_product": "Dec{}, product (Eq. 7)",
    "decrs_authors": "Dec{}, authors' d̄ and start",
    "intervention": "Dec{}, Intervention",
    "by_user": "Dec{}, trained with d_u",
    "confounded": "the confounded twin of {}",
    "free": "the free vector over {}",
}
"""What the models of methods are called where they rank alone."""

MEASURED = {"share": "share of the scores' variance", "changed": "top 20 changed"}
"""What the columns of mechanism.csv that are no metrics hold."""

OPERATORS = [
    ("backbone", "{}", "{}"),
    ("decrs_product", "DecRS, elementwise product (Eq. 7)", "DecRS-EP"),
    ("decrs", "DecRS, operator of FM (Eq. 8)", "DecRS-FM"),
]
"""Methods of the two operators, what they are called here, and their rows in the paper's Table 5."""


def main() -> None:
    """Write the pages anew."""
    for path in PAGES:
        path.write_text(with_tables(path.read_text(encoding="utf-8")), encoding="utf-8")


def with_tables(text: str) -> str:
    """Put each table between the comments that name it."""

    def table(found: re.Match) -> str:
        make, folder, backbone = found[1].split()
        return f"<!-- {found[1]} -->\n{TABLES[make](folder, backbone)}\n<!-- end -->\n"

    names = "|".join(TABLES)
    return re.sub(rf"<!-- ((?:{names}) \S+ \S+) -->\n(?:\|.*\n)*<!-- end -->\n", table, text)


def both_candidates(folder: str, backbone: str) -> str:
    """Tabulate means with RecBole's candidates, then with those of the paper, then the paper's numbers.

    IPS, and methods that were measured later with the paper's candidates, have folders of their own.
    """
    as_paper = _overall(backbone, *(f"{folder}{name}-untrained" for name in ("", "-more", "-ips")))
    rows = []
    for method, cells in _overall(backbone, folder, f"{folder}-ips").items():
        of_paper = _printed(method, backbone)
        means = [cells[metric] for metric in ("recall@20", "ndcg@20", "ckl@20")]
        means += [as_paper[method][metric].split()[0] for metric in ("recall@20", "ndcg@20")]
        rows.append([_named(method, backbone), *means, of_paper.get("R@20", ""), of_paper.get("N@20", "")])
    heads = ["Recall@20", "NDCG@20", "CKL@20", "paper's candidates: R@20", "N@20", "paper: R@20", "N@20"]
    return as_markdown(rows, ["", *heads])


def beside_paper(folder: str, backbone: str) -> str:
    """Tabulate means and deviations over the seeds, with the paper's numbers at the right."""
    rows = []
    for method, cells in _overall(backbone, folder).items():
        of_paper = _printed(method, backbone)
        rows.append(
            [_named(method, backbone), *cells.values(), *(of_paper.get(short, "") for short in PAPERS.values())]
        )
    return as_markdown(rows, _heads_beside_paper())


def _printed(method: str, backbone: str) -> dict[str, str]:
    """Give a method's row in Table 3 of the paper; of the product, which that table lacks, in Table 5 (FM alone)."""
    printed, rows = papers_tables(), {**ROWS, "ips_three": "IPS"}
    if method == "decrs_product":
        operators = printed["table5"]["ML-1M"]
        return operators["DecRS-EP"] if backbone in operators else {}
    return printed["table3"][backbone]["ML-1M"].get(rows.get(method, ""), {})


def overall(folder: str, backbone: str) -> str:
    """Tabulate means and deviations over the seeds."""
    rows = [[_named(method, backbone), *cells.values()] for method, cells in _overall(backbone, folder).items()]
    return as_markdown(rows, ["", *map(title_of, METRICS)])


def by_drift(folder: str, backbone: str, metric: str = "recall@20", papers: str = "R@20") -> str:
    """Tabulate Recall@20, or another metric, of users with more than so much drift, beside Table 4 of the paper."""
    printed = papers_tables()["table4"][backbone]["ML-1M"]
    frame = pd.read_csv(FOLDER / folder / "table4.csv")
    frame = frame[(frame["backbone"] == backbone) & (frame["metric"] == metric)]
    titles = {"ensemble": f"two {backbone}s", "ensemble_equal": "half and half", "intervention": "Intervention"}
    others = [name for name in titles if name in set(frame["method"])]
    rows = []
    for (threshold, users), part in frame.groupby(["threshold", "users"]):
        mean = part.set_index("method")["mean"]
        gains = (f"{mean[name] / mean['backbone'] - 1:+.1%}" for name in ("decrs", *others))
        paper = printed.get(f"{threshold:g}", {}).get(papers, {})
        of_paper = [paper.get(name, "") for name in ("backbone", "DecRS", "%improv.")]
        here = [f"{mean['backbone']:.4f}", f"{mean['decrs']:.4f}", *gains]
        rows.append([f"over {threshold:g}", str(users), *here, *of_paper])
    heads = ["eta_u", "users", backbone, "DecRS", "gain", *(f"gain: {titles[name]}" for name in others)]
    return as_markdown(rows, [*heads, f"paper: {backbone}", "DecRS", "gain"])


def by_operator(folder: str, backbone: str) -> str:
    """Tabulate both operators of the backdoor adjustment, beside Table 5 of the paper."""
    printed = papers_tables()["table5"]["ML-1M"]
    cells = _overall(backbone, folder)
    rows = [
        [
            words.format(backbone),
            *cells[method].values(),
            *(printed[row.format(backbone)][short] for short in PAPERS.values()),
        ]
        for method, words, row in OPERATORS
    ]
    return as_markdown(rows, _heads_beside_paper())


def by_seed(folder: str, backbone: str) -> str:
    """Tabulate what each seed has: Recall@10 on validation of each model alone, and what DecRS gains on test."""
    record = json.loads((FOLDER / folder / "run.json").read_text(encoding="utf-8"))
    results = results_of_folder(FOLDER / folder, record)
    columns = [
        [score for outcome in results.all_seeds(backbone, model) for _, score in outcome.info["valid_scores"]]
        for model in ("backbone", "other_seed", "decrs_wo")
    ]
    columns += [results.values(backbone, method, "recall@20") for method in ("backbone", "decrs")]
    rows = [
        [str(seed), *map("{:.4f}".format, values), f"{values[-1] - values[-2]:+.4f}"]
        for seed, values in zip(results.seeds, zip(*columns, strict=True), strict=True)
    ]
    valid = [f"Recall@10 on validation: {backbone}", f"second {backbone}", f"Dec{backbone}"]
    return as_markdown(rows, ["seed", *valid, f"Recall@20 on test: {backbone}", "DecRS", "gain"])


def ranges(folder: str, column: str) -> str:
    """Tabulate from where to where the seeds of each model go, by what stands in the place of d.

    Metrics are taken as differences from what the model has as it ranks.
    """
    frame = pd.read_csv(FOLDER / folder / "mechanism.csv")
    cells = frame.pivot(index=["backbone", "method", "seed"], columns="in_m", values=column)
    ranked = cells.pop("as it ranks")
    shares = column in ("share", "changed")
    cells, form = (100 * cells, "{:.1f}") if shares else (cells.sub(ranked, axis=0), "{:+.4f}")
    columns = [name for name in frame["in_m"].unique() if name in cells]
    rows = []
    for backbone, method in frame[["backbone", "method"]].drop_duplicates().itertuples(index=False):
        of_model = cells.loc[backbone, method][columns]
        ends = (end.map(form.format, na_action="ignore").fillna("") for end in (of_model.min(), of_model.max()))
        texts = [" to ".join(dict.fromkeys(pair)) for pair in zip(*ends, strict=True)]
        rows.append([MODELS[method].format(backbone), len(of_model), *texts])
    unit = ", %" if shares else ""
    return as_markdown(rows, [f"{MEASURED.get(column) or f'change of {title_of(column)}'}{unit}", "seeds", *columns])


def amplification(folder: str, backbone: str) -> str:
    """Tabulate how much more often large shares stand in lists than small ones, by the table of the script itself."""
    script = run_path(str(ROOT / "benchmarks" / "amplification.py"))
    return script["table"](pd.read_csv(FOLDER / folder / "amplification.csv"), backbone)


TABLES = {
    "search": trial_tables.search,
    "trials": trial_tables.trials,
    "trial-rules": trial_tables.rules,
    "ranges": ranges,
    "amplification": amplification,
    "both-candidates": both_candidates,
    "beside-paper": beside_paper,
    "overall": overall,
    "by-drift": by_drift,
    "by-drift-ndcg": partial(by_drift, metric="ndcg@20", papers="N@20"),
    "by-operator": by_operator,
    "by-seed": by_seed,
}


def _heads_beside_paper() -> list[str]:
    of_paper = [f"{'paper: ' if short == 'R@10' else ''}{short}" for short in PAPERS.values()]
    return ["", *map(title_of, METRICS), *of_paper]


def _overall(backbone: str, *folders: str) -> dict[str, dict[str, str]]:
    """Format the means and deviations of each method over a backbone.

    A method in several folders is taken from the first. The first folder must be there, the others need not.
    """
    found: dict[str, dict[str, str]] = {}
    for folder in (folders[0], *(one for one in folders[1:] if (FOLDER / one).is_dir())):
        frame = pd.read_csv(FOLDER / folder / "table3.csv")
        frame = frame[frame["backbone"] == backbone]
        for method in frame["method"].unique():
            of_method = frame[frame["method"] == method].set_index("metric")
            means, deviations = of_method["mean"], of_method["std"]
            cells = {metric: f"{means[metric]:.4f} ± {deviations[metric]:.4f}" for metric in METRICS}
            found.setdefault(method, cells)
    roles = {name: METHODS[name].role if name in METHODS else "competitor" for name in found}
    ordered = [name for role in ("backbone", "competitor", "decrs") for name in found if roles[name] == role]
    controls = [name for name in (*WORDS, *found) if roles.get(name) == "control"]
    return {name: found[name] for name in dict.fromkeys([*ordered, *controls])}


def _named(method: str, backbone: str) -> str:
    if method in WORDS:
        return WORDS[method].format(backbone)
    return title(backbone, method) if method in METHODS else method


if __name__ == "__main__":
    main()
