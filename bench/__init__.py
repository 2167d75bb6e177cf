"""`python -m bench`: how fast dvr_ryu is beside its peers, measured in one run. See README.rst."""
