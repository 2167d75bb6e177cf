"""The kinds of resources that a Linux host can have: frozen values. Pure: no module here reads or
makes one.
"""
