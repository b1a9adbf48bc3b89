# shellcheck shell=bash
# Others at the same work: the same token and key, the same requests, turn by turn with ours. They get their PIN in their
# arguments or environment because that is how they take it.

rows_peers() {
    cat <<END
openssl_ca|/s|openssl ca -infiles, engine pkcs11
ratio_bench|ratio|  p11ca bench, 2 jobs / openssl ca
ratio_bench_keys|ratio|  p11ca bench, public keys / openssl ca
ratio_files|ratio|  p11ca batch, requests to a directory / openssl ca, by the clock
ratio_bundle|ratio|  p11ca batch, requests to a bundle / openssl ca
ratio_keys|ratio|  p11ca batch, public keys to a directory / openssl ca
ratio_keys_bundle|ratio|  p11ca batch, public keys to a bundle / openssl ca
issue|/s|p11ca issue, a process for each certificate
x509_req|/s|openssl x509 -req, engine pkcs11, a process for each
ratio_x509_req|ratio|  time of p11ca issue / of openssl x509 -req: at most 1 is wanted
certtool|/s|certtool --generate-certificate, a process for each
END
}

# The extensions of profile 'device'. Ours names each device in its URI; theirs has one URI for all.
prepare_peers() {
    cat >extensions <<END
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = clientAuth
subjectAltName = URI:urn:p11ca:device:D-0000001
authorityKeyIdentifier = keyid
END
    cat >ca.cnf - extensions <<END
[ca]
default_ca = c
[c]
dir = .
database = index.txt
new_certs_dir = certs
serial = serial
certificate = $WORK/home/factory.crt
default_md = sha256
default_days = 365
policy = pol
unique_subject = no
x509_extensions = ext
[pol]
commonName = supplied
[ext]
END
    cat >certtool.cfg <<END
expiration_days = 365
tls_www_client
signing_key
uri = "urn:p11ca:device:D-0000001"
END
}

on_token() {
    SOFTHSM2_CONF=$WORK/home/softhsm/softhsm2.conf PKCS11_MODULE_PATH=$MODULE GNUTLS_PIN=$PIN "$@"
}

openssl_ca() {
    (
        cd "ca-$RUN" && on_token openssl ca -batch -config ../ca.cnf -notext -engine pkcs11 -keyform engine \
            -keyfile "$KEY_URI;pin-value=$PIN" -infiles ../pem/*.csr
    )
}

# each COMMAND...: once for each of the first PEER_N devices, its name behind.
each() {
    local i
    for ((i = 1; i <= PEER_N; i++)); do
        "$@" "$(printf 'D-%07d' "$i")" || return
    done
}

issue() {
    p11ca -q -C "home-issue-$RUN" issue -a factory -p device --csr "pem/$1.csr" -o "issue-$RUN/$1.crt"
}

x509_req() {
    on_token openssl x509 -req -in "pem/$1.csr" -days 365 -CA home/factory.crt -engine pkcs11 -CAkeyform engine \
        -CAkey "$KEY_URI;pin-value=$PIN" -extfile extensions -out "x509_req-$RUN/$1.crt"
}

certtool_one() {
    on_token certtool --generate-certificate --load-request "pem/$1.csr" --load-ca-certificate home/factory.crt \
        --load-ca-privkey "$KEY_URI" --provider "$MODULE" --template certtool.cfg --outfile "certtool-$RUN/$1.crt"
}

turn_peers() {
    mkdir -p "ca-$RUN/certs" "issue-$RUN" "x509_req-$RUN" "certtool-$RUN"
    : >"ca-$RUN/index.txt"
    echo 01000000000000000000000000000000 >"ca-$RUN/serial"
    copy_home "home-issue-$RUN"

    timed_rate openssl_ca "$N" openssl_ca
    good 'openssl ca' "ca-$RUN/certs" "$N"
    timed_rate issue "$PEER_N" each issue
    good 'p11ca issue' "issue-$RUN" "$PEER_N"
    timed_rate x509_req "$PEER_N" each x509_req
    good 'openssl x509 -req' "x509_req-$RUN" "$PEER_N"
    timed_rate certtool "$PEER_N" each certtool_one
    good certtool "certtool-$RUN" "$PEER_N"

    note_ratio ratio_bench rate_2 openssl_ca
    note_ratio ratio_bench_keys rate_keys openssl_ca
    note_ratio ratio_files batch_files_wall openssl_ca
    note_ratio ratio_bundle batch_bundle_wall openssl_ca
    note_ratio ratio_keys batch_keys_wall openssl_ca
    note_ratio ratio_keys_bundle batch_keys_bundle_wall openssl_ca
    note_ratio ratio_x509_req x509_req issue
}
