"""The proof of a topology without packets: what should arrive, and what does by the interpreter.

Pure. `expectations` judges by the topology alone, and knows no flow and no resource of a host;
`trace` computes the way of a packet by the flows and resources.
"""
