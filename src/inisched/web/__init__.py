"""What browsers and other programs see of a daemon, each in a process of its own."""
