"""`python -m bench` measures how fast dvr_ryu is, and its peers in the same run. See README.rst."""
