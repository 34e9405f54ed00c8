"""The command line: ``recbole-decrs`` and ``run_recbole_decrs.py``."""

from __future__ import annotations

import os
import sys
from contextlib import suppress

USAGE = """\
usage: recbole-decrs [--model=DecFM] [--dataset=ml-100k] [--config_files="a.yaml b.yaml"] [--key=value ...]
       recbole-decrs compare [--backbones=FM,NFM] [--methods=all] [--seeds=3] [--dataset=...] [--key=value ...]
       recbole-decrs jensen-gap CHECKPOINT [--users=100] [--seed=0] [--key=value ...]
       recbole-decrs tune --params_file=FILE [--model=...] [--dataset=...] [--config_files=...] [--key=value ...]

Trains and tests a recommender with RecBole. DecFM and DecNFM train the conventional and the deconfounded recommender
(DecRS, KDD 2021), fuse them and print who wins; any other RecBole model is run and measured the same way.
Any configuration key of RecBole or of the plugin may be set; the command line goes over the config files.

compare runs the paper's competitors and controls, and writes its tables and figures; after a kill it goes on:
  --backbones=FM,NFM    conventional models, any of RecBole's
  --methods=all         or some of unawareness, fairco, calibration, diversity, ips_user, ips_item, decrs_wo,
                        decrs_product, decrs, and the controls ensemble, constant, shuffled, confounded, free, wide
  --seeds=3             how many, or which: [2020,2021]
  --output=DIR          tables, figures and finished pieces; default results/DATASET
  --lists=NAME=a.csv    also scores ranking lists made elsewhere: user_id, item_id, rank; several with commas between

jensen-gap tells what the approximation of Eq. 6 costs in a trained deconfounded model, for a sample of users.

tune searches hyper-parameters with RecBole's HyperTuning:
  --params_file=FILE    lines such as 'learning_rate choice [0.01,0.05]', 'dropout_prob uniform 0.1,0.5'
  --tool=Hyperopt       Hyperopt or Ray
  --algo=exhaustive     exhaustive, random or bayes (Hyperopt)
  --max_evals=100       trials of random and bayes; of Ray
  --early_stop=10       trials without a gain before the search stops (Hyperopt)
  --output_file=hyper.result, --display_file=FILE   results of all trials, and their plot
"""


def main(arguments: list[str] | None = None) -> int:
    """Run the command line.

    Args:
        arguments: without the program's name; default those of the process.

    Returns:
        exit status: 0, or 2 where the input cannot be used, which one sentence on standard error explains.
    """
    arguments = sys.argv[1:] if arguments is None else arguments
    try:
        _run(arguments)
        if sys.stdout is not None:  # it may have been closed before
            sys.stdout.flush()
    except BrokenPipeError:  # whoever reads the output has read enough
        _give_up_output()
        return 141
    except KeyboardInterrupt:
        _tell("stopped", "")
        return 130
    except Exception as error:
        if sys.flags.dev_mode:
            raise
        _tell(_in_words(error))
        if isinstance(error, OSError):
            _give_up_output()
        return 2
    return 0


def _run(arguments: list[str]) -> None:
    if any(argument in ("-h", "--help") for argument in arguments):
        print(USAGE)
        return
    if "--version" in arguments:
        from recbole_decrs import __version__

        print(f"recbole-decrs {__version__}")
        return
    command = arguments[0] if arguments and arguments[0] in ("tune", "compare", "jensen-gap") else None
    if command == "jensen-gap":
        _jensen_gap(arguments[1:])
        return
    settings = parse(arguments[1:] if command else arguments)
    if command == "tune":
        from recbole_decrs.tune import tune

        tune(settings)
    elif command == "compare":
        from recbole_decrs.compare.run import compare

        compare(settings)
    else:
        from recbole_decrs.config import config_files_of
        from recbole_decrs.quick_start import run_recbole_decrs

        run_recbole_decrs(config_file_list=config_files_of(settings), command_line=settings)


def _in_words(error: Exception) -> str:
    """One sentence about what ended the program."""
    from recbole_decrs.errors import DecRSError, how_to_install, in_words, is_out_of_memory

    if isinstance(error, DecRSError):
        return str(error)
    if isinstance(error, ModuleNotFoundError):
        return how_to_install(error.name)
    reason = " ".join(str(error).split()) or type(error).__name__
    if is_out_of_memory(error):
        return f"out of memory ({reason[:200]}); lower eval_batch_size, train_batch_size or embedding_size"
    if isinstance(error, OSError):
        where = "" if error.filename else ", where its output goes"
        return f"{in_words(error)}{where}; what was saved before is whole"
    return (
        f"{type(error).__name__}: {reason[:500]}; this is a fault of recbole_decrs or RecBole: its traceback is in the "
        "log file of the run, if there is one, and is shown by python -X dev -m recbole_decrs.cli"
    )


def _tell(sentence: str, kind: str = "error: ") -> None:
    with suppress(OSError):
        print(f"recbole-decrs: {kind}{sentence}", file=sys.stderr)


def _give_up_output() -> None:
    """Let nothing more be written where nothing can be, as Python would when it ends."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _jensen_gap(arguments: list[str]) -> None:
    from recbole_decrs.config import read_literal
    from recbole_decrs.errors import DecRSError, did_you_mean
    from recbole_decrs.jensen import TAKES, measure_jensen_gap, table_of_gaps

    files = [argument for argument in arguments if not argument.startswith("--")]
    if len(files) != 1:
        raise DecRSError("jensen-gap needs one checkpoint: recbole-decrs jensen-gap saved/DecFM-....pth")
    settings = parse([argument for argument in arguments if argument.startswith("--")])
    numbers = {"users": 100, "seed": 0}
    for key in numbers:
        value = settings.pop(key, str(numbers[key]))
        least = 1 if key == "users" else 0
        if not value.isdigit() or int(value) < least:
            raise DecRSError(f"--{key} must be a whole number >= {least}, not {value}")
        numbers[key] = int(value)
    for key in settings:
        if key not in TAKES:
            hint = did_you_mean(key, [*numbers, *TAKES]) or f"; it takes {', '.join([*numbers, *TAKES])}"
            raise DecRSError(f"jensen-gap measures a trained model, and takes no --{key}{hint}")
    changed = {key: read_literal(value) for key, value in settings.items()}
    gaps = measure_jensen_gap(files[0], numbers["users"], numbers["seed"], config_dict=changed)
    print(f"\n{table_of_gaps(gaps)}\n")


def parse(arguments: list[str]) -> dict[str, str]:
    """``--key=value`` arguments by key; ``--model``, ``--dataset`` and ``--config_files`` also take the next one.

    Raises:
        DecRSError: an argument is not of this form, or a key is given two values.
    """
    from recbole_decrs.errors import DecRSError

    settings: dict[str, str] = {}
    rest = list(arguments)
    while rest:
        argument = rest.pop(0)
        key, equals, value = argument.removeprefix("--").partition("=")
        if not argument.startswith("--") or not key:
            raise DecRSError(f"cannot read the argument {argument}; write settings as --key=value")
        if not equals:
            if key not in ("model", "dataset", "config_files", "params_file") or not rest or rest[0].startswith("--"):
                raise DecRSError(f"the argument --{key} has no value; write --{key}=VALUE")
            value = rest.pop(0)
        if settings.get(key, value) != value:
            raise DecRSError(f"--{key} is given twice, as {settings[key]} and as {value}; leave one out")
        settings[key] = value
    return settings


if __name__ == "__main__":
    sys.exit(main())
