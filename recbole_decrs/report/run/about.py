"""Shows the settings that differ from the defaults, where the files of the run lie, and what can be typed next."""

from __future__ import annotations

import glob
import os
import shlex
from typing import Any

from recbole_decrs.key_facts import CHANGE_NO_NUMBER, LEFT_BY_COMPARE
from recbole_decrs.keys import KEYS
from recbole_decrs.plain_values import as_plain
from recbole_decrs.report.parts import Cell, Column, Commands, Section, Table
from recbole_decrs.report.run.finished import FinishedRun
from recbole_decrs.runs.record import changed_settings

NAMED_ABOVE = ("model", "dataset")


def settings_section(run: FinishedRun) -> Section:
    """Tabulate the settings that differ from the defaults, with the meaning of the plugin's keys."""
    defaults = as_plain(run.config.internal_config_dict)
    rows = [
        [
            Cell(key, about=KEYS[key].meaning.replace("`", "") if key in KEYS else ""),
            Cell(_shown(value)),
            Cell(_shown(defaults.get(key))),
        ]
        for key, value in sorted(_settings(run).items())
    ]
    columns = [Column(title, is_number=False) for title in ("key", "here", "default")]
    text = () if rows else ("All settings are the defaults of this model and dataset.",)
    return Section("Settings", text, [Table("Settings that differ from the defaults", columns, rows)] if rows else ())


def _settings(run: FinishedRun) -> dict[str, Any]:
    return changed_settings(run.config) if run.settings is None else run.settings


def _shown(value: Any) -> str:
    return "none" if value is None else str(value)


def files_section(run: FinishedRun) -> Section:
    """Tabulate where checkpoint, log, record, model card and CSV files of the run lie."""
    stem = os.path.splitext(run.checkpoint)[0]
    files = list({"checkpoint": run.checkpoint, **run.files}.items())
    tables = (path for path in sorted(glob.glob(f"{glob.escape(stem)}-*.csv")) if path not in run.files.values())
    rows = [
        [Cell(what), Cell(path)] for what, path in [*files, *(("CSV", path) for path in tables)] if what != "report"
    ]
    columns = [Column("file", is_number=False), Column("where", is_number=False)]
    return Section(
        "Files",
        ("Paths are as seen from the folder in which the run was started.",),
        [Table("Files of the run", columns, rows)],
    )


def next_section(run: FinishedRun) -> Section:
    """List commands that go on from here."""
    config, checkpoint = run.config, shlex.quote(run.checkpoint)
    model, dataset = (shlex.quote(str(config[key])) for key in NAMED_ABOVE)
    settings = {
        key: value
        for key, value in sorted(_settings(run).items())
        if key not in (*NAMED_ABOVE, "seed") and (key not in CHANGE_NO_NUMBER or key == "data_path")
    }

    def run_again(model: str = model, **others: Any) -> str:
        return f"recbole-decrs --model={model} --dataset={dataset}{_typed(settings | others)}"

    lines = [(run_again(seed=int(config["seed"]) + 1), "the same with another seed")]
    if config.deconfounded:
        backbone = config.backbone_class.__name__
        left = {
            key: value
            for key, value in settings.items()
            if key != "drift_alpha" and value in LEFT_BY_COMPARE.get(key, (value,))
        }
        lines.append(
            (
                f"recbole-decrs compare --dataset={dataset} --backbones={backbone}{_typed(left)}",
                "beside the paper's competitors, with tests",
            )
        )
        lines.append((f"recbole-decrs mechanism {checkpoint}", "what M(d, u) does in this model"))
        lines.append((f"recbole-decrs jensen-gap {checkpoint}", "what the approximation of Eq. 6 costs"))
        if not run.alpha_scores and run.alpha is not None:
            lines.append((run_again(drift_alpha="auto"), "choose alpha on validation"))
    else:
        lines.append((run_again("DecFM"), "a deconfounded model on the same data"))
    if run.has_lists and not config["save_topk"]:
        lists = run_again(save_topk=run.length, save_user_metrics=True)
        lines.append((lists, "lists and metrics of all users as CSV"))
    lines.append((f"recbole-decrs report {checkpoint} --users=1000", "this page again, with more users"))
    return Section("What to type next", (), [Commands(lines)])


def _typed(settings: dict[str, Any]) -> str:
    """Write settings as they are typed on a command line, each with a blank before it."""
    return "".join(f" {shlex.quote(f'--{key}={value}')}" for key, value in settings.items())
