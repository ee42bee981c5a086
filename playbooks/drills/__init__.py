"""The practice range: simulated AWS, scenarios, scoring."""
