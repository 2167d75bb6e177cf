"""Make the Debian package: python -m tools.deb WHEELHOUSE FOLDER; `make deb` calls it.

`bundle` makes /opt/dvr_ryu of wheels, `documents` what is generated, and debhelper the package, by
the rules of packaging/debian.
"""
