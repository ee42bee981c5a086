"""The log's second key, ML-DSA-44 (FIPS 204): with it, who forges a head must break both.

Needs a version of cryptography that has ML-DSA; a deployment without a second key does not.
"""

import os
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import mldsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from evidence.cosignature import CosigningKey, cosigning_key
from evidence.errors import KeyMaterialError
from evidence.key_files import pem, read_closed, refuse_readable, write_closed
from evidence.keys import SECOND

MAX_FILE = 1 << 14


def create_second(folder: Path, origin: str) -> CosigningKey:
    """Make the second key of the log named `origin` in the keys' folder; return it.

    Raises:
        KeyMaterialError: when others can read the folder, or there is one.
    """
    refuse_readable(folder, os.stat(folder, follow_symlinks=False))
    try:
        write_closed(folder / SECOND, pem(mldsa.MLDSA44PrivateKey.generate()))
    except FileExistsError as error:
        raise KeyMaterialError(f"{folder / SECOND} exists; keys are never overwritten") from error
    return load_second(folder, origin)


def load_second(folder: Path, origin: str) -> CosigningKey:
    """Return the second key in the keys' folder, which signs under the log's own name.

    Raises:
        KeyMaterialError: when it is missing, open to others, or no ML-DSA-44 private key.
    """
    path = folder / SECOND
    try:
        key = load_pem_private_key(read_closed(path, MAX_FILE), password=None)
    except (ValueError, TypeError) as error:
        raise KeyMaterialError(f"{path} is not an unencrypted PEM private key") from error
    if not isinstance(key, mldsa.MLDSA44PrivateKey):
        raise KeyMaterialError(f"{path} is not an ML-DSA-44 private key")
    return cosigning_key(origin, key)
