"""The style sheet of an SVG: its colours in light and dark. Data only.

The colours are variables, and all rules begin with the class of the picture: a page that has the
picture in it may set the variables itself. An element with the class `passed` is on a way; in a
picture with the class `traced` all other elements are pale.
"""

from __future__ import annotations

CLASS = "dvr-picture"

LIGHT = """
--paper: #ffffff; --ink: #1f2328; --pale: #59636e; --line: #7d8590; --host: #f6f8fa;
--box: #ffffff; --way: #cf222e; --way-ink: #ffffff;
--net-0: #0969da; --net-1: #9a6700; --net-2: #8250df; --net-3: #1a7f37;
--net-4: #bf3989; --net-5: #0b7285; --net-6: #bc4c00; --net-7: #57606a;
"""
DARK = """
--paper: #0d1117; --ink: #e6edf3; --pale: #9198a1; --line: #6e7681; --host: #151b23;
--box: #0d1117; --way: #ff7b72; --way-ink: #0d1117;
--net-0: #58a6ff; --net-1: #d29922; --net-2: #bc8cff; --net-3: #3fb950;
--net-4: #f778ba; --net-5: #39c5cf; --net-6: #f0883e; --net-7: #9aa4af;
"""

RULES = """
text { fill: var(--ink); font: 11px "DejaVu Sans Mono", ui-monospace, Menlo, Consolas, monospace; }
.heading { font-weight: bold; }
.caption { font-size: 12px; font-weight: bold; }
.detail { font-size: 10px; fill: var(--pale); }
rect { fill: none; stroke: var(--line); }
.paper { fill: var(--paper); stroke: none; }
.host > .frame { fill: var(--host); }
.box > .frame { fill: var(--box); }
.bridge > .frame { stroke: currentColor; stroke-width: 1.6; }
.outside > .frame, .underlay > .frame { stroke-dasharray: 5 3; }
.item > rect { stroke: currentColor; fill: currentColor; fill-opacity: 0.1; }
.cable > path { fill: none; stroke: currentColor; stroke-width: 1.4; }
.cable > .touch { stroke: transparent; stroke-width: 9; }
.tunnel > .line, .routed > .line { stroke-dasharray: 6 4; }
.internal > .line { stroke-width: 2; }
.patch > .line, .underlay > .line { stroke-width: 2.6; }
.arrow { fill: context-stroke; }
.key { stroke: none; fill: currentColor; }
.badge rect { fill: var(--way); stroke: none; }
.badge text { fill: var(--way-ink); font-size: 9px; font-weight: bold; text-anchor: middle; }
.within { fill: none; stroke: var(--way); stroke-width: 3; }
.passed.item > rect, .passed.box > .frame, .passed.host > .frame { stroke: var(--way); }
.passed.item > rect { stroke-width: 2; fill: var(--way); fill-opacity: 0.15; }
.passed.cable > .line { stroke: var(--way); stroke-width: 3; }
.traced .item:not(.passed), .traced .cable:not(.passed), .traced .box:not(.passed) > text
  { opacity: 0.4; }
[id]:hover > rect, .cable:hover > .line { stroke-width: 3; }
"""


def style() -> str:
    """The content of the style element."""
    rules = RULES.strip().replace("\n  {", " {").splitlines()
    scoped = "\n".join(_scoped(rule) for rule in rules)
    networks = "\n".join(
        f".{CLASS} .net-{number} {{ color: var(--net-{number}); }}" for number in range(COLOURS)
    )
    light, dark = (" ".join(each.split()) for each in (LIGHT, DARK))
    return (
        f".{CLASS} {{ {light} color: var(--pale); }}\n"
        f"@media (prefers-color-scheme: dark) {{ .{CLASS} {{ {dark} }} }}\n"
        f"{networks}\n{scoped}\n"
    )


COLOURS = LIGHT.count("--net-")
"""The number of colours of networks."""


def _scoped(rule: str) -> str:
    """A rule whose selectors hold only within the picture."""
    selectors, brace, body = rule.partition(" {")
    within = (
        f".{CLASS}{each}" if each.startswith(".traced") else f".{CLASS} {each}"
        for each in selectors.split(", ")
    )
    return f"{', '.join(within)}{brace}{body}"
