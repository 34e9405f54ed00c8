"""Holds the commands of ``recbole-decrs``, a file each.

A command's file begins with the text of its help. ``add_options(parser)`` declares its options, and
``execute(arguments, parser)`` runs it. Neither RecBole nor torch may be imported before ``execute``, since the help
needs all files and has to be fast; but ``more_help()``, which compare has, is asked where its own help is shown, and
may import what it needs.
"""

COMMANDS = {
    "run": ("recbole_decrs.commands.run", "train and test a model; the default, so that the word can be left out"),
    "compare": ("recbole_decrs.commands.compare", "run the paper's competitors and controls, and write its tables"),
    "import": ("recbole_decrs.commands.import_", "make a dataset of CSV or Parquet files"),
    "tune": ("recbole_decrs.commands.tune", "search hyper-parameters with Optuna, Hyperopt or Ray"),
    "table": ("recbole_decrs.commands.table", "put the results of several runs into one table"),
    "jensen-gap": ("recbole_decrs.commands.jensen_gap", "measure what the approximation of Eq. 6 costs"),
    "report": ("recbole_decrs.commands.report", "write the page of a checkpoint, or of a comparison, again"),
    "mechanism": ("recbole_decrs.commands.mechanism", "measure what M(d, u) does in a trained model"),
    "recommend": ("recbole_decrs.commands.recommend", "list items for users, by a trained model"),
}
"""Every command: its file, and one line about it."""
DEFAULT = "run"
"""The command that runs where none is named."""
