"""Pictures: of hosts, of a pipeline and of a packet's way, as SVG, DOT, Mermaid or text.

`picture` defines them as values; `hosts` and `pipeline` make them; each format has one writer.
"""
