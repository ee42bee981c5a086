"""A simulated Vault, faithful where containment needs it, after the Vault API documentation."""
