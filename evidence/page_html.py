"""HTML that carries foreign text and is harmless: no script, no link, every text escaped.

Characters that hide, break lines or turn the reading direction are shown by their code point, and
every foreign text stands in `<bdi>`, so that it cannot turn the text beside it. Which characters
those are stands here, not in the interpreter's Unicode tables: the same page comes out everywhere.
"""

import base64
import hashlib
import html
import re
from collections.abc import Iterable, Sequence

MAX_SHOWN = 2000

# Controls, soft hyphen, Arabic letter mark, Mongolian vowel separator, zero-width and directional
# marks, line and paragraph separators, invisible operators, BOM, interlinear marks, tags,
# variation selectors, surrogates, private use.
_ODD = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f"
    "\u2028-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\ud800-\uf8ff"
    "\U0001d173-\U0001d17a\U000e0000-\U0010ffff]"
)

STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2em auto; max-width: 80em; padding: 0 1em;
  color: #111; background: #fff; }
table { border-collapse: collapse; width: 100%; table-layout: fixed; }
th, td { border: 1px solid #bbb; padding: .3em .5em; text-align: left; vertical-align: top;
  overflow: hidden; overflow-wrap: anywhere; }
th { background: #eee; }
code, pre { font: 13px/1.4 ui-monospace, monospace; overflow-wrap: anywhere; white-space: pre-wrap;
  margin: 0; }
.odd { background: #fd6; color: #000; border-radius: .2em; padding: 0 .2em; }
.gone { color: #666; font-style: italic; }
@media print { body { margin: 0; max-width: none; } }
"""


def text(value: object) -> str:
    """Return a foreign text, cut at `MAX_SHOWN` characters, as harmless HTML."""
    whole = str(value)
    if len(whole) <= MAX_SHOWN:
        return f"<bdi>{_shown(whole)}</bdi>"
    cut = f' <span class="gone">({len(whole)} characters; cut)</span>'
    return f"<bdi>{_shown(whole[:MAX_SHOWN])}</bdi>{cut}"


def code(value: object) -> str:
    """Return a foreign text as HTML in a fixed-width face."""
    return f"<code>{text(value)}</code>"


def gone(what: str) -> str:
    """Return our own words in place of something that is not there."""
    return f'<span class="gone">{html.escape(what)}</span>'


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table; heads are our own words, the cells of rows are HTML already."""
    head = "".join(f'<th scope="col">{html.escape(name)}</th>' for name in heads)
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>\n" for row in rows)
    return f"<table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}</tbody>\n</table>\n"


def facts(pairs: Iterable[tuple[str, str]]) -> str:
    """Return names (our own words) and values (HTML already) as a table of two columns."""
    rows = "".join(
        f'<tr><th scope="row">{html.escape(name)}</th><td>{value}</td></tr>\n'
        for name, value in pairs
    )
    return f"<table>\n<tbody>\n{rows}</tbody>\n</table>\n"


def section(title: str, *parts: str) -> str:
    """Return a section; the title is our own words, the parts are HTML already."""
    return f"<section>\n<h2>{html.escape(title)}</h2>\n{''.join(parts)}</section>\n"


def paragraphs(*words: str) -> str:
    """Return our own words as paragraphs."""
    return "".join(f"<p>{html.escape(one)}</p>\n" for one in words)


def page(title: str, form: str, parts: Iterable[str]) -> bytes:
    """Return a whole page that may load nothing and run nothing; `form` names how it is made."""
    digest = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    # The policy stands before anything that it governs.
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="referrer" content="no-referrer">\n'
        f'<meta name="generator" content="{html.escape(form)}">\n'
        f"<title>{_plain(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n"
        f"<h1>{text(title)}</h1>\n{''.join(parts)}</body>\n</html>\n"
    ).encode()


def _shown(value: str) -> str:
    if value.isascii() and value.isprintable():
        return _escape(value)
    # What is escaped first holds no odd characters, and what is put in after holds no foreign text.
    return _ODD.sub(lambda found: f'<span class="odd">{_point(found[0])}</span>', _escape(value))


def _plain(value: str) -> str:
    return _ODD.sub(lambda found: _point(found[0]), _escape(value[:MAX_SHOWN]))


def _escape(value: str) -> str:
    return html.escape(value, quote=True)


def _point(character: str) -> str:
    return f"U+{ord(character):04X}"
