"""A second verifier of evidence bundles, written from `docs/evidence/bundle.md` alone.

It shares no line with the product: only the standard library and `cryptography`, and what RFC 6962,
7515, 8493, 8785, 9162 and the C2SP documents say. It is small and slow, and it leaves out what the
document lets another verifier leave out, and `data/time` (tokens are hashed, not judged), so its
verdict on a good bundle is 3 and never 0. It does not follow a case into a later bundle.
"""
