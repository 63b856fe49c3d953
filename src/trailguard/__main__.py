"""Let `python -m trailguard` be the program."""

import sys

from trailguard.commands.cli import main

if __name__ == "__main__":
    sys.exit(main())
