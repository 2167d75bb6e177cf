"""The kinds of resources that a Linux host can have: frozen values. Pure: nothing here reads or
makes one.
"""
