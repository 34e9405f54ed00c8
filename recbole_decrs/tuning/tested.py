"""Measures the best setting on the test part, once, when everything has been chosen."""

from __future__ import annotations

import os
from typing import Any

from recbole_decrs.checkpoint import HALVES, Checkpoint
from recbole_decrs.config import DecRSConfig
from recbole_decrs.making import make_data, make_model, make_trainer
from recbole_decrs.quick_start import Run
from recbole_decrs.run_result import result_of
from recbole_decrs.tuning.measuring import ranked_by
from recbole_decrs.tuning.storage import Search


def result_on_test(search: Search, number: int, setting: dict[str, Any]) -> dict[str, Any] | None:
    """Measure on test what a trial has trained, ranked by a setting.

    Args:
        search: the search.
        number: of the trial.
        setting: the best of its settings.

    Returns:
        As :func:`~recbole_decrs.run_result.result_of`; None where the checkpoint is no longer there.
    """
    path = search.checkpoint(number)
    if not os.path.isfile(path):
        return None
    quietly = {"show_progress": False, "checkpoint_dir": search.models}
    data = make_data(DecRSConfig(None, None, search.files, {**search.fixed, **setting, **quietly}))
    config = data.dataset.config
    trainer = make_trainer(config, make_model(config, data.part))
    trainer.saved_model_file = path
    checkpoint = Checkpoint.read(path)
    for half in HALVES if config.deconfounded else (None,):
        checkpoint.load_into(getattr(trainer.model, half) if half else trainer.model, half)
    judge, score = ranked_by(config, Run(config, data, trainer))
    test_result = judge.evaluate(data.test, load_best_model=False)
    return result_of(config, judge, data.part, score, None, test_result, [])
