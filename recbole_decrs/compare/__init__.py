"""Compares DecRS with its competitors and controls on one dataset, for the paper's tables and figures."""

from recbole_decrs.compare.figures import redraw
from recbole_decrs.compare.method import Method
from recbole_decrs.compare.method_registry import register_method
from recbole_decrs.compare.methods import METHODS
from recbole_decrs.compare.outputs import OUTPUTS, Output, register_output
from recbole_decrs.compare.results import Outcome, Results
from recbole_decrs.compare.run import run_comparison

__all__ = [
    "METHODS",
    "OUTPUTS",
    "Method",
    "Outcome",
    "Output",
    "Results",
    "redraw",
    "register_method",
    "register_output",
    "run_comparison",
]
