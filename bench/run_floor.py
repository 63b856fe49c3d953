"""The floor below every scan: reads each template into a tree with spans and does nothing with it.

`run_floor.py FILE_OR_FOLDER` reads the files that name CloudTrail, as a scan must.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import sys

EXTENSIONS = (".yaml", ".yml", ".json", ".template", ".cfn")


def contents(root: str) -> list[bytes]:
    """Read the file, or all files below the folder that name CloudTrail."""
    paths = [root] if os.path.isfile(root) else []
    for folder, _, names in os.walk(root):
        paths += [os.path.join(folder, name) for name in sorted(names) if name.endswith(EXTENSIONS)]
    texts = []
    for path in paths:
        with open(path, "rb") as file:
            text = file.read()
        if b"CloudTrail" in text:
            texts.append(text)
    return texts


def main() -> int:
    """Parse, and say how many files were read."""
    source = importlib.import_module("trailguard.cloudformation.source.reading")
    parse, refusal = source.parse, source.SourceError
    if sys.argv[1] == "--version":
        print("trailguard.cloudformation.source.reading")
        return 0
    texts = contents(sys.argv[1])
    for text in texts:
        with contextlib.suppress(refusal):
            parse(text)
    print(f"{len(texts)} read")
    return 0


if __name__ == "__main__":
    sys.exit(main())
