"""Content files from outside: read, checked, compared, packed. Pure apart from reading files: no database, no clock."""
