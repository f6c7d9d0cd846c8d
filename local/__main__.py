"""`python -m local`: the local cloud, see running.py."""

from __future__ import annotations

import sys

from local.interrupts import die_silently

if __name__ == "__main__":
    # Before all the imports, which take a second.
    die_silently()
    from local.broken_pipe import until_nobody_reads
    from local.running import main

    sys.exit(until_nobody_reads(main))
