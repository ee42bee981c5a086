"""What the drill plays: one scenario a file, with what it claims and what can be broken."""
