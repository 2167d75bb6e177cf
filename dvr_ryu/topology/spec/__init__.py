"""Parse the topology file: text to a declaration, or to all its problems. Pure."""
