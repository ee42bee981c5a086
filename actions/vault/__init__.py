"""Actions on HashiCorp Vault, and on OpenBao where its API is the same."""
