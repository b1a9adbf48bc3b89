#!/usr/bin/env bats
# crl-partitions: certificates name the list of their partition, and each list tells of its own only.

load common

setup_file() {
    cd "$BATS_FILE_TMPDIR"
    prepare_home
    sed -i 's|profile = "issuing-ca";|& crl-url = "http://pki.example/factory-%d.crl"; crl-partitions = 4;|' home/p11ca.conf
    grep -q 'crl-partitions = 4' home/p11ca.conf
    "$BUILD/tests/lot" lot 24 p
    p11ca -q -C home batch -a factory -p device lot -o certs
    rm certs/chain.pem
} >/dev/null

setup() {
    use_home
    cp -a "$BATS_FILE_TMPDIR/certs" .
}

serial() {
    openssl x509 -in "$1" -noout -serial | cut -d= -f2
}

# 1 + the last two octets modulo 4.
partition() {
    local s
    s=$(serial "$1")
    echo $((1 + 16#${s: -4} % 4))
}

# A certificate of partition $1, the $2th.
cert_of() {
    local c n=0
    for c in certs/*.crt; do
        [[ $(partition "$c") == "$1" ]] || continue
        n=$((n + 1))
        [[ $n != "$2" ]] || { echo "$c"; return; }
    done
    fail "no certificate of partition $1"
}

crl() {
    p11ca -q -C home crl "$@"
}

listed() {
    openssl crl -in "$1" -noout -text | sed -n 's/^ *Serial Number: //p'
}

verify() {
    openssl verify -crl_check -extended_crl -partial_chain -CAfile home/factory.crt -CRLfile "$@"
}

@test "a certificate names its partition; openssl takes the partition's list, and no other" {
    local c d other
    for c in certs/*.crt; do
        equal "$(openssl x509 -in "$c" -noout -ext crlDistributionPoints | sed -n 's/.*URI://p')" "http://pki.example/factory-$(partition "$c").crl"
    done
    c=$(cert_of 2 1)
    d=$(cert_of 2 2)
    other=$(cert_of 3 1)
    p11ca -q -C home revoke "$c" "$other" -r keyCompromise >/dev/null
    succeeds crl factory --partition 2 -o 2.crl
    [[ $output == "2.crl: CRL 1 of 'factory', 1 entry, next update "* ]] || fail 'want one entry'
    equal "$(listed 2.crl)" "$(serial "$c")"
    [[ $(openssl crl -in 2.crl -noout -text) == *'Issuing Distribution Point: critical'*'URI:http://pki.example/factory-2.crl'* ]] ||
        fail 'want it critical'
    succeeds crl factory --partition 3 -o 3.crl
    equal "$(listed 3.crl)" "$(serial "$other")"
    run ! verify 2.crl "$c"
    [[ $output == *'certificate revoked'* ]] || fail 'want it revoked'
    succeeds verify 2.crl "$d"
    run ! verify 3.crl "$d"
    [[ $output == *'different CRL scope'* ]] || fail 'want another list'
    run ! verify 3.crl "$c"
    [[ $output != *'certificate revoked'* ]] || fail 'want another list'
    succeeds p11ca lint --issuer home/factory.crt 2.crl
    # All together are in the list of all.
    crl factory -o all.crl >/dev/null
    equal "$(listed all.crl | wc -l)" 2
    sound
}

@test "each partition has its deltas; numbers are one sequence" {
    local c
    c=$(cert_of 1 1)
    crl factory --partition 1 -o a.crl >/dev/null
    refused 4 "p11ca: authority 'factory': RFC 5280 5.2.4: a delta CRL: want a complete CRL before it, have none" crl factory --partition 4 --delta -o b.crl
    p11ca -q -C home revoke "$c" "$(cert_of 4 1)" -r superseded >/dev/null
    succeeds crl factory --partition 1 --delta -o b.crl --json
    equal "$(jq -c '[.number, .base, .entries]' <<<"$output")" '[2,1,1]'
    succeeds crl factory --partition 4 -o c.crl --json
    equal "$(jq -c '[.number, .base, .entries]' <<<"$output")" '[3,null,1]'
    run -1 --separate-stderr p11ca -C home crl --next factory --json
    equal "$(jq -c '.deadlines[] | [.partition, .number, .overdue, .revoked_since]' <<<"$output")" '[1,1,false,0]
[2,null,true,0]
[3,null,true,0]
[4,3,false,0]'
    sound
}

@test "the number stays: certificates would name another list" {
    local c
    c=$(cert_of 1 1)
    sed -i 's/crl-partitions = 4/crl-partitions = 8/' home/p11ca.conf
    refused 3 "p11ca: authority 'factory': crl-partitions: want 4, as the certificates say that were issued, have 8" \
        p11ca -q -C home issue -a factory -p device --new-key k --id x -o x.crt
    refused 3 "p11ca: authority 'factory': crl-partitions: want 4, as the certificates say that were issued, have 8" crl factory --partition 1 -o x.crl
    sed -i 's/factory-%d.crl"; crl-partitions = 8;/factory.crl";/' home/p11ca.conf
    refused 3 "p11ca: authority 'factory': crl-partitions: want 4, as the certificates say that were issued, have 0" \
        p11ca -q -C home issue -a factory -p device --new-key k --id x -o x.crt
    # And the other way round, also behind p11ca's back.
    rm -rf home
    p11ca -q init home --name Acme --softhsm >/dev/null
    p11ca -q -C home issue -a factory -p device --new-key k --id x -o x.crt >/dev/null
    sed -i 's|profile = "issuing-ca";|& crl-url = "http://pki.example/factory-%d.crl"; crl-partitions = 4;|' home/p11ca.conf
    refused 3 "p11ca: authority 'factory': crl-partitions: want 0, as the certificates say that were issued, have 4" \
        p11ca -q -C home issue -a factory -p device --new-key k2 --id y -o y.crt
    run sqlite3 home/ledger.db "UPDATE authority SET crl_parts = 4"
    [[ $output == *'certificates keep the CRL they name'* ]] || fail 'want it refused'
}

@test "what is refused" {
    refused 2 "p11ca: authority 'factory': partition: want 1 to 4 (crl-partitions), have 5" crl factory --partition 5 -o x.crl
    refused 2 "p11ca: authority 'root': partition: want 1 to 0 (crl-partitions), have 1" crl root --partition 1 -o x.crl
    refused 2 "p11ca: option --partition: want a number from 1" crl factory --partition 0 -o x.crl
    local row want
    cp home/p11ca.conf good
    while IFS='|' read -r row want; do
        during=$row
        sed "s|crl-url = \"http://pki.example/factory-%d.crl\"; crl-partitions = 4;|$row|" good >home/p11ca.conf
        refused 3 "p11ca: home/p11ca.conf:*: authorities.factory: $want" p11ca -C home list
    done <<'END'
crl-url = "http://pki.example/factory-%d.crl";|crl-url: RFC 5280 4.2.1.13: want an http:// URI
crl-url = "http://pki.example/factory.crl"; crl-partitions = 4;|crl-url: with crl-partitions want %d once, behind the host, for the partition's number
crl-url = "http://pki-%d.example/factory.crl"; crl-partitions = 4;|crl-url: with crl-partitions want %d once, behind the host, for the partition's number
crl-url = "http://pki.example/%d/%d.crl"; crl-partitions = 4;|crl-url: with crl-partitions want %d once, behind the host, for the partition's number
crl-partitions = 4;|crl-url: with crl-partitions want %d once, behind the host, for the partition's number
crl-url = "ftp://pki.example/%d.crl"; crl-partitions = 4;|crl-url: RFC 5280 4.2.1.13: want an http:// URI
crl-url = "http://pki.example/%d.crl"; crl-partitions = 0;|crl-partitions: want 1 to 1024, have 0
crl-url = "http://pki.example/%d.crl"; crl-partitions = 1025;|crl-partitions: want 1 to 1024, have 1025
END
    sed 's|profile = "root-ca";|& crl-url = "http://pki.example/root-%d.crl"; crl-partitions = 4;|' good >home/p11ca.conf
    refused 3 "p11ca: home/p11ca.conf:*: authorities.root: crl-partitions: want profiles of end entities without a crl-url of their own in issues, have 'issuing-ca'" \
        p11ca -C home list
}
