"""Answers to what an editor asks about a document: of a place, of its chains, of where it leads to."""

from __future__ import annotations

from lsprotocol import types as lsp

from trailguard.servers import chains, hovering
from trailguard.servers.session import Session
from trailguard.servers.workspace import Workspace

SHOW_CHAIN = "trailguard.showChain"


def hover(session: Session, space: Workspace, name: str, position: lsp.Position) -> lsp.Hover | None:
    """What there is to tell of a place."""
    lines = session.lines(space, name)
    line, column = lines.place(position)
    texts = hovering.of_findings(space.told(name).findings, line, column)
    document = None if space.is_broken(name) else space.document(name)
    span = None
    if document is not None:
        more, span = hovering.of_document(document, name, space.settings, line, column)
        texts += more
    content = lsp.MarkupContent(lsp.MarkupKind.Markdown, "\n\n---\n\n".join(texts))
    return lsp.Hover(content, lines.range(span) if span is not None else None) if texts else None


def lenses(session: Session, space: Workspace, name: str) -> list[lsp.CodeLens]:
    """The chain of each trail in a document; none while that cannot be read."""
    lines = session.lines(space, name)
    found = []
    for number, chain in enumerate(space.told(name).chains if not space.is_broken(name) else ()):
        arguments = [session.addresses.uri(name), number]
        command = lsp.Command(chains.title(chain), SHOW_CHAIN, arguments=arguments)
        found.append(lsp.CodeLens(lines.line(chain.parts[0].line), command))
    return found


def chain_text(space: Workspace, name: str, number: int) -> str | None:
    """One of the chains of a document, in lines; None where it has no more so many."""
    known = space.told(name).chains
    return chains.text(known[number]) if 0 <= number < len(known) else None


def links(session: Session, space: Workspace, name: str) -> list[lsp.DocumentLink]:
    """Where the parts of chains, nested templates and includes are; nothing while the document cannot be read."""
    document = None if space.is_broken(name) else space.document(name)
    if document is None:
        return []
    lines = session.lines(space, name)
    return [
        lsp.DocumentLink(lines.range(span), session.addresses.uri(file) + (f"#L{line}" if line else ""))
        for span, file, line in chains.links(document, name, space.told(name).chains)
    ]
