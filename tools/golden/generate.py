"""Regenerate the golden values: `python generate.py [NAME ...]`, all of them by default."""

import subprocess
import sys

from golden import ROOT

NAMES = ["promotion", "numbers", "numpy", "arrays", "indexing", "movement", "elementwise", "primitives", "functions", "random", "jaxprs", "network", "optim", "optim_more", "haiku"]

# A process for each, so that no generator's configuration or policies reach another.
for name in sys.argv[1:] or NAMES:
    subprocess.run([sys.executable, "-m", f"generators.{name}"], cwd=ROOT, check=True)
