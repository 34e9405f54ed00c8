"""Lists the plugin's own configuration keys: what each one means, its default, and what it may hold.

properties/overall.yaml, from which a run reads the defaults, and the README's table are written from this list by
docs/write_keys.py. What the program must know of a key stands in its record as well; ``key_facts`` gathers that.
"""

from recbole_decrs.keys.of_backbone import OF_BACKBONE
from recbole_decrs.keys.of_method import OF_METHOD
from recbole_decrs.keys.of_run import OF_RUN
from recbole_decrs.keys.record import Key

__all__ = ["KEYS", "SECTIONS", "Key"]

SECTIONS: dict[str, tuple[Key, ...]] = {**OF_METHOD, **OF_RUN, **OF_BACKBONE}
"""The keys by the headings of overall.yaml, in the order of the README."""

KEYS: dict[str, Key] = {key.name: key for keys in SECTIONS.values() for key in keys}
"""The keys by name."""
