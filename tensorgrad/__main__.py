"""``python -m tensorgrad``: see `tensorgrad.command_line`."""

from __future__ import annotations

import sys

from tensorgrad.command_line import main

if __name__ == "__main__":
    sys.exit(main())
