"""Drives cloudformation-validate, which has no command of its own: `run_validate.py FILE_OR_FOLDER`.

It runs under the Python of the peers' virtual environment, hence no imports from the other modules here.
"""

from __future__ import annotations

import os
import sys

EXTENSIONS = (".yaml", ".yml", ".json", ".template")


def template_paths(root: str) -> list[str]:
    """List the file itself, or all templates below the folder."""
    if os.path.isfile(root):
        return [root]
    found = (os.path.join(folder, name) for folder, _, names in os.walk(root) for name in names)
    return sorted(path for path in found if path.endswith(EXTENSIONS))


def main() -> int:
    """Validate, print one line per diagnostic, and return 1 if a template could not be validated at all."""
    import cloudformation_validate as peer  # type: ignore[import-not-found,unused-ignore]

    if sys.argv[1] == "--version":
        print(f"cloudformation-validate {peer.version()}")
        return 0
    engine = peer.CompositeEngine()
    failures = 0
    for path in template_paths(sys.argv[1]):
        try:
            report = engine.validate_template(path)
        except (peer.ValidationError, OSError, ValueError) as error:
            failures += 1
            print(f"{path}: {str(error)[:200]}")
            continue
        for diagnostic in report.diagnostics:
            print(f"{path}: {diagnostic.severity.name} {diagnostic.rule_id} {diagnostic.message}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
