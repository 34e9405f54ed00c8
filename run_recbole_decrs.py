"""Train and test a model: the same arguments as RecBole's run_recbole.py, defaults DecFM on ml-100k."""

import sys

from recbole_decrs.cli import main

if __name__ == "__main__":
    sys.exit(main())
