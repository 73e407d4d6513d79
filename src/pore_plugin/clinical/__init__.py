"""Pure clinical rules. They know no database, no HTTP and no clock, and import contracts only."""
