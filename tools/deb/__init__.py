"""Make the Debian package: python -m tools.deb WHEELHOUSE FOLDER; `make deb` calls it.

`bundle` makes /opt/dvr_ryu of wheels, `documents` the manual and completions, `licenses` what is in
it of others, and debhelper the package, by the rules of packaging/debian.
"""
