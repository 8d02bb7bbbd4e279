"""The daemon: looks, claims, starts, notes ends; its lock and its reload. Knows only doors."""
