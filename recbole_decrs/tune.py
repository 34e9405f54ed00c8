"""Hyper-parameter search by RecBole's own means: its HyperTuning on Hyperopt, or Ray Tune."""

from __future__ import annotations

import ast
import math
import os
from typing import Any

import torch
from recbole.trainer import HyperTuning
from recbole.utils import dict2str

from recbole_decrs.config import DecRSConfig
from recbole_decrs.errors import DecRSError, in_words, unreadable
from recbole_decrs.quick_start import objective_function

KINDS = ("choice", "uniform", "quniform", "loguniform")

Space = dict[str, tuple[str, list[Any]]]


def tune(
    params_file: str,
    tool: str,
    algo: str,
    max_evals: int,
    early_stop: int,
    output_file: str,
    display_file: str | None,
    config_file_list: list[str],
    fixed: dict[str, Any],
) -> dict[str, Any]:
    """Search, print the best setting and its results, and write those of all trials to ``output_file``.

    Args:
        params_file: the path of the search space, see :func:`read_params_file`.
        tool: ``Hyperopt`` or ``Ray``.
        algo: of Hyperopt: ``exhaustive``, ``random`` or ``bayes``.
        max_evals: how many trials there are at most, but for exhaustive search.
        early_stop: of Hyperopt: how many trials without a gain end the search.
        output_file: of Hyperopt: the path for the results of all trials.
        display_file: of Hyperopt: the path for their plot; there is none if None.
        config_file_list: config files of every trial.
        fixed: configuration of every trial, over the config files.

    Returns:
        the best setting.

    Raises:
        DecRSError: the parameter file, an option or the configuration cannot be used.
    """
    files = [os.path.abspath(file) for file in config_file_list]  # a trial of Ray runs in a folder of its own
    space = read_params_file(params_file)
    for key in space:
        if key in fixed:
            raise DecRSError(f"--{key} fixes what {params_file} searches; leave one out")
    config = DecRSConfig(config_file_list=files, config_dict=fixed)
    for key, (kind, values) in space.items():  # a bad value must not end a search that is half done
        for value in values if kind == "choice" else values[:2]:
            tried = math.exp(value) if kind == "loguniform" else value
            DecRSConfig(config_file_list=files, config_dict={**fixed, key: _whole(tried)})
    folder = os.path.dirname(os.path.abspath(output_file))
    if not os.path.isdir(folder):
        raise DecRSError(f"--output_file: there is no folder {folder}; make it first")
    if tool.lower() == "ray":
        return _tune_with_ray(space, files, fixed, config, max_evals)
    if tool.lower() != "hyperopt":
        raise DecRSError(f"--tool must be Hyperopt or Ray, not {tool}")
    if algo not in ("exhaustive", "random", "bayes"):
        raise DecRSError(f"--algo must be exhaustive, random or bayes, not {algo}")
    ranges = [key for key, (kind, _) in space.items() if kind != "choice"]
    if algo == "exhaustive" and ranges:
        raise DecRSError(f"{ranges[0]} is a range, which exhaustive search cannot try; use --algo=random or bayes")

    search = _SavingHyperTuning(
        lambda trial, file_list: objective_function({**fixed, **_whole_numbers(trial)}, file_list),
        params_dict={
            kind: {key: values for key, (its_kind, values) in space.items() if its_kind == kind} for kind in KINDS
        },
        fixed_config_file_list=files,
        display_file=display_file,
        algo=algo,
        max_evals=max_evals,
        early_stop=early_stop,
    )
    search.output_file = output_file
    search.run()
    print("best params: ", search.best_params)
    print("best result: ")
    print(search.params2result[search.params2str(search.best_params)])
    return search.best_params


def _whole(value: Any) -> Any:
    """Make an integer of a whole float, as ``quniform`` gives it: sizes and counts take no float."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _whole_numbers(trial: dict[str, Any]) -> dict[str, Any]:
    return {key: _whole(value) for key, value in trial.items()}


class _SavingHyperTuning(HyperTuning):
    """Writes the results after each trial of RecBole's HyperTuning, so that a crash loses none."""

    output_file: str

    def trial(self, params: dict[str, Any]) -> dict[str, Any]:
        outcome = super().trial(params)
        self.export_result(self.output_file)
        return outcome


