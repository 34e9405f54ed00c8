import importlib.util

# Those that need Optuna, of the extra tune.
collect_ignore = (
    [] if importlib.util.find_spec("optuna") else [f"test_tune_{name}.py" for name in ("pruning", "search", "space")]
)
