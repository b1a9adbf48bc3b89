#!/usr/bin/env bats
# p11ca identify, thumbprint, pin; libp11ca-auth as a service links it, with what this CA issues and revokes.

load common

setup_file() {
    prepare_home
    cd "$BATS_FILE_TMPDIR"
    sed -i 's/issues = \[/issues = [ "spiffe",/' home/p11ca.conf
    p11ca -q -C home issue -a factory -p spiffe --new-key s.key --uri spiffe://acme.example/ns/prod/web -o s.crt
    p11ca -q -C home issue -a factory -p client --new-key c.key --subject CN=svc --dns svc.example -o c.crt
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout o.key -subj /CN=o -days 9 -out o.crt \
        -addext 'basicConstraints=critical,CA:FALSE' -addext 'subjectAltName=URI:spiffe://a/b,URI:urn:a:b' 2>/dev/null
    # One that links the archive alone, as services do.
    local options=()
    [[ -z ${SAN:-} ]] || options=("-fsanitize=$SAN")
    PKG_CONFIG_PATH=$BUILD/lib/pkgconfig pkg-config --cflags --libs p11ca-auth >flags
    # shellcheck disable=SC2046
    cc "${options[@]}" -Wall -Werror -o who "$BATS_TEST_DIRNAME/../auth/who.c" $(<flags)
} >/dev/null

setup() {
    mkdir "$BATS_TEST_TMPDIR/work"
    cd "$BATS_TEST_TMPDIR/work"
    cp "$BATS_FILE_TMPDIR"/{s,c,o}.crt .
    cp "$BATS_FILE_TMPDIR/home/factory.crt" .
}

digest() {
    openssl x509 -in "$1" -outform DER | openssl dgst -sha256 -r | cut -d' ' -f1
}

key_digest() {
    openssl x509 -in "$1" -noout -pubkey | openssl pkey -pubin -outform DER | openssl dgst -sha256 -r | cut -d' ' -f1
}

@test "identify: what OpenSSL says of the same certificate, as text and as JSON" {
    succeeds p11ca identify s.crt
    equal "$(head -n 2 <<<"$output")" 'SPIFFE       spiffe://acme.example/ns/prod/web
trust domain acme.example'
    succeeds p11ca --json identify s.crt
    equal "$(jq -r .sha256 <<<"$output")" "$(digest s.crt)"
    equal "$(jq -r .key_sha256 <<<"$output")" "$(key_digest s.crt)"
    equal "serial=$(jq -r .serial <<<"$output")" "$(openssl x509 -in s.crt -noout -serial)"
    equal "$(jq -c '[.names, .trust_domain, .path, .key, .key_usage, .extended_key_usage, .principal]' <<<"$output")" \
        '[[{"kind":"SPIFFE","name":"spiffe://acme.example/ns/prod/web"}],"acme.example","/ns/prod/web","EC P-256","digitalSignature",["1.3.6.1.5.5.7.3.1","1.3.6.1.5.5.7.3.2"],null]'
    equal "issuer=$(jq -r .issuer <<<"$output")" "$(openssl x509 -in s.crt -noout -issuer -nameopt RFC2253)"
}

@test "identify: the principal by kinds in order, and who has none" {
    succeeds p11ca --json identify --principal SPIFFE --principal DNS c.crt
    equal "$(jq -c .principal <<<"$output")" '{"kind":"DNS","name":"svc.example"}'
    succeeds p11ca identify --principal cn c.crt
    equal "${lines[0]}" 'principal    CN:svc'
    refused 1 'p11ca: c.crt: principal: want a name of kind SPIFFE, UPN, have none' \
        p11ca identify --principal SPIFFE --principal UPN c.crt
    refused 2 "p11ca: option --principal: want a kind of name like SPIFFE, DNS, CN, have 'host'" \
        p11ca identify --principal host c.crt
}

@test "identify: the true reason" {
    refused 4 'p11ca: o.crt: certificate: X509-SVID 2: SAN: want one URI and no other beside a SPIFFE ID, have 2 of them' \
        p11ca identify o.crt
    refused 4 'p11ca: factory.crt: certificate: RFC 5280 4.2.1.9: basicConstraints: want an end entity, have a CA' \
        p11ca identify factory.crt
    refused 8 'p11ca: none.crt: *' p11ca identify none.crt
    ln -s s.crt link.crt
    refused 8 'p11ca: link.crt: *' p11ca identify link.crt
    head -c 65537 /dev/zero >large.crt
    refused 4 'p11ca: large.crt: want at most 65536 bytes, have 65537' p11ca identify large.crt
}

