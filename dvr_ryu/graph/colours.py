"""The colours of DOT and Mermaid. These know no dark mode, so each colour is legible on white and
on black. Pure.
"""

from __future__ import annotations

from dvr_ryu.graph.picture import Picture

INK = "#70777f"
WAY_COLOUR = "#e5484d"
_NETWORKS = (
    "#2f81d8", "#b07a10", "#9065d8", "#2e9b4a", "#d0508f", "#149aa8", "#d0661c", "#70777f",
)  # fmt: skip


def colour_of(picture: Picture, network: str | None) -> str:
    """The colour of a network; that of the ink for none."""
    number = next((key.number for key in picture.networks if key.name == network), None)
    return INK if number is None else _NETWORKS[number % len(_NETWORKS)]
