"""Keys that live elsewhere (Vault, KMS, a PKCS #11 token) and never leave it."""
