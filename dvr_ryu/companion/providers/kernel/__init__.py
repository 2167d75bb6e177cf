"""What the kernel is asked by files below /proc and by raw sockets: settings, announcements,
rights.
"""
