"""What `stanch doctor` looks at: each check by itself, so that one that hangs hides no other."""
