"""From the file to jobs: reading, the table of keys, checking, and telling what is wrong."""
