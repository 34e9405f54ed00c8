"""Writes a page as one HTML file that loads nothing, and runs no script but its own.

Texts of data are escaped by Jinja2; the users that can be looked up are JSON, which the script shows as text. The
content policy names style and script by their hashes, so that nothing else would be taken for either.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from recbole_decrs.files import replaced_whole
from recbole_decrs.report.parts import Page


def page_text(page: Page) -> str:
    """Make the text of the HTML file of a page."""
    from recbole_decrs import __version__

    environment = _environment()
    style, script = (environment.loader.get_source(environment, name)[0] for name in ("style.css", "page.js"))
    style, script = (text.replace("\r\n", "\n") for text in (style, script))  # as browsers do before they hash it
    template = environment.get_template("page.html")
    return template.render(page=page, style=style, script=script, version=__version__)


def write_page(page: Page, path: str | os.PathLike) -> None:
    """Write the HTML file of a page, whole or not at all.

    Raises:
        OSError: it cannot be written.
    """
    content = page_text(page).encode("utf-8", "replace")  # an id that is no text of Unicode gets question marks
    with replaced_whole(path) as file:
        file.write(content)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("recbole_decrs.report"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    environment.filters |= {"as_json": _as_json, "sha256": _sha256}
    return environment


def _as_json(data: Any) -> Markup:
    """Write plain data such that nothing in it ends the script element, or begins another."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for letter in "<>&\u2028\u2029":
        text = text.replace(letter, f"\\u{ord(letter):04x}")
    return Markup(text)


def _sha256(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")
