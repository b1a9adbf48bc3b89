#!/usr/bin/env bats
# Searching the ledger, and its lists in other programs: spreadsheets, jq, openssl ocsp.

load common

setup_file() {
    prepare_home
    cd "$BATS_FILE_TMPDIR"
    local issue=(p11ca -q -C home issue -a factory)
    {
        "${issue[@]}" -p server --new-key web.key --dns www.acme.example --ip 192.0.2.7 -o web.crt
        "${issue[@]}" -p client --new-key alice.key --subject 'CN=Alice,O=Acme\, Inc.' --email alice@acme.example --days 30 -o alice.crt
        "${issue[@]}" -p client --new-key mallory.key --subject 'CN=Mallory \"M\",O=Evil' --email m@acme.example --days 60 -o mallory.crt
        mkdir requests
        for i in 1 2 3 4; do
            ec_request "requests/dev-$i" "/CN=dev-$i"
        done
        p11ca -q -C home batch -a factory -p device requests -o devices
    } >/dev/null
}

setup() {
    use_home
    cp "$BATS_FILE_TMPDIR"/*.{crt,key} .
}

list() {
    p11ca -q -C home list "$@"
}

serials() {
    list "$@" | cut -d' ' -f1
}

serial_of() {
    openssl x509 -in "$1" -noout -serial | cut -d= -f2
}

# What `p11ca revoke` leaves in the rows.
revoke() {
    sql "UPDATE certificate SET status = 3, revoked_at = $2, reason = $3 WHERE hex(serial) = '$1'"
}

@test "filters: names, keys, lots" {
    equal "$(serials --subject alice)" "$(serial_of alice.crt)"
    equal "$(serials --subject 'acme, ' -a factory)" ''
    equal "$(serials --san WWW.acme)" "$(serial_of web.crt)"
    equal "$(serials --san 192.0.2.7 -p server)" "$(serial_of web.crt)"
    equal "$(serials --san %)" ''
    equal "$(serials --key web.crt)" "$(serial_of web.crt)"
    openssl pkey -in web.key -pubout -out web.pub
    equal "$(serials --key web.pub)" "$(serial_of web.crt)"
    equal "$(serials --key "$(openssl pkey -in web.key -pubout -outform DER | sha256sum | cut -d' ' -f1)")" "$(serial_of web.crt)"
    sql "UPDATE lot SET name = 'spring'"
    equal "$(list --lot spring | wc -l)" 4
    equal "$(list --lot autumn)" ''
    refused 2 "p11ca: 'frob': want the SHA-256 of a public key in hex, or a file with a public key or certificate" \
        p11ca -C home list --key frob
}

@test "filters: times" {
    local day
    day=$(sql "SELECT date(min(issued_at), 'unixepoch') FROM certificate")
    equal "$(list --issued-after "$day" -a factory | wc -l)" 7
    equal "$(list --issued-after "$(date -u -d "$day + 2 days" +%F)" | wc -l)" 0
    equal "$(list --issued-before "$day" | wc -l)" 0
    equal "$(list --issued-before "$(date -u -d "$day + 2 days" +%F)" -a factory | wc -l)" 7
    equal "$(serials --expires-before "$(date -u -d '+31 days' +%F)")" "$(serial_of alice.crt)"
    equal "$(serials --expires-before "$(date -u -d "$(openssl x509 -in alice.crt -noout -enddate | cut -d= -f2)" +%FT%TZ)")" ''
    equal "$(serials --expires-after "$(date -u -d '+31 days' +%F)" --expires-before "$(date -u -d '+61 days' +%F)" --status issued)" \
        "$(serial_of mallory.crt)"
    local bad
    for bad in 2026-02-30 2026-1-1 ' 2026-01-01' 2026-01-01T00:00:00 yesterday 1969-01-01 ''; do
        refused 2 "p11ca: option --issued-after: want a date as 2026-11-21 or 2026-11-21T03:05:00Z, have '$bad'" \
            p11ca -C home list --issued-after "$bad"
    done
}

@test "--expiring: days left; what was superseded or revoked only when asked for" {
    equal "$(list --expiring 31 | awk '{ print $1, $6, $7 }')" "$(serial_of alice.crt) 29 days"
    equal "$(p11ca -C home --json list --expiring 61 | jq -c '.[].days_left')" $'29\n59'
    sql "UPDATE certificate SET status = 2 WHERE hex(serial) = '$(serial_of alice.crt)'"
    equal "$(list --expiring 31)" ''
    equal "$(serials --expiring 31 --status superseded)" "$(serial_of alice.crt)"
}

@test "pages are stable, and a serial of two authorities wants one named" {
    local all pages='' last='' page
    all=$(list --san '' -a factory)
    p11ca -q -C home issue -a factory -p client --new-key new.key --subject CN=New --email n@acme.example -o new.crt >/dev/null
    while page=$(list -a factory --limit 2 ${last:+--after "$last"}) && [[ -n $page ]]; do
        pages+=$page$'\n'
        last=$(tail -1 <<<"$page" | cut -d' ' -f1)
    done
    equal "$(wc -l <<<"${pages%$'\n'}")" 8
    equal "$(cut -d' ' -f1 <<<"$pages" | sort -u | wc -l)" 9
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout o.key -subj /CN=Old -out o.crt 2>/dev/null
    sed -i 's|^authorities = {|&\n  old = { subject = "CN=Old"; profile = "root-ca"; };|' home/p11ca.conf
    p11ca -q -C home install old o.crt
    printf 'V\t300101000000Z\t\t%s\tunknown\t/CN=twin\n' "$(serial_of web.crt)" >index.txt
    p11ca -q -C home import old --index index.txt --without-certs >/dev/null
    refused 2 "p11ca: serial $(serial_of web.crt): want the authority named, have 2 certificates with it" \
        p11ca -C home list --after "$(serial_of web.crt)"
    equal "$(serials --after "$(serial_of web.crt)" -a factory | wc -l)" 7
    equal "$(p11ca -C home show "$(serial_of web.crt)" | grep -c '^serial ')" 2
}

@test "--format: CSV that is no formula, NDJSON, JSON" {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout o.key -subj /CN=Old -out o.crt 2>/dev/null
    sed -i 's|^authorities = {|&\n  old = { subject = "CN=Old"; profile = "root-ca"; };|' home/p11ca.conf
    p11ca -q -C home install old o.crt
    printf 'V\t300101000000Z\t\t01\tunknown\t=cmd|calc!A1\n' >index.txt
    p11ca -q -C home import old --index index.txt --without-certs >/dev/null
    list --format csv >list.csv
    python3 - <<'END'
import csv
rows = list(csv.DictReader(open('list.csv', newline='')))
assert len(rows) == 10, rows
assert all(None not in r and None not in r.values() for r in rows), rows
assert [r['subject'] for r in rows if 'Alice' in r['subject']] == ['CN=Alice,O=Acme\\, Inc.']
assert not any(c[:1] in '=+-@\t\r' for r in rows for c in r.values() if c), rows
assert rows[9]['subject'] == "'=cmd|calc!A1", rows[9]
assert rows[2]['sans'] == 'DNS:www.acme.example, IP:192.0.2.7', rows[2]
END
    grep -q $'\r$' list.csv
    equal "$(list --format ndjson | jq -r .serial)" "$(serials)"
    equal "$(list --format json | jq -r '.[].serial')" "$(serials)"
    equal "$(list --format json --status revoked)" '[]'
    equal "$(list --format csv --status revoked | wc -l)" 1
    refused 2 "p11ca: option --format: want text, json, ndjson, csv or index, have 'xml'" p11ca -C home list --format xml
    refused 2 'p11ca: option --format index: want --authority, too' p11ca -C home list --format index
}

# ocsp FILE: what openssl's responder says of a certificate by the list.
ocsp() {
    openssl ocsp -index index.txt -CA home/factory.crt -rsigner r.crt -rkey r.key -issuer home/factory.crt \
        -cert "$1" -respout resp.der
    openssl ocsp -respin resp.der -issuer home/factory.crt -cert "$1" -noverify 2>/dev/null |
        sed -nE "s|^$1: ||p; s/^[[:space:]]*Reason: //p"
}

@test "--format index: openssl ocsp answers by it, and import takes it back" {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout r.key -subj /CN=R -out r.crt 2>/dev/null
    revoke "$(serial_of alice.crt)" 1780000000 1
    revoke "$(serial_of mallory.crt)" 1780000000 9
    sql "UPDATE certificate SET status = 2 WHERE device = 'dev-1'"
    list -a factory --format index >index.txt
    equal "$(wc -l <index.txt)" 7
    equal "$(grep Alice index.txt | cut -f1,3,5,6)" $'R\t260528202640Z,keyCompromise\tunknown\t/O=Acme, Inc./CN=Alice'
    equal "$(ocsp web.crt)" good
    equal "$(ocsp alice.crt)" $'revoked\nkeyCompromise'
    equal "$(ocsp mallory.crt)" revoked
    equal "$(ocsp home/factory.crt)" unknown
    # The way back: the same rows in another home.
    p11ca -q init other --name Acme --softhsm >/dev/null
    sed -i 's|^authorities = {|&\n  old = { subject = "'"$(p11ca -C home --json show home/factory.crt | jq -r .subject)"'"; profile = "issuing-ca"; };|' other/p11ca.conf
    p11ca -q -C other install old home/factory.crt
    succeeds p11ca -C other import old --index index.txt --without-certs
    equal "$(p11ca -q -C other list -a old --format index)" "$(cat index.txt)"
}
