"""Offers what tests of a model need: a contract that every model keeps, and small data.

It is made for pytest, and does not import it: the contract is a plain class of plain asserts.
"""

from recbole_decrs.testing.contract import ModelContract
from recbole_decrs.testing.tiny_data import tiny_settings, tiny_tables, write_tables

__all__ = ["ModelContract", "tiny_settings", "tiny_tables", "write_tables"]
