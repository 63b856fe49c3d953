"""`trailguard mcp`: serve an assistant that looks into a folder."""

from __future__ import annotations

import os

from trailguard.errors import UserError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace


def mcp(args: Namespace) -> int:
    """Serve until standard input ends; give the exit status. Raises UserError when that cannot be begun."""
    from trailguard.servers.mcp_root import Root

    if args.root is None and os.path.dirname(os.getcwd()) == os.getcwd():
        raise UserError("", 0, 0, "this is the root of the file system; name the folder to look into with --root")
    root = Root(os.curdir if args.root is None else args.root)
    try:
        from trailguard.servers.mcp_server import serve
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] == "trailguard":
            raise
        needed = 'what serves assistants is not installed: pip install "trailguard[mcp]"'
        raise UserError("", 0, 0, f"{needed} (there is no {error.name})") from None
    os.chdir(root.folder)
    serve(root, args.write)
    return 0
