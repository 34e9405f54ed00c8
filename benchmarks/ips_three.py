"""Runs `recbole-decrs compare` with IPS over three caps, `ips_three`, where nine trainings a seed would take too long:

python benchmarks/ips_three.py --dataset=ml-1m --backbones=FM --methods=ips_three --seeds=3
"""

import dataclasses
import sys

from recbole_decrs.cli import main
from recbole_decrs.compare import METHODS, register_method

CAPS = (2, 5, 10)

if __name__ == "__main__":
    grid = tuple((cap, {"ips": "user", "ips_cap": cap}) for cap in CAPS)
    about = "samples weighted by inverse propensity, by how many clicks their user has, with three caps"
    changed = dataclasses.replace(METHODS["ips_user"], title="IPS by user, three caps", about=about, grid=grid)
    register_method("ips_three", changed)
    sys.exit(main(["compare", *sys.argv[1:]]))
