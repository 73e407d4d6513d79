"""Suitability: rules over answers and context, the toxin history, intervals, evidence."""
