"""Searches hyper-parameters by Optuna, or by RecBole's own means: its HyperTuning on Hyperopt, or Ray Tune."""

from __future__ import annotations

import importlib.util
import math
import os
from typing import Any

import hyperopt.progress
from recbole.trainer import HyperTuning
from recbole.utils import dict2str

from recbole_decrs.config import DecRSConfig
from recbole_decrs.console import is_watched
from recbole_decrs.engines import check_engine
from recbole_decrs.errors import DecRSError, in_words
from recbole_decrs.log import RunLog
from recbole_decrs.quick_start import objective_function
from recbole_decrs.search import search_in_workers
from recbole_decrs.search_space import (
    KINDS,
    MAX_EVALS,
    Space,
    bounds,
    draws,
    grid,
    read_params_file,
    whole,
    whole_numbers,
)


def tune(
    params_file: str,
    tool: str,
    algo: str | None,
    max_evals: int | None,
    pruner: str | None,
    output: str | None,
    early_stop: int | None,
    output_file: str | None,
    display_file: str | None,
    workers: int,
    engine: str,
    config_file_list: list[str],
    fixed: dict[str, Any],
) -> dict[str, Any]:
    """Search, print the best setting and its results, and write those of all trials.

    Args:
        params_file: the path of the search space, see :func:`read_params_file`.
        tool: ``Optuna``, ``Hyperopt`` or ``Ray``.
        algo: ``exhaustive``, ``random`` or ``bayes``, not of Ray. If none, exhaustive; of Optuna bayes where a key that
            needs a training has a range.
        max_evals: how many trials there are at most, but for exhaustive search; 100 if none.
        pruner: of Optuna: ``median`` (if none) stops trainings that fall behind, ``off`` stops none.
        output: of Optuna: the folder for trials and results, from which the same call goes on; if none,
            ``tune/<model>-<dataset>``.
        early_stop: of Hyperopt, in one process: how many trials without a gain end the search; 10 if none.
        output_file: of Hyperopt: the path for the results of all trials; ``hyper.result`` if none.
        display_file: of Hyperopt: the path for their plot; there is none if None.
        workers: how many trials are run at a time. With several, Hyperopt's grid or random search is run without
            Hyperopt, and each trial is kept as it ends, in a file named as ``output_file`` with ``.jsonl`` behind it,
            from which the same call goes on.
        engine: what carries the workers, of :data:`~recbole_decrs.engines.ENGINES`.
        config_file_list: config files of every trial.
        fixed: configuration of every trial, over the config files.

    Returns:
        the best setting.

    Raises:
        DecRSError: the parameter file, an option or the configuration cannot be used.
    """
    files = [os.path.abspath(file) for file in config_file_list]  # a trial of Ray runs in a folder of its own
    of_hyperopt = {"early_stop": early_stop, "output_file": output_file, "display_file": display_file}
    _check_tool(tool, algo, {"pruner": pruner, "output": output}, of_hyperopt)
    check_engine(engine)
    space = read_params_file(params_file)
    for key in space:
        if key in fixed:
            raise DecRSError(f"--{key} fixes what {params_file} searches; leave one out")
    with RunLog():  # which says a warning once
        config = _checked(space, files, fixed)
    if tool.lower() == "optuna":
        if importlib.util.find_spec("optuna") is None:
            raise DecRSError("tune needs optuna, which is not installed; pip install optuna, or take --tool=Hyperopt")
        from recbole_decrs.tuning.search import search_with_optuna

        prunes = pruner != "off"
        return search_with_optuna(space, files, fixed, algo, max_evals, prunes, output, workers, engine)
    if tool.lower() == "ray":
        _check_ray(workers, {"algo": algo, **of_hyperopt})
        return _tune_with_ray(space, files, fixed, config, max_evals or MAX_EVALS)
    algo, output_file = algo or "exhaustive", output_file or "hyper.result"
    _check_hyperopt(space, algo, max_evals, output_file)
    if workers > 1:
        of_one = {"--algo=bayes": algo == "bayes", "--display_file": display_file, "--early_stop": early_stop}
        if one := next((option for option, value in of_one.items() if value), None):
            raise DecRSError(f"{one} is Hyperopt's, which runs in one process; leave out --workers or {one}")
        trials = grid(space) if algo == "exhaustive" else draws(space, max_evals or MAX_EVALS, config["seed"])
        return search_in_workers(list(map(whole_numbers, trials)), files, fixed, workers, engine, output_file)
    search = _SavingHyperTuning(
        lambda trial, file_list: objective_function({**fixed, **whole_numbers(trial)}, file_list),
        params_dict={
            kind: {key: values for key, (its_kind, values) in space.items() if its_kind == kind} for kind in KINDS
        },
        fixed_config_file_list=files,
        display_file=display_file,
        algo=algo,
        max_evals=max_evals or MAX_EVALS,
        early_stop=early_stop or 10,
    )
    search.output_file = output_file
    return search.best_of_all()


