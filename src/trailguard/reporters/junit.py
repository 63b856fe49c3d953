"""JUnit's XML, which every CI server reads: a suite for each file, a test case for each rule and subject.

What makes the exit status 1 is a failure. What is open without doing so is skipped, as is what does not apply or was
accepted; what cannot be judged is an error, and a notice is a case that is skipped, too. No two cases have the same
name: GitLab keeps one of them only.
Source: https://docs.gitlab.com/ci/testing/unit_test_reports/
"""

from __future__ import annotations

from xml.etree import ElementTree as ET

from trailguard.findings import NOT_APPLICABLE, PASS
from trailguard.reporters.common import judged, readable, remarks, remedy
from trailguard.terminal import defuse, visible

TYPE_CHECKING = False
if TYPE_CHECKING:
    from trailguard.findings import FileError, Finding, Notice, Report, Threshold

_COUNTED = ("tests", "failures", "errors", "skipped")


def render(report: Report) -> str:
    """Write one document."""
    suites: dict[str, list[ET.Element]] = {}
    names: dict[tuple[str, str], int] = {}
    for error in report.errors:
        suites.setdefault(error.file, []).append(_error(error))
    for item in report.results:
        suites.setdefault(item.place.file, []).append(_case(item, names, report.threshold))
    for notice in report.notices:
        suites.setdefault(notice.file, []).append(_notice(notice))
    root = ET.Element("testsuites", name="trailguard")
    for file in sorted(suites):
        suite = ET.SubElement(root, "testsuite", name=_safe(file))
        suite.append(_properties(report))
        suite.extend(suites[file])
        _count(suite, suites[file])
    _count(root, [case for cases in suites.values() for case in cases])
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _properties(report: Report) -> ET.Element:
    """How the templates were judged; a suite may say so, and only a suite."""
    properties = ET.Element("properties")
    properties.extend(_element("property", name=f"trailguard {key}", value=told) for key, told in judged(report))
    return properties


def _count(element: ET.Element, cases: list[ET.Element]) -> None:
    found = [child.tag for case in cases for child in case]
    numbers = (len(cases), found.count("failure"), found.count("error"), found.count("skipped"))
    for name, number in zip(_COUNTED, numbers, strict=True):
        element.set(name, str(number))
    element.set("time", "0")


def _case(item: Finding, names: dict[tuple[str, str], int], threshold: Threshold) -> ET.Element:
    name = f"{item.rule.id} {item.rule.name}: {item.resource}"
    if item.contexts:
        name += f" in {'; '.join(item.contexts)}"
    number = names[item.place.file, name] = names.get((item.place.file, name), 0) + 1
    case = _element("testcase", name=name if number == 1 else f"{name} ({number})", classname=item.place.file)
    case.set("file", _safe(item.place.file))
    case.set("line", str(item.place.span.line))
    case.set("time", "0")
    if item.suppressed is not None:
        until = f" until {item.suppressed.expires}" if item.suppressed.expires else ""
        case.append(_element("skipped", message=f"accepted{until}: {item.suppressed.reason}"))
    elif threshold.counts(item):
        failure = _element("failure", message=item.message, type=f"{item.verdict} {item.rule.severity}")
        failure.text = _safe("\n".join(_details(item)), keep_lines=True)
        case.append(failure)
    elif item.verdict == NOT_APPLICABLE:
        case.append(_element("skipped", message=f"not applicable: {item.reason or item.message}"))
    elif item.verdict != PASS:
        told = "; ".join((item.message, *remarks(item)))
        case.append(_element("skipped", message=f"{item.verdict} ({item.rule.severity}): {told}"))
    return case


def _details(item: Finding) -> list[str]:
    lines = [f"{item.place.file}:{item.place.span.line}:{item.place.span.column}", item.message, *remarks(item)]
    if remedy(item):
        lines.append(f"remedy: {remedy(item)}")
    return [*lines, *item.rule.references]


def _error(error: FileError) -> ET.Element:
    place = f" at {error.line}:{error.column}" if error.line else ""
    case = _aside(f"can be judged{place}: {error.message}", error.file, error.line)
    case.append(_element("error", message=error.message, type="cannot be judged"))
    return case


def _notice(notice: Notice) -> ET.Element:
    place = f" at {notice.line}" if notice.line else ""
    case = _aside(f"notice{place}: {notice.message}", notice.file, notice.line)
    case.append(_element("skipped", message=f"notice: {notice.message}"))
    return case


def _aside(name: str, file: str, line: int) -> ET.Element:
    """A case that is not a verdict of a rule."""
    case = _element("testcase", name=name, classname=file)
    case.set("file", _safe(file))
    if line:
        case.set("line", str(line))
    case.set("time", "0")
    return case


def _element(tag: str, **attributes: str) -> ET.Element:
    return ET.Element(tag, {name: _safe(value) for name, value in attributes.items()})


def _safe(text: str, keep_lines: bool = False) -> str:
    """Text without the characters that XML forbids, which are spelt out."""
    lines = text.split("\n") if keep_lines else [text]
    return defuse("\n".join(visible(readable(line)) for line in lines))
