#!/usr/bin/env bats
# What another CA program has issued is taken over: openssl ca, easy-rsa's folders, certificates alone, an index alone.
# IMPORT_ROWS says how many lines the long index has.

load common

# ca ARGUMENTS...: openssl ca in the folder ca.
ca() {
    openssl ca -batch -config ca.cnf "$@" 2>>ca.log
}

# foreign_issue CN
foreign_issue() {
    openssl req -new -key leaf.key -subj "/C=US/O=Old, Inc./CN=$1" -out leaf.csr
    ca -extensions ext -in leaf.csr -notext -out /dev/null
}

# An authority without a token: its key is where the other program has it.
add_old() {
    sed -i 's|^authorities = {|&\n  old = { subject = "CN=Old Root,O=Old\\\\, Inc.,C=US"; profile = "root-ca"; };|' "$1/p11ca.conf"
    p11ca -q -C "$1" install old old.crt
}

setup_file() {
    cd "$BATS_FILE_TMPDIR"
    openssl ecparam -name prime256v1 -genkey -noout -out leaf.key
    openssl ecparam -name prime256v1 -genkey -noout -out old.key
    openssl req -x509 -new -key old.key -subj '/C=US/O=Old, Inc./CN=Old Root' -days 3650 -out old.crt
    mkdir -p ca/newcerts
    : >ca/index.txt
    echo 01 >ca/serial
    echo 1000 >ca/crlnumber
    cat >ca.cnf <<'END'
[ca]
default_ca = old
[old]
dir = ca
database = ca/index.txt
new_certs_dir = ca/newcerts
serial = ca/serial
crlnumber = ca/crlnumber
certificate = old.crt
private_key = old.key
default_md = sha512
default_days = 100
default_crl_days = 30
unique_subject = no
policy = any
[any]
countryName = optional
organizationName = optional
commonName = supplied
[ext]
subjectAltName = DNS:a.example,IP:192.0.2.1
END
    for i in 1 2 3; do
        foreign_issue "dev $i"
    done
    echo 80 >ca/serial
    foreign_issue 'dev 128'
    ca -startdate 20200101000000Z -enddate 20210101000000Z -extensions ext -in leaf.csr -notext -out /dev/null
    ca -revoke ca/newcerts/02.pem -crl_reason keyCompromise
    ca -revoke ca/newcerts/03.pem -crl_compromise 20260101000000Z
    ca -gencrl -out old.crl
    # Another CA of the same name.
    openssl ecparam -name prime256v1 -genkey -noout -out other.key
    openssl req -x509 -new -key other.key -subj '/C=US/O=Old, Inc./CN=Old Root' -days 3650 -out other.crt
    openssl x509 -req -in leaf.csr -CA other.crt -CAkey other.key -set_serial 9 -out forged.crt 2>/dev/null
    openssl x509 -req -in leaf.csr -CA old.crt -CAkey old.key -set_serial 1 -out again.crt 2>/dev/null
    p11ca -q init home --name Acme --softhsm >/dev/null
    add_old home
}

setup() {
    use_home
    cp -r "$BATS_FILE_TMPDIR"/{ca,ca.cnf,old.crt,old.key,old.crl,leaf.csr,forged.crt,again.crt,other.key,other.crt} .
}

import() {
    p11ca -C home import old "$@"
}

# taken N: the sentence that begins so.
says() {
    succeeds import "${@:2}"
    equal "${lines[0]}" "$1"
}

