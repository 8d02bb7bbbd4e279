"""Lets `python -m inisched` work."""

from inisched.cli import main

if __name__ == "__main__":
    main()
