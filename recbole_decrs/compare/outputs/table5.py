"""Makes Table 5 of the paper: the two backdoor operators."""

from __future__ import annotations

import pandas as pd

from recbole_decrs.compare.outputs.output import Output, register_output
from recbole_decrs.compare.results import Results
from recbole_decrs.evaluator.report import title_of
from recbole_decrs.tables import as_markdown


def _no_two_operators(results: Results) -> str | None:
    if results.has("decrs", "decrs_product"):
        return None
    return "it compares decrs with decrs_product, and no backbone has both"


def operator_frame(results: Results) -> pd.DataFrame:
    """Compute means over the seeds of the backbone, and of DecRS with the operator of Eq. 7 and of Eq. 8."""
    rows = []
    for backbone, names in results.methods.items():
        if {"decrs", "decrs_product"} <= set(names):
            of_decrs = f"DecRS, {results.operators[backbone]}"
            shown = {"backbone": backbone, "decrs_product": "DecRS, product", "decrs": of_decrs}
            rows += [
                [backbone, row, *(results.mean(backbone, name, metric) for metric in results.metrics)]
                for name, row in shown.items()
            ]
    return pd.DataFrame(rows, columns=["backbone", "method", *results.metrics])


def operator_text(results: Results, frame: pd.DataFrame) -> str:
    """Write the numbers as a table."""
    headers = [title_of(column) if "@" in column else column for column in frame]
    rows = [[value if isinstance(value, str) else f"{value:.4f}" for value in row] for row in frame.to_numpy().tolist()]
    return as_markdown(rows, headers) + "\n"


register_output(
    Output(
        "table5",
        about="the two operators, Eq. 7 and Eq. 8",
        numbers=operator_frame,
        text=operator_text,
        lacks=_no_two_operators,
    )
)