@test "openssl ca: every certificate with its status, date and reason, and the next CRL number" {
    local end
    says '5 rows: 5 taken, 0 known, 0 newly revoked, 0 rejected, 0 without a certificate, 0 ignored' ca --crl old.crl --report r.csv
    equal "${lines[1]}" 'next CRL number 4097'
    end=$(date -u -d "$(openssl x509 -in ca/newcerts/01.pem -noout -enddate | cut -d= -f2)" +%F)
    equal "$(p11ca -q -C home list -a old | awk '{ print $1, $2, $3, $4, $5 }')" \
        "01 issued old imported $end
02 revoked old imported $end
03 revoked old imported $end
80 issued old imported $end
81 issued old imported 2021-01-01"
    equal "$(p11ca -C home --json show 03 | jq -r '.reason, .sans, .signature_algorithm, .subject')" \
        $'1\nDNS:a.example, IP:192.0.2.1\necdsa-with-SHA512\nCN=dev 3,O=Old\\, Inc.,C=US'
    equal "$(p11ca -C home --json show 03 | jq -r .revoked_at)" \
        "$(date -u -d "$(openssl crl -in old.crl -noout -text | grep -A1 'Number: 03' | sed -n 's/.*Date: //p')" +%FT%TZ)"
    equal "$(sql "SELECT invalid_since FROM certificate WHERE serial = x'03'")" "$(date -u -d 2026-01-01 +%s)"
    equal "$(p11ca -C home show --pem 80)" "$(cat ca/newcerts/80.pem)"
    equal "$(sed -n 6p r.csv | tr -d '\r')" '5,ca/index.txt:5,ca/newcerts/81.pem,TAKEN,81,issued,"CN=dev 128,O=Old\, Inc.,C=US",,'
    sound
}

@test "once more: nothing is doubled; what was revoked since is revoked" {
    import ca >/dev/null
    says '5 rows: 0 taken, 5 known, 0 newly revoked, 0 rejected, 0 without a certificate, 0 ignored' ca
    cp "$BATS_FILE_TMPDIR/ca.cnf" .
    ca -revoke ca/newcerts/01.pem -crl_reason superseded
    says '5 rows: 0 taken, 4 known, 1 newly revoked, 0 rejected, 0 without a certificate, 0 ignored' ca
    equal "$(sql "SELECT status, reason FROM certificate WHERE serial = x'01'")" '3|4'
    equal "$(sql "SELECT count(*) FROM event WHERE kind = 'revoke' AND serial = x'01'")" 1
    sound
}

@test "folders: those of easy-rsa, one of certificates alone with a CRL, PEM and DER, keys beside them" {
    mkdir -p pki/{certs_by_serial,revoked/certs_by_serial,issued}
    cp ca/index.txt pki
    cp ca/newcerts/{01,80,81}.pem pki/certs_by_serial
    cp ca/newcerts/{02,03}.pem pki/revoked/certs_by_serial
    cp ca/newcerts/01.pem pki/issued/dev.crt
    says '5 rows: 5 taken, 0 known, 0 newly revoked, 0 rejected, 0 without a certificate, 0 ignored' pki
    sound
    rm -rf home && copy_home home
    mkdir export
    cp ca/newcerts/01.pem export/a.crt
    openssl x509 -in ca/newcerts/02.pem -outform DER -out export/b
    cat ca/newcerts/03.pem ca/newcerts/80.pem >export/bundle.pem
    cp old.crt old.key leaf.csr export
    echo '# notes' >export/README
    says '8 rows: 4 taken, 0 known, 0 newly revoked, 0 rejected, 0 without a certificate, 4 ignored' export --crl old.crl
    equal "$(p11ca -q -C home list -a old --status revoked | cut -c1-2)" $'02\n03'
    sound
}

@test "an index alone: serials that can be revoked, when that is asked for" {
    run --separate-stderr import --index ca/index.txt
    equal "$status $output" '1 5 rows: 0 taken, 0 known, 0 newly revoked, 0 rejected, 5 without a certificate, 0 ignored
next CRL number 1'
    equal "${stderr_lines[0]}" 'ca/index.txt:1: 01: no certificate with this serial is at hand'
    equal "${stderr_lines[-1]}" 'p11ca: 5 of 5 rows were not taken over: 0 rejected, 5 without a certificate'
    equal "$(sql 'SELECT count(*) FROM certificate WHERE imported_at NOTNULL')" 0
    says '5 rows: 5 taken, 0 known, 0 newly revoked, 0 rejected, 0 without a certificate, 0 ignored' --index ca/index.txt --without-certs
    equal "$(p11ca -C home --json show 80 | jq -r '.subject, .sha256, .not_before, .key_sha256')" $'CN=dev 128,O=Old\\, Inc.,C=US\nnull\nnull\nnull'
    sound
    # The certificate that comes later is the same row.
    says '5 rows: 0 taken, 5 known, 0 newly revoked, 0 rejected, 0 without a certificate, 0 ignored' ca
}

