"""PyYAML's parser in pure Python, for places where PyYAML was built without libyaml."""

from __future__ import annotations

import re
from typing import Any

from yaml.parser import Parser
from yaml.reader import Reader
from yaml.scanner import Scanner, ScannerError

from trailguard.cloudformation.source.tags import STANDARD

_SURROGATE = re.compile("[\ud800-\udfff]")


class PureParser(Reader, Scanner, Parser):
    """Gives the same events as `yaml.cyaml.CParser`, slowly."""

    def __init__(self, text: str) -> None:
        Reader.__init__(self, text)
        Scanner.__init__(self)
        Parser.__init__(self)

    def get_event(self) -> Any:
        """Give the next event, or refuse what libyaml refuses: half a surrogate pair in a text, a comma in a tag."""
        event: Any = super().get_event()  # type: ignore[no-untyped-call]
        if _SURROGATE.search(getattr(event, "value", "")):
            problem = "found invalid Unicode character escape code"
            raise ScannerError("while scanning a double-quoted scalar", event.start_mark, problem, event.start_mark)
        if "," in (getattr(event, "tag", None) or "").removeprefix(STANDARD):
            raise ScannerError("while scanning a tag", event.start_mark, "found a comma", event.start_mark)
        return event
