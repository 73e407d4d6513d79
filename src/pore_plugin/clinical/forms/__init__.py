"""Forms: which questions are shown, and whether the answers fit."""
