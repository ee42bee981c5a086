"""The incident and its verbs: act, keep, ask, tell, seal, together."""
