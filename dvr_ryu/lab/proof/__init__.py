"""The proof that a lab works: checks as values, and the probes that carry them out."""
