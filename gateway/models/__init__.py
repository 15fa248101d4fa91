"""The model map: entries, names, patterns, splits, defaults and limits."""
