#!/usr/bin/env bats
# Does a certificate verify: at a time, under files instead of a home, by CRLs and OCSP responses of other programs.

load common

# A CA of openssl: good, revoked and unknown to its responder; a responder it has authorised, and one it has not.
setup_file() {
    cd "$BATS_FILE_TMPDIR"
    openssl ecparam -name prime256v1 -genkey -noout -out k.key
    openssl ecparam -name prime256v1 -genkey -noout -out ca.key
    openssl ecparam -name prime256v1 -genkey -noout -out other.key
    openssl req -x509 -new -key ca.key -subj /CN=CA -days 3650 -addext keyUsage=critical,keyCertSign,cRLSign -out ca.crt
    openssl req -x509 -new -key other.key -subj /CN=CA -days 3650 -addext keyUsage=critical,keyCertSign,cRLSign -out other.crt
    mkdir db
    : >db/index.txt
    echo 1000 >db/serial
    echo 01 >db/crlnumber
    cat >ca.cnf <<'END'
[ca]
default_ca = d
[d]
dir = db
database = db/index.txt
new_certs_dir = db
serial = db/serial
crlnumber = db/crlnumber
certificate = ca.crt
private_key = ca.key
default_md = sha256
default_days = 100
default_crl_days = 30
unique_subject = no
policy = any
[any]
commonName = supplied
[leaf]
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = serverAuth
subjectAltName = DNS:a.example
authorityKeyIdentifier = keyid
[responder]
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = OCSPSigning
authorityKeyIdentifier = keyid
END
    local name
    for name in good bad lost responder stranger; do
        openssl req -new -key k.key -subj "/CN=$name" -out "$name.csr"
        openssl ca -batch -config ca.cnf -extensions "$([[ $name == responder ]] && echo responder || echo leaf)" -in $name.csr \
            -notext -out $name.crt 2>/dev/null
    done
    openssl ca -config ca.cnf -revoke bad.crt -crl_reason keyCompromise 2>/dev/null
    openssl ca -config ca.cnf -gencrl -out ca.crl 2>/dev/null
    openssl ca -config ca.cnf -gencrl -crl_lastupdate 20250101000000Z -crl_nextupdate 20250201000000Z -out old.crl 2>/dev/null
    openssl crl -in ca.crl -outform DER -out ca.der
    sed 's/ca\.key/other.key/; s/ca\.crt/other.crt/' ca.cnf >other.cnf
    openssl ca -config other.cnf -gencrl -out other.crl 2>/dev/null
    grep -v /CN=lost db/index.txt >responder.txt
    cp db/index.txt.attr responder.txt.attr
    answer good good.der responder
    answer bad bad.der responder
    answer lost lost.der responder
    answer good by-ca.der ca ca.key
    answer good stranger.der stranger
}

# answer CERT FILE SIGNER [KEY]
answer() {
    openssl ocsp -index responder.txt -CA ca.crt -rsigner "$3.crt" -rkey "${4:-k.key}" -issuer ca.crt -cert "$1.crt" \
        -respout "$2" -ndays 7
}

setup() {
    cd "$BATS_FILE_TMPDIR"
}

verify() {
    p11ca verify "$@"
}

# negative CODE WORDS ARGUMENTS...: exit status 1 with this reason and this code.
negative() {
    answers 1 "p11ca: $2" verify "${@:3}"
    run --separate-stderr p11ca --json verify "${@:3}"
    equal "$status $(jq -r '.verified, .code' <<<"$output" | tr '\n' ' ')" "1 false $1 "
}

@test "under CA files, without a home" {
    succeeds verify good.crt --ca ca.crt
    equal "$output" 'good.crt: verified, revocation not asked, serial 1000'
    succeeds verify good.crt --ca ca.crt --purpose server --host a.example
    negative HOST_MISMATCH "good.crt: chain: RFC 9525 6: want 'b.example' in the SAN, have other names" good.crt --ca ca.crt --host b.example
    negative CHAIN_BAD 'good.crt: chain: RFC 5280 6.1: *' good.crt --ca other.crt
    answers 4 'p11ca: good.crt: good.csr: want a certificate, have a certificate request' verify good.crt --ca good.csr
}

