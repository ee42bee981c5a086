"""Access review: who may do what, whether they need it, who decided, and what was done about it."""
