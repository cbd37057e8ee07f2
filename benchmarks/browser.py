"""Decrypting, verifying and saving 256 MiB in Chromium: MiB/s, memory, and the longest task of the page's main thread.

python benchmarks/browser.py [MiB]
"""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
MIB = 256


def main() -> None:
    size = sys.argv[1] if len(sys.argv) > 1 else str(MIB)
    command = [sys.executable, "-m", "pytest", "-q", "-s", "tests/e2e/test_browser_load.py"]
    subprocess.run(command, check=True, cwd=ROOT, env={**os.environ, "HANDOVER_BROWSER_MIB": size})


if __name__ == "__main__":
    main()
