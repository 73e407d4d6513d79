"""Follow-up: the calendar, dated steps and their edits, red flags, outcomes."""