# The other program's key is in a token: lists can be signed.
old_with_key() {
    rm -rf home
    p11ca -q init home --name Acme --softhsm >/dev/null
    openssl pkcs8 -topk8 -nocrypt -in old.key -out old.p8
    SOFTHSM2_CONF=$PWD/home/softhsm/softhsm2.conf softhsm2-util --import old.p8 --token acme-root --label old-key --id 77 \
        --pin "$(cat home/pins/root)" >/dev/null
    sed -i 's|^authorities = {|&\n  old = { token = "root"; key = "old-key"; key-exception = "made by openssl"; issues = [ "device" ]; subject = "CN=Old Root,O=Old\\\\, Inc.,C=US"; profile = "root-ca"; };|' home/p11ca.conf
    p11ca -q -C home install old old.crt
}

@test "revocations that come with an import behind a CRL: in the next delta, counted; a hold of theirs is taken back" {
    old_with_key
    import --certs ca/newcerts >/dev/null
    printf 'R\t300101000000Z\t250101000000Z,certificateHold\t0A\tunknown\t/CN=hold\nR\t300101000000Z\t250101000000Z\t0B\tunknown\t/CN=gone\n' >late.txt
    succeeds p11ca -C home crl old -o base.crl
    import --index late.txt --without-certs >/dev/null
    [[ $(p11ca -C home crl --next old) == *'revoked since: 2'* ]] || fail 'want both counted'
    sleep 1.1
    succeeds p11ca -C home --json crl old --delta -o delta.crl
    equal "$(jq -r .entries <<<"$output")" 2
    succeeds p11ca -C home revoke -a old --undo 0A
    sound
    sleep 1.1
    succeeds p11ca -C home crl old --delta -o delta.crl --force
    openssl crl -in delta.crl -noout -text >delta.txt
    [[ $(grep -A4 'Serial Number: 0A$' delta.txt) == *'Remove From CRL'* ]] || fail 'want it removed'
    # Put on the list by hand.
    sqlite3 -batch home/ledger.db "DROP TRIGGER certificate_revocation; UPDATE certificate SET reason = 4 WHERE serial = x'0B'"
    run --separate-stderr p11ca -C home audit
    [[ $output == *'serial 0B: revocation: not that with which it was imported'* ]] || fail 'want the change found'
}

@test "what no CRL of ours could list again: a delta is refused, an invalidity date behind the revocation is left out" {
    old_with_key
    printf 'R\t300101000000Z\t250101000000Z,keyTime,20260101000000Z\t0A\tunknown\t/CN=late\n' >late.txt
    import --index late.txt --without-certs >/dev/null
    printf 'R\t300101000000Z\t250101000000Z,certificateHold\t0B\tunknown\t/CN=hold\n' >hold.txt
    import --index hold.txt --without-certs >/dev/null
    succeeds p11ca -C home crl old -o base.crl
    openssl crl -in base.crl -noout -text >base.txt
    equal "$(grep -c 'Invalidity Date' base.txt)" 0
    p11ca -q -C home revoke -a old --undo 0B
    sleep 1.1
    succeeds p11ca -C home crl old --delta -o delta.crl
    refused 4 'p11ca: delta.crl: RFC 5280 5.2.4: want a complete CRL, have a delta: it says nothing of what its base lists' \
        import --crl delta.crl --without-certs
    sound
}

