"""The flows/ language: text → values. Knows no row, no bytes of a message. Pure."""