@test "at a time" {
    local end
    end=$(date -u -d "$(openssl x509 -in good.crt -noout -enddate | cut -d= -f2)" +%FT%TZ)
    succeeds verify good.crt --ca ca.crt --at "$(date -u -d "$end - 1 second" +%FT%TZ)"
    negative CHAIN_BAD "good.crt: chain: RFC 5280 6.1: certificate has expired (certificate 0, 'CN=good')" good.crt --ca ca.crt \
        --at "$(date -u -d "$end + 1 second" +%FT%TZ)"
    negative CHAIN_BAD "good.crt: chain: RFC 5280 6.1: certificate is not yet valid (certificate *)" good.crt --ca ca.crt --at 2001-01-01
    answers 2 "p11ca: option --at: want a date as 2026-11-21 or 2026-11-21T03:05:00Z, have 'now'" verify good.crt --at now
}

@test "by a CRL" {
    local crl
    for crl in ca.crl ca.der; do
        succeeds verify good.crt --ca ca.crt --crl "$crl"
        equal "$output" 'good.crt: verified, not revoked, serial 1000'
        negative REVOKED 'bad.crt: revoked at 20*Z, keyCompromise' bad.crt --ca ca.crt --crl "$crl"
    done
    negative CRL_STALE 'good.crt: old.crl: CRL: RFC 5280 5.1.2.5: want one that is current at 20*Z, have one for 2025-01-01T00:00:00Z to 2025-02-01T00:00:00Z' \
        good.crt --ca ca.crt --crl old.crl
    negative CRL_BAD "good.crt: other.crl: CRL: RFC 5280 6.3.3: want it signed by the key of the certificate's issuer, have another signature" \
        good.crt --ca ca.crt --crl other.crl
    # The right one of two: an attacker adds none that helps, and one that is another CA's is no answer.
    negative REVOKED 'bad.crt: revoked at 20*Z, keyCompromise' bad.crt --ca ca.crt --crl ca.crl --crl ca.der
    p11ca -q init home --name Acme --softhsm >/dev/null
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout x.key -subj /CN=X -out x.crt 2>/dev/null
    sed 's/ca\.key/x.key/; s/ca\.crt/x.crt/' ca.cnf >x.cnf
    openssl ca -config x.cnf -gencrl -out x.crl 2>/dev/null
    negative REVOCATION_UNKNOWN 'good.crt: revocation: none of the CRLs is by its issuer' good.crt --ca ca.crt --crl x.crl
}

@test "by an OCSP response" {
    succeeds verify good.crt --ca ca.crt --ocsp good.der
    equal "$output" 'good.crt: verified, not revoked, serial 1000'
    succeeds verify good.crt --ca ca.crt --ocsp by-ca.der --crl ca.crl
    negative REVOKED 'bad.crt: revoked at 20*Z, keyCompromise' bad.crt --ca ca.crt --ocsp bad.der
    negative REVOCATION_UNKNOWN 'lost.crt: revocation: the OCSP response says that the responder does not know this certificate' \
        lost.crt --ca ca.crt --ocsp lost.der
    negative OCSP_BAD 'good.crt: bad.der: OCSP response: RFC 6960 4.2.1: want an answer about this certificate, have one about others' \
        good.crt --ca ca.crt --ocsp bad.der
    negative OCSP_BAD 'good.crt: stranger.der: OCSP response: RFC 6960 4.2.2.2: want it signed by the issuer, or by a responder that the issuer has authorised, have another signature' \
        good.crt --ca ca.crt --ocsp stranger.der
    negative OCSP_STALE 'good.crt: good.der: OCSP response: RFC 6960 4.2.2.1: want one that is current at *' good.crt --ca ca.crt --ocsp good.der \
        --at "$(date -u -d '+8 days' +%F)"
    negative OCSP_BAD 'good.crt: ca.crl: OCSP response: RFC 6960 4.2.1: want an OCSPResponse in DER, have something else' \
        good.crt --ca ca.crt --ocsp ca.crl
    negative REVOKED 'bad.crt: revoked at 20*Z, keyCompromise' bad.crt --ca ca.crt --ocsp bad.der --crl ca.crl
}