@test "on hold here, revoked for good by the program before: it is told, and stays on hold" {
    printf 'R\t300101000000Z\t250101000000Z,certificateHold\t0B\tunknown\t/CN=hold\n' >hold.txt
    import --index hold.txt --without-certs >/dev/null
    sed -i s/certificateHold/keyCompromise/ hold.txt
    run --separate-stderr import --index hold.txt --without-certs
    equal "$status ${stderr_lines[0]}" '1 hold.txt:1: 0B: on hold here, and there revoked for good: p11ca revoke is for that, since 2025-01-01T00:00:00Z'
    p11ca -q -C home revoke -a old 0B -r keyCompromise
    import --index hold.txt --without-certs >/dev/null
    sound
}

# dev STATUS TIME N: a line of an index for device N, whose certificate is in another home with the same keys.
dev() {
    p11ca -q -C twin issue -a factory -p device --new-key "$3.key" --id "dev$3" -o "dev$3.crt" >/dev/null
    printf '%s\t%s\t%s\t%s\tunknown\t/CN=dev\n' "$1" "$(date -u -d "$(openssl x509 -in "dev$3.crt" -noout -enddate | cut -d= -f2)" +%Y%m%d%H%M%SZ)" \
        "$2" "$(openssl x509 -in "dev$3.crt" -noout -serial | cut -d= -f2)" >>twin.txt
}

@test "a serial without a certificate: its file, when it turns up, is known by issuer and serial" {
    cp -r home twin
    dev V '' 1
    dev R 250101000000Z,keyCompromise 2
    p11ca -q -C home import factory --index twin.txt --without-certs >/dev/null
    succeeds p11ca -C home verify dev1.crt
    run --separate-stderr p11ca -C home verify dev2.crt
    [[ $status == 1 && $stderr == *': revoked at 2025-01-01T00:00:00Z, keyCompromise' ]] || fail 'want it revoked'
    succeeds p11ca -C home revoke -r superseded dev1.crt
    equal "$(sql "SELECT reason FROM certificate WHERE imported_at NOTNULL ORDER BY id")" $'4\n1'
    equal "$(sql "SELECT count(*) FROM event WHERE kind = 'alarm'")" 0
    # Of the same serial, with another end.
    import --index ca/index.txt --without-certs >/dev/null
    refused 4 '*made behind its back' p11ca -C home revoke -r superseded again.crt
    sound
}

@test "a long index, killed anywhere, run again: every row once, one event for a thousand" {
    local rows=${IMPORT_ROWS:-3000} left
    awk -v n="$rows" 'BEGIN { for (i = 1; i <= n; i++) printf "%s\t300101000000Z\t%s\t%06X\tunknown\t/C=US/O=Old/CN=dev-%d\n",
        i % 10 ? "V" : "R", i % 10 ? "" : "250101000000Z,keyCompromise", i + 1000000, i }' >long.txt
    # Between two batches: the second "import" event cannot be written.
    sql "CREATE TRIGGER stop BEFORE INSERT ON event WHEN NEW.kind = 'import' AND EXISTS (SELECT 1 FROM event WHERE kind = 'import')
        BEGIN SELECT RAISE(ABORT, 'stopped'); END"
    run --separate-stderr import --index long.txt --without-certs --lot old-devices --crl-number 77
    equal "$status $stderr" "7 p11ca: home/ledger.db: stopped"
    sql 'DROP TRIGGER stop'
    equal "$(sql 'SELECT count(*) FROM certificate WHERE imported_at NOTNULL')" 1000
    left=$((rows - 1000))
    succeeds import --index long.txt --without-certs --lot old-devices --crl-number 77
    equal "$output" "$rows rows: $left taken, 1000 known, 0 newly revoked, 0 rejected, 0 without a certificate, 0 ignored
$left of those taken are serials without a certificate
next CRL number 78"
    equal "$(sql "SELECT count(*), count(DISTINCT serial), count(DISTINCT lot), sum(status = 3) FROM certificate WHERE imported_at NOTNULL")" \
        "$rows|$rows|1|$((rows / 10))"
    equal "$(sql "SELECT count(*) FROM event WHERE kind = 'import'")" $((rows / 1000))
    sound
}

