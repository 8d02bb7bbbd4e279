"""What carries runs out: an isolated child, a command, the daemon itself."""