@test "thumbprint: base64url of what OpenSSL digests, of CAs, too" {
    : >empty
    for file in s.crt factory.crt; do
        succeeds p11ca thumbprint "$file"
        equal "$output" "$(openssl x509 -in "$file" -outform DER | openssl dgst -sha256 -binary | base64 -w0 |
            tr '+/' '-_' | tr -d '=')"
    done
    succeeds p11ca --json thumbprint s.crt
    equal "$(jq -r '."x5t#S256" | length' <<<"$output")" 43
    refused 4 'p11ca: empty: want a certificate, have nothing' p11ca thumbprint empty
}

@test "pin: add, list, remove" {
    succeeds p11ca pin add pins s.crt --label 'the web'
    equal "$output" "pins: pin 'the web' added, SHA-256 $(digest s.crt)"
    succeeds p11ca pin add pins s.crt --label key --key --not-before 2026-01-01T00:00:00Z --not-after 2027-01-01T00:00:00Z
    succeeds p11ca pin list pins
    equal "$output" "cert $(digest s.crt) -                    -                    the web
key  $(key_digest s.crt) 2026-01-01T00:00:00Z 2027-01-01T00:00:00Z key"
    succeeds p11ca --json pin list pins
    equal "$(jq -c 'map([.label, .kind, .not_before])' <<<"$output")" \
        '[["the web","cert",null],["key","key","2026-01-01T00:00:00Z"]]'
    refused 4 "p11ca: pin 'other': want a new label and digest, have pin 'the web'" p11ca pin add pins s.crt --label other
    refused 1 "p11ca: pins: want one with label 'web', have none" p11ca pin remove pins web
    succeeds p11ca pin remove pins 'the web'
    succeeds p11ca pin list pins
    equal "${#lines[@]}" 1
}

@test "pin: refusals leave the file, or none" {
    refused 2 "p11ca: option --not-after: want a time like 2027-01-01T00:00:00Z, have 'soon'" \
        p11ca pin add pins s.crt --label a --not-after soon
    refused 2 'p11ca: pin add: option --label TEXT is missing' p11ca pin add pins s.crt
    refused 8 'p11ca: none.crt: *' p11ca pin add pins none.crt --label a
    refused 8 'p11ca: pins: *' p11ca pin list pins
    refused 8 'p11ca: pins: *' p11ca pin remove pins a
    refused 4 'p11ca: pin: label: want 1 to 64 octets of visible text without spaces around, have others' \
        p11ca pin add pins s.crt --label ' a'
    [[ ! -e pins ]] || fail 'want no file'
    printf 'p11ca pins 1\nkey 00 - - a\n' >pins
    : >pins.lock # stays, once there was a change
    refused 3 'p11ca: pins:2: want 64 hexadecimal digits, have something else' p11ca pin list pins
    refused 3 'p11ca: pins:2: want 64 hexadecimal digits, have something else' p11ca pin add pins s.crt --label b
}

# --- the archive ---

@test "the archive: libcrypto is all it needs, libconfig where a file is read" {
    symbols=$(nm "$BUILD/lib/libp11ca-auth.a")
    refute grep -qE ' U (sqlite3_|json_|idn2_|C_[A-Z]|PKCS11_|p11_kit_|gfshare|QRcode|archive_|SSL_)' <<<"$symbols"
    if [[ -n ${SAN:-} ]]; then
        skip 'instrumented'
    fi
    cat >plain.c <<'END'
#include <p11ca/auth.h>
#include <stdio.h>
int main(int argc, char **argv)
{
    struct p11ca_err err;
    struct p11ca_identity *id = NULL;
    if (argc < 2 || p11ca_identity_load(argv[1], &id, &err) != 0)
        return 1;
    puts(p11ca_identity_facts(id)->thumbprint);
    p11ca_identity_free(id);
    return 0;
}
END
    cc -Wall -Werror -o plain plain.c "-I$BUILD/include" "-L$BUILD/lib" -lp11ca-auth -lcrypto
    succeeds ./plain s.crt
    equal "$output" "$(p11ca thumbprint s.crt)"
    equal "$(readelf -d plain | grep -c NEEDED)" 2
}

# conf [LINE]...: an authenticator for what this home issues.
conf() {
    {
        echo 'trust = [ "factory.crt" ]; principal = [ "SPIFFE", "DNS" ];'
        echo 'allow = [ "SPIFFE:spiffe://acme.example/ns/*/web", "DNS:svc.example" ];'
        printf '%s\n' "$@"
    } >auth.conf
}

who() {
    "$BATS_FILE_TMPDIR/who" auth.conf "$@"
}

