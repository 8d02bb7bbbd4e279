"""Where the account is kept: small doors, and the SQLite that stands behind them."""
