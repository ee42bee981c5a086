"""The guide in every bundle: how to check it with stock sha256sum and openssl."""

GUIDE_TEXT = r"""# Check this bundle

`trust.json` came to you by another way than this bundle. Everything below trusts only that file.

The whole check, with `stanch-verify.pyz` (needs Python 3.11, the package `cryptography`, and
`rfc3161-client` for timestamps):

    python3 stanch-verify.pyz verify . --trust ../trust.json

The same with stock tools, for hashes and signatures. Run it in this folder with a POSIX shell and
OpenSSL 3; set TRUST to the path of `trust.json`. Each line of output ends in `OK`, or
the script stops.

```sh
set -eu
W=$(mktemp -d)
member() { sed -n "s/.*\"$1\": *\"\([^\"]*\)\".*/\1/p" "$2" | head -n 1; }
unbase64url() {
    v=$(printf %s "$1" | tr '_-' '/+')
    while [ $((${#v} % 4)) -ne 0 ]; do v="$v="; done
    printf %s "$v" | openssl base64 -d -A
}
hex() { od -An -v -tx1 | tr -d ' \n'; }

# 1. Every file is the one that was listed.
sha256sum --quiet -c tagmanifest-sha256.txt
sha256sum --quiet -c manifest-sha256.txt
echo "files: OK"

# 2. The ledger's head is signed by the log (Ed25519, C2SP signed-note).
VKEY=$(member log_vkey "$TRUST")
printf '\060\052\060\005\006\003\053\145\160\003\041\000' > "$W/log.der"
printf %s "$VKEY" | cut -d+ -f3- | openssl base64 -d -A | tail -c 32 >> "$W/log.der"
sed '/^$/,$d' data/custody/checkpoint > "$W/head"
NAME=$(printf %s "$VKEY" | cut -d+ -f1)
[ "$NAME" = "$(head -n 1 "$W/head")" ]
awk -v n="$NAME" '$2 == n { print $3; exit }' data/custody/checkpoint |
    openssl base64 -d -A | tail -c 64 > "$W/head.sig"
openssl pkeyutl -verify -rawin -pubin -keyform DER -inkey "$W/log.der" \
    -sigfile "$W/head.sig" -in "$W/head" > "$W/out" 2>&1 || { cat "$W/out"; exit 1; }
echo "checkpoint signature: OK"

# 3. Manifests and export statement are signed by the manifest key (ES256, RFC 7515).
printf '\060\131\060\023\006\007\052\206\110\316\075\002\001\006\010\052\206\110' > "$W/es.der"
printf '\316\075\003\001\007\003\102\000\004' >> "$W/es.der"
unbase64url "$(member x "$TRUST")" >> "$W/es.der"
unbase64url "$(member y "$TRUST")" >> "$W/es.der"
for token in export.jws data/custody/manifests/*.jws; do
    [ -e "$token" ] || continue
    IFS=. read -r HEADER PAYLOAD SIGNATURE < "$token" || true
    printf %s "$HEADER.$PAYLOAD" > "$W/signed"
    RS=$(unbase64url "$SIGNATURE" | hex)
    R=$(printf %s "$RS" | cut -c 1-64)
    S=$(printf %s "$RS" | cut -c 65-128)
    printf 'asn1=SEQUENCE:s\n[s]\nr=INTEGER:0x%s\ns=INTEGER:0x%s\n' "$R" "$S" > "$W/asn1"
    openssl asn1parse -genconf "$W/asn1" -noout -out "$W/sig"
    openssl dgst -sha256 -keyform DER -verify "$W/es.der" -signature "$W/sig" "$W/signed" \
        > "$W/out" 2>&1 || { cat "$W/out"; exit 1; }
    echo "$token: OK"
done

# 4. The export statement names this tag manifest and this checkpoint.
IFS=. read -r HEADER PAYLOAD SIGNATURE < export.jws || true
unbase64url "$PAYLOAD" > "$W/statement"
sha256() { sha256sum < "$1" | cut -c 1-64; }
[ "$(member tagmanifest_sha256 "$W/statement")" = "$(sha256 tagmanifest-sha256.txt)" ]
[ "$(member checkpoint_sha256 "$W/statement")" = "$(sha256 data/custody/checkpoint)" ]
echo "export statement: OK"

# 5. Timestamps (RFC 3161) lead to the roots of the authorities that trust.json names.
tr '{,' '\n\n' < "$TRUST" > "$W/trust"
sed -n 's/^ *"root": *"\([^"]*\)".*/\1/p' "$W/trust" |
    while read -r PEM; do printf '%b' "$PEM"; done > "$W/roots"
for NAME in $(sed -n 's/^ *"name": *"\([a-z0-9-]*\)".*/\1/p' "$W/trust"); do
    for token in data/time/*-"$NAME".tsr; do
        [ -e "$token" ] || continue
        SIZE=${token##*/}
        openssl ts -verify -data "data/time/${SIZE%%-*}.txt" -in "$token" -CAfile "$W/roots" \
            > "$W/out" 2>&1 || { cat "$W/out"; exit 1; }
        echo "$token: OK"
    done
done

# 6. Witnesses that trust.json names cosigned the head (Ed25519, C2SP tlog-cosignature).
tr '[,' '\n\n' < "$TRUST" |
    sed -n 's/.*"\([^"+ ]*+[0-9a-f]*+B[A-P][A-Za-z0-9+\/]\{42\}\)".*/\1/p' > "$W/witnesses"
while read -r VKEY; do
    NAME=${VKEY%%+*}
    awk -v n="$NAME" '$2 == n { print $3; exit }' data/custody/checkpoint |
        openssl base64 -d -A > "$W/line"
    [ -s "$W/line" ] || continue
    printf '\060\052\060\005\006\003\053\145\160\003\041\000' > "$W/witness.der"
    printf %s "$VKEY" | cut -d+ -f3- | openssl base64 -d -A | tail -c 32 >> "$W/witness.der"
    AT=$(printf %d "0x$(head -c 12 "$W/line" | tail -c 8 | hex)")
    { printf 'cosignature/v1\ntime %s\n' "$AT"; cat "$W/head"; } > "$W/cosigned"
    tail -c 64 "$W/line" > "$W/line.sig"
    openssl pkeyutl -verify -rawin -pubin -keyform DER -inkey "$W/witness.der" \
        -sigfile "$W/line.sig" -in "$W/cosigned" > "$W/out" 2>&1 || { cat "$W/out"; exit 1; }
    echo "cosignature of $NAME: OK"
done < "$W/witnesses"
```

With more than one manifest key in `trust.json`, take `x` and `y` of the one whose `kid` the token
names. Openings, Merkle proofs, the completeness of the sequence, that a timestamp is of the very
certificate that `trust.json` names, cosignatures in ML-DSA-44, and whether so many witnesses are
enough for the policy, only the verifier checks.
"""
