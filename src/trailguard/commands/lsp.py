"""`trailguard lsp`: serve an editor over standard input and output."""

from __future__ import annotations

import os
import sys

from trailguard.commands.streams import say

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace

MISSING = 'error: trailguard lsp needs pygls; install it with: pip install "trailguard[lsp]"'


def lsp(args: Namespace) -> int:
    """Serve one client until it leaves; give the exit status: 0 after a shutdown, 1 when it just went away."""
    try:
        import pygls.lsp.server  # noqa: F401 - to tell what is missing from what is broken
    except ImportError:
        say(MISSING)
        return 2
    from trailguard.servers.lsp import serve

    if sys.stdin is None or sys.stdout is None:
        say("error: trailguard lsp talks over standard input and output, and one of them is closed")
        return 2
    # Whatever prints something, here or in a library: the protocol alone goes to standard output.
    stdout = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno() if sys.stderr is not None else os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return serve(sys.stdin.buffer, stdout)
