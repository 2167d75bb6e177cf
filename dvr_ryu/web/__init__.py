"""HTTP for people and programs that watch: a server that only shows, and the page. It changes
nothing.
"""
