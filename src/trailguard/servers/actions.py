"""What an editor offers to do about findings: proven fixes, all safe ones of a file at once, comments that suppress."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from lsprotocol import types as lsp

from trailguard.findings import FileEdit, Finding, Fix
from trailguard.judging.offers import key_of
from trailguard.reporters.common import readable
from trailguard.servers.positions import Lines
from trailguard.servers.session import Session
from trailguard.servers.suppressing import suppression
from trailguard.servers.worker import Heed
from trailguard.servers.workspace import Workspace

FIX_ALL = "source.fixAll.trailguard"
ASK_REASON = "trailguard.suppress"  # a command of clients that ask for the reason themselves
_ALL = "Fix all that trailguard can fix safely in this file"


class Offering:
    """What is offered in one document, for one request.

    `is_lazy` tells that the client asks for the edits of an action when somebody chooses it, `asks` that it asks
    people for the reason of a suppression.
    """

    def __init__(self, session: Session, space: Workspace, name: str, heed: Heed, is_lazy: bool, asks: bool) -> None:
        self._session = session
        self._space = space
        self._name = name
        self._heed = heed
        self._is_lazy = is_lazy
        self._asks = asks
        self._where = session.where(space)

    def actions(self, area: lsp.Range, context: lsp.CodeActionContext) -> Iterator[lsp.CodeAction]:
        """All that is asked for at a place of the document."""
        wanted = context.only
        findings = [one for one in self._space.told(self._name).findings if one.is_open]
        here = [one for one in findings if _meets(self._lines().range(one.place.span), area)]
        if _is_wanted(lsp.CodeActionKind.QuickFix, wanted):
            fixes = self._space.fixes(self._name, self._heed) if here else {}
            for finding in here:
                fix = fixes.get(key_of(finding))
                if fix is not None:
                    yield self._fix(finding, fix, context.diagnostics)
            for finding in here:
                yield from self._suppression(finding, context.diagnostics)
            if len(fixes) > 1 and self._is_lazy:
                yield self._all(lsp.CodeActionKind.QuickFix)
        if _is_wanted(FIX_ALL, wanted) and (wanted or self._is_lazy) and findings:
            action = self._all(FIX_ALL)
            if self._is_lazy:
                yield action
            elif (edit := self.fix_all()) is not None:
                action.edit = edit
                yield action

    def fix_all(self) -> lsp.WorkspaceEdit | None:
        """The edit that fixes all that can be fixed safely; None when that is nothing."""
        edits = self._space.fix_all(self._name, self._heed)
        return self._edit(edits) if edits else None

    def _lines(self) -> Lines:
        return self._where.lines(self._name)

    def _fix(self, finding: Finding, fix: Fix, known: Iterable[lsp.Diagnostic]) -> lsp.CodeAction:
        warning = f" (unsafe: {fix.unsafe})" if fix.unsafe else ""
        return lsp.CodeAction(
            title=readable(f"{finding.rule.id}: {fix.title}{warning}"),
            kind=lsp.CodeActionKind.QuickFix,
            diagnostics=self._those_of(finding, known),
            is_preferred=not fix.unsafe,
            edit=self._edit(fix.edits),
        )

    def _all(self, kind: str) -> lsp.CodeAction:
        return lsp.CodeAction(title=_ALL, kind=kind, data={"fix_all": self._session.addresses.uri(self._name)})

    def _suppression(self, finding: Finding, known: Iterable[lsp.Diagnostic]) -> Iterator[lsp.CodeAction]:
        text = self._space.text(self._name)
        comment = suppression(text, finding, "")
        if comment is None or self._space.is_broken(self._name):
            return
        title = f"Suppress {finding.rule.id} here with a comment that says why"
        action = lsp.CodeAction(title, lsp.CodeActionKind.QuickFix, self._those_of(finding, known))
        where = lsp.Range(lsp.Position(comment.line - 1, 0), lsp.Position(comment.line - 1, 0))
        uri = self._session.addresses.uri(self._name)
        if self._asks:
            arguments = [uri, where.start.line, comment.text]
            action.command = lsp.Command(title=title, command=ASK_REASON, arguments=arguments)
        else:
            action.edit = self._written(self._name, [lsp.TextEdit(where, comment.text)])
        yield action

    def _those_of(self, finding: Finding, known: Iterable[lsp.Diagnostic]) -> list[lsp.Diagnostic]:
        """The diagnostics of a client that are about a finding."""
        area = self._lines().range(finding.place.span)
        return [one for one in known if one.code == finding.rule.id and one.range == area]

    def _edit(self, edits: Sequence[FileEdit]) -> lsp.WorkspaceEdit:
        by_file: dict[str, list[lsp.TextEdit]] = {}
        for one in edits:
            area = self._where.lines(one.file).range(one.span)
            by_file.setdefault(one.file, []).append(lsp.TextEdit(area, one.text))
        changes: list[lsp.TextDocumentEdit | lsp.CreateFile | lsp.RenameFile | lsp.DeleteFile] = []
        for file, those in by_file.items():
            changes += self._written(file, those).document_changes or ()
        return lsp.WorkspaceEdit(document_changes=changes)

    def _written(self, file: str, edits: Sequence[lsp.TextEdit]) -> lsp.WorkspaceEdit:
        uri, version = self._session.addresses.uri(file), self._session.version(file)
        document = lsp.OptionalVersionedTextDocumentIdentifier(uri, version)
        return lsp.WorkspaceEdit(document_changes=[lsp.TextDocumentEdit(document, list(edits))])


def _is_wanted(kind: str, wanted: Sequence[str] | None) -> bool:
    """Tell whether a kind is one of those that are asked for, or part of one."""
    return not wanted or any(kind == one or kind.startswith(f"{one}.") for one in wanted)


def _meets(one: lsp.Range, other: lsp.Range) -> bool:
    def key(position: lsp.Position) -> tuple[int, int]:
        return position.line, position.character

    return key(one.start) <= key(other.end) and key(other.start) <= key(one.end)
