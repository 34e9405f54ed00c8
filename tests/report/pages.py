"""Looks at pages as a parser sees them."""

import json
from html.parser import HTMLParser

VOID = {"meta", "input", "br", "link", "img", "hr"}
LOADS = ("src", "srcset", "data", "action", "formaction", "poster", "background", "ping")


class PageParser(HTMLParser):
    """Gathers texts, tables and attributes, and sees that elements are closed in order."""

    def __init__(self, text):
        super().__init__()
        self.open, self.texts, self.attributes, self.elements = [], [], [], []
        self.scripts, self.tables, self.headings = [], [], []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.elements.append(tag)
        self.attributes += [(tag, name, value) for name, value in attrs]
        if tag == "script":
            self.scripts.append([dict(attrs), ""])
        if tag == "table":
            self.tables.append([])
        if tag == "tr":
            self.tables[-1].append([])
        if tag in ("td", "th"):
            self.tables[-1][-1].append("")
        if tag == "h2":
            self.headings.append("")
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] == "script":
            self.scripts[-1][1] += data
            return
        self.texts.append(data)
        if (self.open and "td" in self.open) or "th" in self.open:
            self.tables[-1][-1][-1] += data
        if self.open and self.open[-1] == "h2":
            self.headings[-1] += data

    @property
    def text(self):
        return " ".join(" ".join(self.texts).split())

    @property
    def users(self):
        return next(json.loads(text) for attrs, text in self.scripts if attrs.get("id") == "user-data")

    def of(self, name):
        return [value for _, key, value in self.attributes if key == name]


def check_page(text):
    """Parse a page, and see that it loads nothing, has a policy, and that what is referred to is there."""
    page = PageParser(text)
    assert [(tag, name, value) for tag, name, value in page.attributes if name in LOADS or name.startswith("on")] == []
    assert all(value.startswith("#") for _, name, value in page.attributes if name in ("href", "xlink:href"))
    assert "url(" not in text
    assert "@import" not in text
    policy = next(value for value in page.of("content") if "default-src" in value)
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe" not in policy
    assert page.of("style") == []  # the policy would not let them have an effect
    names = page.of("id")
    assert len(names) == len(set(names))
    assert {value.removeprefix("#") for value in page.of("href")} <= set(names)
    assert set(page.of("aria-describedby")) | set(page.of("aria-labelledby")) <= set(names)
    assert page.elements.count("table") == page.elements.count("caption")
    assert all(label for tag, name, label in page.attributes if name == "aria-label")
    return page
