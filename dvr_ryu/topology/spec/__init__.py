"""The topology file: its words, and text → declaration, or all that is wrong with it. Pure."""
