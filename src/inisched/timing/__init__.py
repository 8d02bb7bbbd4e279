"""When things happen: phrases, zones, recurrences, and our children of the `schedule` library."""
