"""Table 4 and Figure 5: which methods they show."""

import numpy as np
import pandas as pd

from recbole_decrs.compare.outputs.table4 import OTHERS, by_drift_frame, by_drift_text


def test_every_shown_method_has_its_mean_above_each_threshold(whole):
    results, folder = whole
    text = by_drift_text(results, by_drift_frame(results))
    assert (folder / "table4.md").read_text(encoding="utf-8") == text
    head, _, *lines = (line.strip("|").split("|") for line in text.splitlines())
    heads, metric = [cell.strip() for cell in head], f"Recall@{results.longest_list}"
    names = ("backbone", "decrs", *OTHERS)
    titles = ("FM", "DecRS", "Ensemble", "Ensemble, equal weights", "Intervention")
    for threshold, cells in zip(results.thresholds, lines, strict=True):
        for name, shown in zip(names, titles, strict=True):
            _, mean = results.in_group("FM", name, metric.lower(), threshold)
            assert cells[heads.index(f"{metric} {shown}")].strip() == ("" if np.isnan(mean) else f"{mean:.4f}")


def test_figure_5_has_intervention_as_a_line(whole):
    _, folder = whole
    assert set(pd.read_csv(folder / "figure5.csv")["method"]) == {"backbone", "decrs_wo", "decrs", "intervention"}
