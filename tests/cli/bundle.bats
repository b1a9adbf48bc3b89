#!/usr/bin/env bats
# What others are to trust: judged by openssl, certtool and curl, before, while and after a root is replaced.

load common
load ready
load servers

setup_file() {
    cd "$BATS_FILE_TMPDIR"
    p11ca -q init home --name Acme --softhsm >/dev/null
    extend_conf home
    sed -i 's/ ticket-from = "root";//' home/p11ca.conf
    p11ca -q -C home ceremony run --yes "$scripts/root-rollover.conf"
    p11ca -q -C home issue -a factory -p server --new-key web.key --dns localhost -o web.crt >/dev/null
}

setup() {
    use_home
    cp "$BATS_FILE_TMPDIR"/web.{crt,key} .
}

teardown() {
    stop_servers
}

bundle() {
    p11ca -q -C home bundle -o out.pem --force "$@"
}

# subjects FILE: who is in a bundle, in order.
subjects() {
    openssl crl2pkcs7 -nocrl -certfile "$1" | openssl pkcs7 -print_certs -noout | sed -n 's/^subject=.*CN = //p'
}

@test "roots: those of one authority, of several; below them; the same file again" {
    bundle factory
    cmp out.pem home/root.crt
    bundle factory root
    cmp out.pem home/root.crt
    bundle factory --chain
    equal "$(subjects out.pem)" $'Acme Root CA 2026\nAcme Factory CA 2026'
    succeeds openssl verify -x509_strict -CAfile out.pem web.crt
    succeeds p11ca -C home bundle factory --chain -o out.pem
    equal "$stderr" 'out.pem: 2 certificates'
    refused 8 'p11ca: out.pem: *exists*' p11ca -C home bundle factory -o out.pem
    refused 2 "p11ca: no authority 'nobody' in home/p11ca.conf" p11ca -C home bundle nobody -o x.pem
    refused 3 "p11ca: authority 'factory-next': no CA certificate installed" p11ca -C home bundle factory-next --chain -o x.pem
}

@test "a rollover: now, overlap, after" {
    openssl ecparam -name prime256v1 -genkey -noout -out n.key
    bundle root root-next --state now
    equal "$(subjects out.pem)" 'Acme Root CA 2026'
    bundle root root-next --state overlap
    equal "$(subjects out.pem)" $'Acme Root CA 2026\nAcme Root CA 2036'
    bundle root root-next --state after
    equal "$(subjects out.pem)" 'Acme Root CA 2036'
    refute openssl verify -CAfile out.pem -untrusted home/factory.crt web.crt
    # Whoever trusts the next root alone gets to the old one's certificates by its cross certificate.
    bundle root root-next --state after --with-cross
    equal "$(subjects out.pem)" $'Acme Root CA 2036\nAcme Root CA 2026'
    succeeds openssl verify -CAfile out.pem -untrusted home/factory.crt web.crt
    bundle root root-next --state now --with-cross
    cp home/root.crt old.pem
    sed '1,/END CERT/d' out.pem >cross.pem
    succeeds openssl verify -x509_strict -CAfile old.pem cross.pem
    equal "$(openssl x509 -in cross.pem -noout -subject -issuer | sed 's/.*CN = //')" $'Acme Root CA 2036\nAcme Root CA 2026'
    bundle root root-next --state overlap --with-cross
    equal "$(subjects out.pem | wc -l)" 4
    refused 2 'p11ca: rotation: want two authorities, the present and the next, have 1' p11ca -C home bundle root --state now -o x.pem
    refused 2 "p11ca: option --state: want now, overlap or after, have 'later'" p11ca -C home bundle root root-next --state later -o x.pem
}

@test "PKCS #7: openssl and certtool read it" {
    bundle root root-next --pkcs7
    equal "$(openssl pkcs7 -inform DER -in out.pem -print_certs | grep -c '^-----BEGIN')" 2
    equal "$(certtool --p7-info --inder --infile out.pem | grep -c 'BEGIN CERTIFICATE')" 2
}

web_server() {
    exec openssl s_server -accept "$1" -cert web.crt -cert_chain chain.pem -key web.key -www -quiet
}

@test "curl trusts a server by it" {
    cat web.crt home/factory.crt >chain.pem
    start_server web_server
    bundle factory
    curl -sS --max-time 20 --cacert out.pem "https://localhost:$port/" -o page
    [[ -s page ]] || fail 'want curl to trust it'
    bundle root-next
    # 60: it answered, and is not trusted.
    run curl -s --max-time 20 --cacert out.pem "https://localhost:$port/" -o page
    equal "$status" 60
}
