"""The day of treatment: consent, every gate before the needle, and what was really done."""