def _check_tool(tool: str, algo: str | None, of_optuna: dict[str, Any], of_hyperopt: dict[str, Any]) -> None:
    """See that a tool is known, and that no option is another tool's."""
    if tool.lower() not in ("optuna", "hyperopt", "ray"):
        raise DecRSError(f"--tool must be Optuna, Hyperopt or Ray, not {tool}")
    if algo not in (None, "exhaustive", "random", "bayes"):
        raise DecRSError(f"--algo must be exhaustive, random or bayes, not {algo}")
    if of_optuna["pruner"] not in (None, "median", "off"):
        raise DecRSError(f"--pruner must be median or off, not {of_optuna['pruner']}")
    owner, others = ("Hyperopt", of_hyperopt) if tool.lower() == "optuna" else ("Optuna", of_optuna)
    for option, value in others.items():
        if value is not None:
            raise DecRSError(f"--{option} is {owner}'s; leave it out, or take --tool={owner}")


def _check_ray(workers: int, of_others: dict[str, Any]) -> None:
    """See that Ray is given nothing that it does not know."""
    if one := next((option for option, value in of_others.items() if value is not None), None):
        raise DecRSError(f"--{one}: Ray tries all choices, or draws at random; leave it out, or take another --tool")
    if workers > 1:
        raise DecRSError("workers: --tool=Ray starts workers of its own; leave one out, or take --engine=ray for both")


def _check_hyperopt(space: Space, algo: str, max_evals: int | None, output_file: str) -> None:
    """See that Hyperopt, or its grid in several processes, can search the space and write what it finds."""
    if algo == "exhaustive" and max_evals is not None:
        raise DecRSError("max_evals: a grid tries all of its settings; take --algo=random, or leave it out")
    folder = os.path.dirname(os.path.abspath(output_file))
    if not os.path.isdir(folder):
        raise DecRSError(f"--output_file: there is no folder {folder}; make it first")
    ranges = [key for key, (kind, _) in space.items() if kind != "choice"]
    if algo == "exhaustive" and ranges:
        raise DecRSError(f"{ranges[0]} is a range, which exhaustive search cannot try; use --algo=random or bayes")


def _checked(space: Space, files: list[str], fixed: dict[str, Any]) -> DecRSConfig:
    """Make the configuration of all trials, and one of each value: a bad one must not end a search half done."""
    config = DecRSConfig(config_file_list=files, config_dict=fixed)
    for key, (kind, values) in space.items():
        for value in bounds(kind, values):
            DecRSConfig(config_file_list=files, config_dict={**fixed, key: whole(value)})
    return config


class _SavingHyperTuning(HyperTuning):
    """Writes the results after each trial of RecBole's HyperTuning, so that a crash loses none."""

    output_file: str

    def best_of_all(self) -> dict[str, Any]:
        """Run all trials, print the best setting with its results, and give it."""
        if not is_watched():  # RecBole lets Hyperopt choose, and that shows its bar in files and pipes, too
            hyperopt.progress.default_callback = hyperopt.progress.no_progress_callback
        self.run()
        print("best params: ", self.best_params)
        print("best result: ")
        print(self.params2result[self.params2str(self.best_params)])
        return self.best_params

    def trial(self, params: dict[str, Any]) -> dict[str, Any]:
        outcome = super().trial(params)
        self.export_result(self.output_file)
        return outcome


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
        objective_function({**fixed, **whole_numbers(parameters)}, files)

    only_choices = all(kind == "choice" for kind, _ in space.values())
    os.environ.setdefault("PYTHONWARNINGS", "ignore::FutureWarning,ignore::DeprecationWarning")  # RecBole's, in workers
    ray.init(include_dashboard=False, ignore_reinit_error=True, log_to_driver=False)
    try:
        tuner = ray_tune.Tuner(
            ray_tune.with_resources(trial, {"cpu": 1, "gpu": int(config["device"].type == "cuda")}),
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
