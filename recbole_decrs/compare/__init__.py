"""``recbole-decrs compare``: DecRS, its competitors and controls on one dataset; the paper's tables and figures."""

from recbole_decrs.compare.run import run_comparison

__all__ = ["run_comparison"]