@test "two imports at once double nothing" {
    awk 'BEGIN { for (i = 1; i <= 2500; i++) printf "V\t300101000000Z\t\t%06X\tunknown\t/CN=dev-%d\n", i, i }' >long.txt
    import --index long.txt --without-certs >one &
    import --index long.txt --without-certs >two
    wait $!
    equal "$(sql 'SELECT count(*) FROM certificate WHERE imported_at NOTNULL')" 2500
    equal "$(cat one two | sed -nE 's/^2500 rows: ([0-9]+) taken.*/\1/p' | paste -sd+ | bc)" 2500
    sound
}

@test "--dry-run writes nothing" {
    local before
    before=$(sha256sum home/ledger.db)
    says '5 rows: 5 taken, 0 known, 0 newly revoked, 0 rejected, 0 without a certificate, 0 ignored' ca -n
    equal "$(sql 'SELECT count(*) FROM certificate WHERE imported_at NOTNULL')" 0
    equal "$(sha256sum home/ledger.db)" "$before"
}

# rejects TEXT ARGUMENTS...: one row is rejected in these words, and the others are taken.
rejects() {
    run --separate-stderr import "${@:2}"
    [[ $status == 1 ]] || fail 'want exit status 1'
    equal "${stderr_lines[0]}" "$1"
}

