"""Scheduled reports from databases and files, by mail and chat, with the proof of who got what."""

__version__ = "0.1.0"
