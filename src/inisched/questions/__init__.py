"""What the faces ask: jobs, ledger and coming fires joined; never how it is shown."""
