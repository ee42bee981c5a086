"""Who holds each artifact of a case, who read it, what holds it, and when it may go."""
