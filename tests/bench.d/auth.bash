# shellcheck shell=bash
# What a service does for a request of a client with a P-256 certificate, by tests/auth/decide.c: the identity from the
# DER that TLS hands over, the CRL's answer, the policy's answer. TLS has verified who signed the certificate, and no
# signature is verified again; the last rows are the authenticator, which does, once. The CRL has more entries each time: a
# decision must not take longer but for their logarithm. The policy has 10 rules, then 1,000, of which the last fits.

AUTH_ENTRIES='1000 10000 100000'
AUTH_COUNT=5000

rows_auth() {
    local n
    for n in $AUTH_ENTRIES; do
        echo "auth_$n|us|a decision, CRL of $n entries: identity, CRL, policy of 10 rules"
        echo "auth_crl_$n|us|  of these the CRL"
    done
    cat <<END
auth_growth|ratio|  100000 entries / 1000 entries
auth_rules|us|a decision, CRL of 100000 entries, policy of 1000 rules
auth_signature|us|p11ca_auth_check() once: with the signature, an ECDSA verification
auth_again|us|  again: the signature is remembered
END
}

# The policy FILE with so many rules.
make_policy() {
    awk -v n="$2" 'BEGIN {
        print "principal = \"CN\"; services = { orders = { rules = ("
        for (i = 1; i < n; i++)
            printf "{ name = \"r%d\"; effect = \"allow\"; who = \"CN:c%d\"; paths = \"/p%d/**\"; },\n", i, i, i
        print "{ name = \"last\"; effect = \"allow\"; who = \"CN:svc\"; methods = \"GET\"; paths = \"/orders/*\"; } ); }; };"
    }' >"$1"
}

# auth-N.crl: N serial numbers of 16 octets that are not in order.
make_crl() {
    awk -v n="$1" 'BEGIN {
        srand(1)
        for (i = 0; i < n; i++)
            printf "R\t361122000000Z\t261101000000Z,keyCompromise\t%02X%06X%08X%08X%08X\tunknown\t/CN=x\n",
                16 + rand() * 111, i, rand() * 2147483647, rand() * 2147483647, rand() * 2147483647
    }' >auth.index
    run openssl ca -config auth.conf -keyfile auth.key -cert auth.crt -gencrl -out "auth-$1.crl"
}

prepare_auth() {
    local n
    run openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout auth.key -subj /CN=CA -days 9 \
        -out auth.crt -addext keyUsage=critical,keyCertSign,cRLSign
    run openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout auth-client.key -subj /CN=svc -out auth.csr
    printf '%s\n' extendedKeyUsage=clientAuth keyUsage=critical,digitalSignature >auth.exts
    run openssl x509 -req -in auth.csr -CA auth.crt -CAkey auth.key -days 9 -set_serial 0x0fee -extfile auth.exts \
        -out auth-client.crt
    echo 1000 >auth.number
    printf '%s\n' '[ca]' 'default_ca=a' '[a]' 'database=auth.index' 'crlnumber=auth.number' 'default_md=sha256' \
        'default_crl_days=3' >auth.conf
    for n in $AUTH_ENTRIES; do
        make_crl "$n"
    done
    make_policy auth-10.conf 10
    make_policy auth-1000.conf 1000
}

# decided CRL POLICY: leaves the values in $decided.
decided() {
    run "$BUILD/tests/decide" auth.crt "$1" auth-client.crt "$2" "$AUTH_COUNT"
    mapfile -t decided <run.out
}

turn_auth() {
    local n decided=()
    for n in $AUTH_ENTRIES; do
        decided "auth-$n.crl" auth-10.conf
        note "auth_$n" "${decided[0]}"
        note "auth_crl_$n" "${decided[2]}"
    done
    note auth_signature "${decided[4]}"
    note auth_again "${decided[5]}"
    note_ratio auth_growth auth_100000 auth_1000
    decided auth-100000.crl auth-1000.conf
    note auth_rules "${decided[0]}"
}
