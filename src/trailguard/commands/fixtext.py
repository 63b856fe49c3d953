"""What `trailguard fix` says: per file what was fixed and what is left, with the reason, and the questions it asks."""

from __future__ import annotations

import os
import sys

from trailguard.commands.streams import write
from trailguard.findings import UNKNOWN, Finding
from trailguard.judging.offers import Key, key_of
from trailguard.terminal import paragraph, style_for, visible, width_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Collection

    from trailguard.findings import Report
    from trailguard.fixes.plans import Plan
    from trailguard.fixes.repairing import Repaired

_MARGIN = " " * 9


def told(result: Repaired, report: Report, args: Namespace, unwritten: Collection[str] = ()) -> str:
    """The whole account: files in their order, then how many were fixed and left, and the exit status.

    `unwritten` are the files that could not be written.
    """
    stream = sys.stderr if args.show_diff or "-" in args.paths else sys.stdout
    style, width = style_for(args.color, stream, os.environ), width_of(stream, os.environ)
    left = [one for one in report.results if one.is_fault]
    lines: dict[str, list[tuple[int, str]]] = {}
    lost = _lost(result, unwritten)
    done, undone = style.paint("fixed", "green"), style.paint("left", "yellow") + " "
    marks = {key: undone if key in lost else done for key in _keys(result)}
    for plan in result.plans:
        text = f"{plan.key.rule} {plan.key.resource}: {_first(plan.title)}{f' ({plan.unsafe})' if plan.unsafe else ''}"
        place = plan.finding.place
        lines.setdefault(place.file, []).append((place.span.line, _wrapped(text, width, f"  {marks[plan.key]}  ")))
    for key in sorted(result.also):
        text = f"{key.rule} {key.resource}: passes with the other fixes"
        lines.setdefault(key.file, []).append((0, _wrapped(text, width, f"  {marks[key]}  ")))
    for one in () if args.quiet else left:
        why = result.left.get(key_of(one), "it is left as it is")
        text = f"{one.rule.id} {one.resource} (line {one.place.span.line}): {one.message}"
        first = f"  {style.paint('left', 'yellow')}   "
        reason = paragraph(visible(why), width, _MARGIN + "  ", f"{_MARGIN}{style.arrow} ")
        lines.setdefault(one.place.file, []).append((one.place.span.line, f"{_wrapped(text, width, first)}\n{reason}"))
    parts = []
    for file in sorted(lines):
        parts.append(style.paint(visible(file), "bold"))
        parts += [text for _, text in sorted(lines[file], key=lambda item: item[0])]
    for error in report.errors:
        where = f"{error.file}:{error.line}:{error.column}" if error.line else error.file
        parts.append(visible(f"error: {where}: {error.message}"))
    return "\n".join([*parts, _summary(result, report, left, args, len(lost))]) + "\n"


def _keys(result: Repaired) -> set[Key]:
    """What is fixed."""
    return {plan.key for plan in result.plans} | result.also


def _lost(result: Repaired, unwritten: Collection[str]) -> set[Key]:
    """What would be fixed if some files could have been written."""
    lost = {plan.key for plan in result.plans if not plan.files.isdisjoint(unwritten)}
    return lost | {key for key in result.also if key.file in unwritten}


def _wrapped(text: str, width: int, first: str) -> str:
    return paragraph(visible(text), width, _MARGIN, first)


def _summary(result: Repaired, report: Report, left: list[Finding], args: Namespace, lost: int) -> str:
    """How many were fixed, and what is left; some of these because they could not be written."""
    number = len(_keys(result)) - lost
    verb = "can be fixed" if args.show_diff else "fixed"
    unknown = sum(one.is_open and one.verdict == UNKNOWN for one in report.results)
    open_ = f", {unknown} unknown" if unknown else ""
    hint = ""
    unsafe = sum("--unsafe" in result.left.get(key_of(one), "") for one in left)
    if unsafe:
        hint = f"; {unsafe} of these can be fixed with --unsafe"
    return f"{_count(number, 'finding')} {verb}, {len(left) + lost} left{open_}{hint}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'s' if number != 1 else ''}"


def _first(title: str) -> str:
    """A title, of one fix or of several, behind something else."""
    return "; ".join(part[:1].lower() + part[1:] for part in title.split("; "))


def asked(plan: Plan, diff: str) -> bool:
    """Show a fix and ask whether to write it. Ctrl-C and the end of input end the program with nothing written."""
    key: Key = plan.key
    warning = f"\nReview it first: {plan.unsafe}." if plan.unsafe else ""
    write(f"{visible(f'{key.rule} {key.resource}: {_first(plan.title)}')}{visible(warning)}\n")
    write("".join(f"{visible(line)}\n" for line in diff.splitlines()))
    while True:
        write("Write it? [y/n] ")
        answer = sys.stdin.readline()
        if not answer:
            raise KeyboardInterrupt
        word = answer.strip().lower()
        if word in ("y", "yes", "n", "no"):
            return word[0] == "y"