@test "an authenticator from a file: who is let in, by what, and who is not" {
    conf 'revocation = "crls"; crls = [ "crls" ];'
    mkdir crls
    answers 1 'REVOCATION_UNKNOWN: CRL: RFC 5280 6.3: want one of the certificate'"'"'s issuer, have none' who s.crt
    conf 'revocation = "none";' 'verify-chain = [ "factory.crt" ];'
    answers 1 'CHAIN_BAD: chain: RFC 5280 6.1: *' who s.crt
    conf 'revocation = "none";'
    succeeds who s.crt
    equal "$output" 'SPIFFE spiffe://acme.example/ns/prod/web, by rule SPIFFE:spiffe://acme.example/ns/*/web, revocation unknown'
    succeeds who c.crt
    equal "$output" 'DNS svc.example, by rule DNS:svc.example, revocation unknown'
    answers 1 'SPIFFE_URIS: *' who o.crt
    p11ca -q pin add clients.pins s.crt --label web >/dev/null
    conf 'revocation = "none"; pins = "clients.pins";'
    succeeds who s.crt
    answers 1 "PIN_NONE: pins: want one of the client's certificate or key, have none" who c.crt
}

# openssl_ca: a CA of OpenSSL's with a client, and CRLs of it.
openssl_ca() {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca.key -subj /CN=CA -days 9 -out factory.crt \
        -addext 'keyUsage=critical,keyCertSign,cRLSign' 2>/dev/null
    ec_request client /CN=client
    printf '%s\n' 'subjectAltName=DNS:svc.example' 'extendedKeyUsage=clientAuth' 'keyUsage=critical,digitalSignature' >exts
    openssl x509 -req -in client.csr -CA factory.crt -CAkey ca.key -days 9 -set_serial 0x0fee -extfile exts -out client.crt \
        2>/dev/null
    : >index
    echo 1000 >number
    printf '%s\n' '[ca]' 'default_ca=a' '[a]' 'database=index' 'crlnumber=number' 'default_md=sha256' 'default_crl_days=3' >ca.conf
    mkdir crls
}

openssl_crl() {
    openssl ca -config ca.conf -keyfile ca.key -cert factory.crt "$@" 2>/dev/null
}

@test "CRLs of OpenSSL: good, then revoked with its reason; a CRL without numbers is none" {
    openssl_ca
    conf 'revocation = "crls"; crls = [ "crls" ];'
    openssl_crl -gencrl -out crls/a.crl
    succeeds who client.crt
    equal "$output" 'DNS svc.example, by rule DNS:svc.example, revocation good'
    openssl_crl -revoke client.crt -crl_reason keyCompromise
    openssl_crl -gencrl -out b.pem
    openssl crl -in b.pem -outform DER -out crls/b.der
    answers 1 'REVOKED: certificate: RFC 5280 5.3: revoked at 20*Z, keyCompromise' who client.crt
    sed -i /crlnumber/d ca.conf
    openssl_crl -gencrl -out crls/c.crl
    answers 2 './crls/c.crl: CRL: RFC 5280 5.2.3: cRLNumber: want a number of at most 20 octets, have none or another' who client.crt
}

@test "an authenticator from a file: every mistake is told with its line" {
    wrong() {
        local want=$1
        shift
        conf "$@"
        answers 2 "auth.conf:3: $want" who s.crt
    }
    conf
    answers 2 "auth.conf*: the authenticator: key 'revocation' is missing" who s.crt
    wrong 'revocation: want "crls" or "none", have something else' 'revocation = "maybe";'
    wrong 'revocation: "none": want neither crls nor unknown nor stale-seconds beside it, have one' \
        'revocation = "none"; unknown = "accept";'
    wrong 'unknown: want "refuse" or "accept", have something else' 'revocation = "crls"; unknown = "good";'
    wrong 'stale-seconds: want 0 or more, have less' 'revocation = "crls"; stale-seconds = -1;'
    wrong "unknown key 'alow' in the authenticator" 'alow = [];'
    wrong 'trust-keys: ./none.pub: *' 'revocation = "none"; trust-keys = [ "none.pub" ];'
    wrong 'allow-any: rule: want a kind of name with a grammar, have another' 'revocation = "none"; allow-any = [ "host" ];'
    conf 'revocation = "none"; allow-any = [ "CN" ];'
    answers 2 "auth.conf: authenticator: rule 'CN:(any)': want a kind that is among the principals, have another" who s.crt
    sed -i 's|^allow = .*|allow = [ "svc.example" ];|; s|^revoc.*|revocation = "none";|' auth.conf
    answers 2 'auth.conf:2: allow: rule: want KIND:NAME, have something else' who s.crt
    sed -i '/^allow/d' auth.conf
    answers 2 'auth.conf: authenticator: want a rule that lets somebody in, have none' who s.crt
}