def read_params_file(path: str) -> Space:
    """Read the search space of a RecBole parameter file, lines ``name kind values``, without ``eval``.

    Returns:
        name -> (kind, values): the choices, or the bounds (and step) of a range. As in RecBole's HyperTuning, the
        bounds of ``loguniform`` are logarithms.

    Raises:
        DecRSError: the file cannot be read, or a line of it.
    """
    try:
        with open(path, encoding="utf-8-sig") as file:  # Windows writes a byte-order mark
            lines = file.read().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DecRSError(unreadable(f"params_file: {path}", error)) from error
    space: Space = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        name, kind, text = [*line.split(None, 2), "", ""][:3]
        where = f"params_file: line {number} of {path}"
        if kind not in KINDS:
            raise DecRSError(f"{where} must be 'name kind values' with kind one of {', '.join(KINDS)}")
        try:
            values = list(ast.literal_eval(text.strip()))
        except (ValueError, SyntaxError, TypeError) as error:
            raise DecRSError(f"{where}: cannot read the values {text!r}; write [a,b,...] or low,high") from error
        if kind != "choice":
            count = 3 if kind == "quniform" else 2
            if (
                len(values) != count
                or not all(isinstance(value, int | float) for value in values)
                or not values[0] < values[1]
            ):
                raise DecRSError(f"{where}: {kind} takes {count} numbers, the low before the high, not {text!r}")
        if not values:
            raise DecRSError(f"{where} gives no value to choose from")
        if name in space:
            raise DecRSError(f"{where} names {name} a second time; keep one line")
        space[name] = (kind, values)
    if not space:
        raise DecRSError(f"params_file: {path} holds no line 'name kind values'")
    return space


def _tune_with_ray(
    space: Space, files: list[str], fixed: dict[str, Any], config: DecRSConfig, n_trials: int
) -> dict[str, Any]:
    try:
        import ray
        from ray import tune as ray_tune
    except ImportError as error:
        raise DecRSError(
            f"--tool=Ray needs {error.name or 'ray'}, which is not installed; install it by: pip install 'ray[tune]'"
        ) from error
    makers = {
        "choice": ray_tune.grid_search,
        "uniform": lambda values: ray_tune.uniform(*values),
        "quniform": lambda values: ray_tune.quniform(*values),
        "loguniform": lambda values: ray_tune.loguniform(*map(math.exp, values)),
    }
    # A trial runs in a folder of its own.
    here = {
        "data_path": os.path.abspath(config.settings["data_path"]),
        "checkpoint_dir": os.path.abspath(config["checkpoint_dir"]),
    }
    fixed = {**fixed, **here, "show_progress": False}

    def trial(parameters: dict[str, Any]) -> None:
        objective_function({**fixed, **_whole_numbers(parameters)}, files)

    only_choices = all(kind == "choice" for kind, _ in space.values())
    os.environ.setdefault("PYTHONWARNINGS", "ignore::FutureWarning,ignore::DeprecationWarning")  # RecBole's, in workers
    ray.init(include_dashboard=False, ignore_reinit_error=True, log_to_driver=False)
    try:
        tuner = ray_tune.Tuner(
            ray_tune.with_resources(trial, {"cpu": 1, "gpu": 1 if torch.cuda.is_available() else 0}),
            param_space={key: makers[kind](values) for key, (kind, values) in space.items()},
            tune_config=ray_tune.TuneConfig(
                num_samples=1 if only_choices else n_trials,
                metric="best_valid_score",
                mode="max" if config["valid_metric_bigger"] else "min",
            ),
            run_config=ray_tune.RunConfig(storage_path=os.path.abspath("ray_log"), verbose=1),
        )
        results = tuner.fit()
        if len(results.errors) == len(results):
            raise DecRSError(f"every trial failed, the first with: {in_words(results.errors[0])}")
        best = results.get_best_result()
        print("best params: ", best.config)
        print("best result: ", dict2str({key: best.metrics[key] for key in best.metrics if _is_metric(key)}))
        return best.config
    finally:
        ray.shutdown()


def _is_metric(key: str) -> bool:
    return key == "best_valid_score" or "@" in key
