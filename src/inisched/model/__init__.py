"""Values: what the product speaks of. No clock, no file, no database, no other floor."""