@test "refused: certificates of another CA, another one with the same serial" {
    cp forged.crt ca/newcerts/
    rejects 'ca/newcerts/forged.crt: 09: certificate: signature: want one by this key with ecdsa-with-SHA256, have another' ca
    equal "$(sql "SELECT count(*) FROM certificate WHERE imported_at NOTNULL")" 5
    cp again.crt ca/newcerts/forged.crt
    rejects 'ca/newcerts/forged.crt: 01: RFC 5280 4.1.2.2: serial: another certificate has it, too' ca
    rm -r ca/newcerts/*
    rejects 'ca/newcerts/forged.crt: 01: serial: the ledger has another certificate of this authority with it' \
        --certs "$(mkdir -p only/ca/newcerts && cp again.crt ca/newcerts/forged.crt && echo ca/newcerts)"
    cp home/factory.crt ca/newcerts/forged.crt
    rejects "ca/newcerts/forged.crt: $(openssl x509 -in home/factory.crt -noout -serial | cut -d= -f2): RFC 5280 6.1.3: issuer: want the authority's subject, have 'CN=Acme Root CA 2026,O=Acme'" --certs ca/newcerts
    sound
}

@test "refused: lines that are none" {
    local line
    while IFS='|' read -r line want; do
        during=$line
        printf '%b\n' "$line" >bad.txt
        rejects "bad.txt:1: $want" --index bad.txt --without-certs
    done <<'END'
V\t300101000000Z\t\t01|index: want 6 fields with tabs between them, have '4'
X\t300101000000Z\t\t01\tunknown\t/CN=a|index: status: want V, R or E, have 'X'
V\t300101000000Z\t\t1\tunknown\t/CN=a|index: serial: want pairs of hexadecimal digits, have '1'
V\t300101000000Z\t\t-1\tunknown\t/CN=a|index: serial: want pairs of hexadecimal digits, have '-1'
V\t300101000000Z\t\t00\tunknown\t/CN=a|index: serial: RFC 5280 4.1.2.2: want a positive number, have '00'
V\t300101000000Z\t\tFF00000000000000000000000000000000000000\tunknown\t/CN=a|index: serial: RFC 5280 4.1.2.2: want at most 20 octets, have 'FF00000000000000000000000000000000000000'
V\t3001010000\t\t01\tunknown\t/CN=a|01: index: end of validity: want [YY]YYMMDDHHMMSSZ, have '3001010000'
R\t300101000000Z\t\t01\tunknown\t/CN=a|01: index: time of revocation: want one with R, and only then, have 'R'
V\t300101000000Z\t250101000000Z\t01\tunknown\t/CN=a|01: index: time of revocation: want one with R, and only then, have 'V'
R\t300101000000Z\t250101000000Z,frob\t01\tunknown\t/CN=a|01: index: reason: want one of openssl ca's words, have 'frob'
R\t300101000000Z\t490101000000Z\t01\tunknown\t/CN=a|01: time of revocation: want one that has come, have 2049-01-01T00:00:00Z
END
    printf 'V\t300101000000Z\t\t01\tunknown\t/CN=a\nV\t310101000000Z\t\t01\tunknown\t/CN=a\n' >bad.txt
    rejects 'bad.txt:2: 01: serial: another line has it, and says something else' --index bad.txt --without-certs
    sed -i 's/^V\t[0-9]*Z/V\t300101000000Z/' ca/index.txt
    rejects "ca/index.txt:1: 01: end of validity: not that of the certificate with this serial, $(date -u -d "$(openssl x509 -in ca/newcerts/01.pem -noout -enddate | cut -d= -f2)" +%FT%TZ)" ca
    equal "$(sql "SELECT count(*) FROM event WHERE kind = 'import'")" 2
}

@test "refused: what is no import, a CRL of another CA, an authority without its certificate" {
    refused 2 'p11ca: want a folder, --index, --certs, --crl or --crl-number' import
    refused 2 'p11ca: want a folder, or --index and --certs, have both' import ca --index ca/index.txt
    refused 2 'p11ca: want one of --crl, --crl-number, have both' import ca --crl old.crl --crl-number 3
    refused 2 "p11ca: r.txt: want a report called \*.csv, \*.ndjson or \*.jsonl" import ca --report r.txt
    refused 8 'p11ca: none: No such file or directory' import none
    mkdir empty
    refused 4 'p11ca: empty: want certificates or an index, have none' import empty
    sed -i 's/old.key/other.key/; s/old.crt/other.crt/' ca.cnf
    ca -gencrl -out other.crl
    refused 4 'p11ca: other.crl: CRL: signature: want one by this key with ecdsa-with-SHA512, have another' import ca --crl other.crl
    touch r.csv
    refused 8 'p11ca: r.csv: *exists*' import ca --report r.csv
    sed -i 's|^authorities = {|&\n  new = { subject = "CN=New"; profile = "root-ca"; };|' home/p11ca.conf
    refused 3 "p11ca: authority 'new': no CA certificate installed (p11ca install): want it, to verify with" p11ca -C home import new ca
}

@test "a key that was made elsewhere: refused, but for a written exception that is told ever after" {
    rm -rf home
    p11ca -q init home --name Acme --softhsm >/dev/null
    sed -i 's|^authorities = {|&\n  old = { subject = "CN=Old Root,O=Old\\\\, Inc.,C=US"; profile = "root-ca"; };|' home/p11ca.conf
    openssl pkcs8 -topk8 -nocrypt -in old.key -out old.p8
    SOFTHSM2_CONF=$PWD/home/softhsm/softhsm2.conf softhsm2-util --import old.p8 --token acme-root --label old-key --id 77 \
        --pin "$(cat home/pins/root)" >/dev/null
    sed -i '/^  old = /s/{/{ token = "root"; key = "old-key"; issues = [ "device" ];/' home/p11ca.conf
    refused 6 "p11ca: token 'root': private key 'old-key': key policy: CKA_ALWAYS_SENSITIVE: want true, have false" \
        p11ca -C home install old old.crt
    refused 6 "p11ca: token 'root': private key 'old-key': key policy: CKA_ALWAYS_SENSITIVE: want true, have false" \
        p11ca -C home issue -a old -p device --new-key x.key --id x1 -o x.crt
    sed -i '/^  old = /s/{/{ key-exception = "made by openssl in 2020";/' home/p11ca.conf
    p11ca -q -C home install old old.crt
    import ca >/dev/null
    succeeds p11ca -q -C home issue -a old -p device --new-key x.key --id x1 -o x.crt
    succeeds p11ca -q -C home issue -a old -p device --new-key y.key --id x2 -o y.crt
    succeeds openssl verify -CAfile old.crt x.crt
    equal "$(sql "SELECT detail FROM event WHERE kind = 'key-exception'")" 'made by openssl in 2020'
    sound
    [[ ${lines[0]} == 'note: old: its key was not generated under the key policy; used since '*' because: made by openssl in 2020' ]] ||
        fail 'want the exception in the audit'
    succeeds p11ca -C home token check root
    [[ $output == *'weak  key exception                  made by openssl in 2020'* && $output == *'weak  CKA_LOCAL '* ]] ||
        fail 'want the exception named'
    sed -i '/^  old = /s/key-exception = "[^"]*";/key-exception = "";/' home/p11ca.conf
    refused 3 "p11ca: home/p11ca.conf:*: authorities.old: key-exception: want a reason of 1 to 200 octets, for a key in a token" \
        p11ca -C home list
}

@test "after the import the new program goes on: old certificates are revoked from here, and the CRL takes the next number" {
    local rows=${IMPORT_ROWS:-3000}
    rm -rf home
    p11ca -q init home --name Acme --softhsm >/dev/null
    openssl pkcs8 -topk8 -nocrypt -in old.key -out old.p8
    SOFTHSM2_CONF=$PWD/home/softhsm/softhsm2.conf softhsm2-util --import old.p8 --token acme-root --label old-key --id 77 \
        --pin "$(cat home/pins/root)" >/dev/null
    sed -i 's|^authorities = {|&\n  old = { token = "root"; key = "old-key"; key-exception = "made by openssl"; issues = [ "device" ]; subject = "CN=Old Root,O=Old\\\\, Inc.,C=US"; profile = "root-ca"; };|' home/p11ca.conf
    p11ca -q -C home install old old.crt
    awk -v n="$rows" 'BEGIN { for (i = 1; i <= n; i++) printf "%s\t300101000000Z\t%s\t%06X\tunknown\t/C=US/O=Old/CN=dev-%d\n",
        i % 10 ? "V" : "R", i % 10 ? "" : "250101000000Z,keyCompromise", i + 1000000, i }' >>ca/index.txt
    import ca --crl old.crl --without-certs >/dev/null
    equal "$(p11ca -q -C home list -a old | wc -l)" $((rows + 5))

    succeeds p11ca -C home revoke -a old 80 0F4241 ca/newcerts/01.pem --reason superseded
    succeeds p11ca -C home --json crl old -o new.crl
    equal "$(jq -r '"\(.number) \(.entries)"' <<<"$output")" "4097 $((rows / 10 + 5))"
    openssl crl -in new.crl -CAfile old.crt -noout -verify 2>verify.log
    equal "$(cat verify.log)" 'verify OK'
    openssl crl -in new.crl -noout -text >new.txt
    # From the program before with its date and reason, from here, and of a certificate that was never at hand.
    equal "$(grep -c 'Serial Number: \(01\|02\|03\|80\|0F4241\|0F424A\)$' new.txt)" 6
    equal "$(grep -A4 'Serial Number: 0F424A$' new.txt | grep -c 'Jan  1 00:00:00 2025 GMT\|Key Compromise')" 2
    run openssl verify -crl_check -CAfile old.crt -CRLfile new.crl ca/newcerts/80.pem
    [[ $status == 2 && $output == *'certificate revoked'* ]] || fail 'want it revoked'
    # The same serial is not revoked twice, and the CRL of the next second has the next number.
    succeeds p11ca -C home revoke -a old 0F4241 --reason superseded
    sleep 1.1
    succeeds p11ca -C home --json crl old -o new.crl --force
    equal "$(jq -r .number <<<"$output")" 4098
    sound
}
