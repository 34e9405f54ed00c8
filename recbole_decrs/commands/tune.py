"""Searches hyper-parameters with Optuna, or RecBole's HyperTuning on Hyperopt or on Ray Tune, and prints the best."""

from __future__ import annotations

from recbole_decrs.arguments import CommandParser, parse, whole_number
from recbole_decrs.errors import DecRSError


def add_options(parser: CommandParser) -> None:
    """Declare the options of the command."""
    parser.usage = "%(prog)s --params_file=FILE [--model=DecFM] [--dataset=ml-100k] [--key=value ...]"
    parser.add_argument(
        "--params_file",
        metavar="FILE",
        default=None,
        help="what is searched, in lines such as 'learning_rate choice [0.01,0.05]' or 'dropout_prob uniform 0.1,0.5'; "
        "this one must be given",
    )
    parser.add_argument("--tool", metavar="TOOL", default="Optuna", help="Optuna, Hyperopt or Ray; default %(default)s")
    parser.add_argument(
        "--algo",
        metavar="ALGORITHM",
        default=None,
        help="exhaustive, random or bayes (not Ray); default exhaustive, or bayes where Optuna is to search a range",
    )
    parser.add_argument(
        "--max_evals",
        metavar="N",
        type=whole_number(1),
        default=None,
        help="trials of random and bayes, and of Ray; default 100",
    )
    parser.add_argument(
        "--pruner",
        metavar="PRUNER",
        default=None,
        help="median, which stops trainings that fall behind the median of others, or off (Optuna); default median",
    )
    parser.add_argument(
        "--output",
        metavar="FOLDER",
        default=None,
        help="where trials.csv, best.yaml and what the same command goes on from are written (Optuna); default "
        "tune/MODEL-DATASET",
    )
    parser.add_argument(
        "--early_stop",
        metavar="N",
        type=whole_number(1),
        default=None,
        help="trials without a gain before the search stops (Hyperopt, in one process); default 10",
    )
    parser.add_argument(
        "--output_file",
        metavar="FILE",
        default=None,
        help="where the results of all trials are written (Hyperopt); default hyper.result",
    )
    parser.add_argument(
        "--display_file", metavar="FILE", default=None, help="where a plot of them is written (Hyperopt); default none"
    )
    parser.add_workers(
        "how many processes run trials, each with one thread; each trial is kept as it ends, and the same command goes "
        "on (Optuna; Hyperopt's exhaustive or random search)"
    )
    parser.add_keys("model", "dataset", "config_files")


def execute(arguments: list[str], parser: CommandParser) -> None:
    """Search as the arguments say."""
    settings = parse(arguments)
    from recbole_decrs.config_files import config_files_of
    from recbole_decrs.options import read_setting, refuse_unknown_options
    from recbole_decrs.tune import tune

    refuse_unknown_options(settings, parser.own_options(), "tune", {"algorithm": "algo"})
    options = parser.take(settings)
    if options.params_file is None:
        raise DecRSError("tune needs --params_file=FILE, with lines such as 'learning_rate choice [0.01,0.05]'")
    files = config_files_of(settings)
    tune(
        **vars(options),
        config_file_list=files,
        fixed={key: read_setting(key, value) for key, value in settings.items()},
    )
