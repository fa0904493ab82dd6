"""Paths as a picture that needs nothing else: a line of boxes per path, in SVG."""

from __future__ import annotations

import html

from graph_schema.schema import Schema
from graph_schema.tables import IDENTITY
from kgxfer.explain.path import Node, Path, Step
from kgxfer.explain.text import plain, shown
from kgxfer.graph import USER

_WIDTH, _HEIGHT, _GAP, _LINE, _EDGE = 150, 46, 110, 92, 12
_COLOURS = {"User": ("#e8f0fe", "#3b6fd4"), "Item": ("#e6f4ea", "#2f8a4c"), "Entity": ("#fef3e0", "#b7791f")}
_OTHER = ("#f1f3f4", "#5f6368")


def svg(paths: tuple[Path, ...], schema: Schema, title: str) -> str:
    """Draw the paths below one another; names are escaped, and cut where they are long (whole ones in the hints)."""
    longest = max((len(path.nodes) for path in paths), default=1)
    width = 2 * _EDGE + longest * _WIDTH + (longest - 1) * _GAP
    height = 2 * _EDGE + len(paths) * _LINE
    drawn = [part for place, path in enumerate(paths) for part in _line(path, schema, _EDGE + place * _LINE)]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" viewBox="0 0 {width} {height}" width="{width}" '
        f'height="{height}" font-family="system-ui,sans-serif" font-size="12"><title>{_text(title, 500)}</title>'
        '<defs><marker id="arrow" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8" '
        'orient="auto-start-reverse"><path d="M0 0L8 4L0 8z" fill="#5f6368"/></marker></defs>'
        f"{''.join(drawn)}</svg>"
    )


def _line(path: Path, schema: Schema, top: int) -> list[str]:
    # Whom the user's own node is the same as is the user, as another domain knows them.
    moved = next(place for place, step in enumerate(path.steps) if step.edge_type.relation != IDENTITY)
    lefts = [_EDGE + place * (_WIDTH + _GAP) for place in range(len(path.nodes))]
    boxes = enumerate(zip(path.nodes, lefts, strict=True))
    nodes = [_box(node, place <= moved, schema, left, top) for place, (node, left) in boxes]
    starts = zip(path.steps, lefts[:-1], strict=True)
    steps = [_arrow(step, left + _WIDTH, top + _HEIGHT // 2) for step, left in starts]
    more = f", {path.alike - 1:,} more like it" if path.alike > 1 else ""
    said = f"strength {path.strength:.3g}{more}"
    return [*steps, *nodes, f'<text x="{_EDGE}" y="{top + _HEIGHT + 16}" fill="#5f6368" font-size="11">{said}</text>']


def _box(node: Node, own: bool, schema: Schema, left: int, top: int) -> str:
    fill, line = _COLOURS.get(schema.root(node.type), _OTHER)
    name = "you" if own else "someone else" if node.type == USER else shown(node)
    middle = left + _WIDTH // 2
    return (
        f"<g><title>{_text(name)} ({_text(node.word)}, {_text(node.key, 300)})</title>"
        f'<rect x="{left}" y="{top}" width="{_WIDTH}" height="{_HEIGHT}" rx="8" fill="{fill}" stroke="{line}"/>'
        f'<text x="{middle}" y="{top + 17}" text-anchor="middle" fill="{line}" font-size="10">{_text(node.word)}</text>'
        f'<text x="{middle}" y="{top + 34}" text-anchor="middle" fill="#202124">{_text(name, 21)}</text></g>'
    )


def _arrow(step: Step, left: int, middle: int) -> str:
    end = "marker-end" if step.away else "marker-start"
    return (
        f'<g><line x1="{left + 2}" y1="{middle}" x2="{left + _GAP - 2}" y2="{middle}" stroke="#5f6368" '
        f'{end}="url(#arrow)"/><text x="{left + _GAP // 2}" y="{middle - 6}" text-anchor="middle" fill="#5f6368" '
        f'font-size="10">{_text(step.word, 20)}</text></g>'
    )


def _text(value: str, longest: int = 80) -> str:
    return html.escape(plain(value, longest))
