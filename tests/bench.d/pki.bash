# shellcheck shell=bash
# The home, its copies, the requests, and whether what was issued verifies. Sourced by tests/bench.

p11ca() {
    "$BUILD/bin/p11ca" "$@"
}

# A home whose factory key all sides use; the token is thrown away in the end.
# shellcheck disable=SC2034  # PIN and KEY_URI are for peers.bash
make_home() {
    run p11ca -q init home --name Bench --softhsm
    KEY=$(sed -nE 's/^ *factory *= .*key = "([^"]*)".*/\1/p' home/p11ca.conf)
    PIN=$(<home/pins/factory)
    KEY_URI="pkcs11:token=bench-factory;object=$KEY;type=private"
}

# copy_home NAME: as it was made. p11ca puts the store's path right by itself; nobody else uses the copies.
copy_home() {
    cp -a home "$1"
}

# The same devices in every form: requests in DER and, one by one, in PEM, and their public keys.
make_requests() {
    run "$BUILD/tests/lot" requests "$N" D requests.pem keys.csv
    mkdir pem
    awk '/^-----BEGIN/ { n++ } { print >sprintf("pem/D-%07d.csr", n) } /^-----END/ { close(sprintf("pem/D-%07d.csr", n)) }' \
        requests.pem
}

# split_bundle FILE DIR: a file for each certificate.
split_bundle() {
    mkdir "$2"
    awk -v dir="$2" '/^-----BEGIN/ { f = sprintf("%s/%07d.crt", dir, ++n) } { print >f } /^-----END/ { close(f) }' "$1"
}

# good WHO DIR COUNT: so many certificates are there, and 20 of them, evenly spread, are the factory's.
good() {
    local files=()
    mapfile -t files < <(find "$2" -maxdepth 1 -type f -size +0 ! -name chain.pem | sort)
    ((${#files[@]} == $3)) || die "run $RUN: $1: want $3 certificates, have ${#files[@]}"
    local step=$((($3 + 19) / 20)) i sample=()
    for ((i = 0; i < $3; i += step)); do
        sample+=("${files[i]}")
    done
    openssl verify -x509_strict -purpose sslclient -CAfile home/root.crt -untrusted home/factory.crt "${sample[@]}" \
        >verify.out 2>&1 || {
        tail -n 5 verify.out >&2
        die "run $RUN: $1: a certificate does not verify"
    }
}
