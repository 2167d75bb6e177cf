"""Runs a bridge's pipeline on packets that are values: the interpreter. Pure."""
