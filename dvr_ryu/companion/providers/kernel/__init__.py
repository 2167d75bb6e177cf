"""Providers that use files below /proc and raw sockets: settings, announcements, rights."""
