import subprocess
import sys


def test_the_mathematics_needs_no_recbole():
    code = "import sys, recbole_decrs.causal; sys.exit('recbole' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
