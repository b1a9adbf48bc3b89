#!/usr/bin/env bats
# What the ledger knows and tells: list, show, verify, audit; orders given again; request and install.

load common

setup_file() {
    prepare_home
    cd "$BATS_FILE_TMPDIR"
    ec_request dev /CN=leaf-1
    local issue=(p11ca -q -C home issue -a factory)
    {
        "${issue[@]}" -p device --csr dev.csr -o device.crt
        "${issue[@]}" -p server --new-key server.key --dns localhost --dns pki.example --ip ::1 -o server.crt
        "${issue[@]}" -p client --new-key client.key --subject 'CN=Alice,O=Acme' --email alice@acme.example --days 30 -o client.crt
        p11ca -q init foreign --name Acme --softhsm
        p11ca -q -C foreign issue -a factory -p server --new-key foreign.key --dns localhost -o foreign.crt
    } >/dev/null
}

setup() {
    use_home
    cp "$BATS_FILE_TMPDIR"/*.{crt,csr,key} .
}

serial_of() {
    openssl x509 -in "$1" -noout -serial | cut -d= -f2
}

hex() {
    od -An -v -tx1 | tr -d ' \n'
}

@test "list: every certificate in the order of issue" {
    succeeds p11ca -C home list
    equal "${#lines[@]}" 5
    equal "$stderr" '5 certificates'
    equal "${lines[2]}" "$(serial_of device.crt) issued     factory    device     $(date -d "$(openssl x509 -in device.crt -noout -enddate | cut -d= -f2)" +%F) CN=leaf-1"
}

@test "list: filters" {
    local list=(p11ca -q -C home list)
    equal "$("${list[@]}" -a root | wc -l)" 2
    equal "$("${list[@]}" --authority factory | wc -l)" 3
    equal "$("${list[@]}" -p server | cut -d' ' -f1)" "$(serial_of server.crt)"
    equal "$("${list[@]}" --id leaf-1 | cut -d' ' -f1)" "$(serial_of device.crt)"
    equal "$("${list[@]}" --status issued | wc -l)" 5
    equal "$("${list[@]}" --status revoked)" ''
    equal "$("${list[@]}" --expiring 31 | cut -d' ' -f1)" "$(serial_of client.crt)"
    equal "$("${list[@]}" --expiring 29)" ''
    equal "$("${list[@]}" --expiring 91 -p client -a factory --status issued | wc -l)" 1
    equal "$("${list[@]}" -p frob)" ''
}

@test "list: what is no filter" {
    refused 2 "p11ca: status 'frob': want reserved, issued, superseded or revoked" p11ca -C home list --status frob
    refused 2 "p11ca: option --limit: want a whole number *" p11ca -C home list --limit x
    run --separate-stderr p11ca -C home list --after 00
    [[ $status != 0 && $output == '' ]] || fail 'want a serial nobody has refused'
}

@test "list: pages" {
    local all pages='' last='' page
    all=$(p11ca -q -C home list)
    while page=$(p11ca -q -C home list --limit 2 ${last:+--after "$last"}) && [[ -n $page ]]; do
        [[ $(wc -l <<<"$page") -le 2 ]]
        pages+=$page$'\n'
        last=$(tail -1 <<<"$page" | cut -d' ' -f1)
    done
    equal "$pages" "$all"$'\n'
}

@test "list --json: an array with the same rows" {
    succeeds p11ca -C home --json list
    equal "$(jq -r '.[].serial' <<<"$output")" "$(p11ca -q -C home list | cut -d' ' -f1)"
    equal "$(jq -r '.[] | select(.profile == "server") | .sans, .authority, .status, .device' <<<"$output" | tr '\n' '|')" \
        'DNS:localhost, DNS:pki.example, IP:::1|factory|issued|null|'
    succeeds p11ca -C home --json list --status revoked
    equal "$output" '[]'
}

@test "show: by serial, in lower case, with colons, by file" {
    local serial want
    serial=$(serial_of device.crt)
    succeeds p11ca -C home show "$serial"
    want=$output
    [[ $want == *"serial       $serial"*'device       leaf-1'*'subject      CN=leaf-1'* ]] || fail 'want it shown'
    equal "$(sed -nE 's/^sha256 +//p' <<<"$want")" "$(openssl x509 -in device.crt -outform DER | sha256sum | cut -d' ' -f1 | tr a-f A-F)"
    equal "$(sed -nE 's/^not after +//p' <<<"$want")" "$(date -d "$(openssl x509 -in device.crt -noout -enddate | cut -d= -f2)" +%FT%TZ)"
    equal "$(p11ca -C home show "${serial,,}")" "$want"
    equal "$(p11ca -C home show "$(sed 's/../&:/g; s/:$//' <<<"$serial")")" "$want"
    equal "$(p11ca -C home show device.crt)" "$want"
    openssl x509 -in device.crt -outform DER -out device.der
    equal "$(p11ca -C home show device.der)" "$want"
    equal "$(p11ca -C home show --pem "$serial")" "$(cat device.crt)"
    equal "$(p11ca -C home --json show "$serial" | jq -r .serial,.device,.not_before)" \
        "$serial"$'\nleaf-1\n'"$(sed -nE 's/^not before +//p' <<<"$want")"
}

@test "show: what the ledger does not have" {
    refused 1 "p11ca: foreign.crt: *not in the ledger*" p11ca -C home show foreign.crt
    refused 1 "p11ca: $(serial_of foreign.crt): not in the ledger" p11ca -C home show "$(serial_of foreign.crt)"
    refused 4 'p11ca: dev.csr: want a certificate, have a certificate request' p11ca -C home show dev.csr
    refused 2 "p11ca: 'none.crt': want a serial in hex, or a certificate file" p11ca -C home show none.crt
}

@test "verify: good ones" {
    succeeds p11ca -C home verify server.crt --purpose server --host localhost
    equal "$output" "server.crt: verified, issued by 'factory', serial $(serial_of server.crt)"
    succeeds p11ca -C home verify server.crt --host ::1
    succeeds p11ca -C home verify device.crt --purpose client
    succeeds p11ca -C home verify client.crt --purpose client
    succeeds p11ca -C home verify home/factory.crt
    succeeds p11ca -C home verify home/root.crt
    succeeds p11ca -C home --json verify server.crt
    equal "$(jq -r '.verified, .authority, .code' <<<"$output" | tr '\n' ' ')" 'true factory null '
}

@test "verify: another host, another purpose" {
    refused 1 "p11ca: server.crt: *'other.example' in the SAN, have other names" p11ca -C home verify server.crt --host other.example
    refused 1 "p11ca: server.crt: *" p11ca -C home verify server.crt --purpose client
    [[ $stderr == *purpose* ]] || fail 'want the purpose named'
    refused 1 "p11ca: device.crt: *" p11ca -C home verify device.crt --purpose server
    refused 2 "p11ca: option --purpose: want server or client, have 'frob'" p11ca -C home verify device.crt --purpose frob
}

@test "verify: a certificate of another CA with the same names" {
    refused 1 "p11ca: foreign.crt: *" p11ca -C home verify foreign.crt
    refused 1 "p11ca: foreign/root.crt: *" bash -c "mkdir -p foreign; cp '$BATS_FILE_TMPDIR/foreign/root.crt' foreign/;
        cd '$BATS_FILE_TMPDIR'; '$BUILD/bin/p11ca' -C '$PWD/home' verify foreign/root.crt; s=\$?; rm -r '$PWD/foreign'; exit \$s"
    run --separate-stderr p11ca -C home --json verify foreign.crt
    equal "$status $(jq -r .verified <<<"$output")" '1 false'
}

@test "verify: expired and not yet valid" {
    # faketime preloads a library; a sanitizer's runtime wants to be first.
    [[ ${SAN:-} == '' ]] || skip "faketime and sanitizers do not mix"
    run --separate-stderr timeout 60 faketime -f '+100d' "$BUILD/bin/p11ca" -C home verify server.crt
    [[ $status == 1 && $output == '' && $stderr == 'p11ca: server.crt: '*expired* ]] || fail 'want it expired'
    run --separate-stderr timeout 60 faketime -f '+80d' "$BUILD/bin/p11ca" -C home verify server.crt
    [[ $status == 0 ]] || fail 'want it good after 80 days'
    run --separate-stderr timeout 60 faketime -f '-2d' "$BUILD/bin/p11ca" -C home verify server.crt
    [[ $status == 1 && $stderr == 'p11ca: server.crt: '*'not yet valid'* ]] || fail 'want it not yet valid'
}

@test "verify: a good chain that the ledger does not know was made behind its back" {
    printf 'extendedKeyUsage=clientAuth\nbasicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\nauthorityKeyIdentifier=keyid\nsubjectAltName=URI:urn:x\n' >ext.cnf
    SOFTHSM2_CONF=$PWD/home/softhsm/softhsm2.conf PKCS11_MODULE_PATH=$softhsm openssl x509 -req -in dev.csr -days 10 \
        -CA home/factory.crt -engine pkcs11 -CAkeyform engine -CAkey "pkcs11:token=acme-factory;object=$(key_label factory);type=private;pin-value=$(cat home/pins/factory)" \
        -extfile ext.cnf -set_serial 0x1234567890123456789012345678901234567890 -out behind.crt 2>engine.log ||
        skip "no pkcs11 engine: $(tail -1 engine.log)"
    succeeds openssl verify -x509_strict -CAfile home/root.crt -untrusted home/factory.crt behind.crt
    refused 1 'p11ca: behind.crt: the chain verifies, but the ledger does not know this certificate' p11ca -C home verify behind.crt
}

@test "audit: nothing to find in a good ledger" {
    sound
    [[ $output == '2 authorities, 5 certificates, 0 serials reserved and not used, '*', 0 faults'* ]] || fail 'want the counts'
    [[ ${lines[-1]} =~ ^'ledger head '[0-9A-F]{64}$ ]]
    succeeds p11ca -C home --json audit
    equal "$(jq -r '.good, .authorities, .certificates, .faults' <<<"$output" | tr '\n' ' ')" 'true 2 5 0 '
}

# audit_finds PATTERN: a fault that fits, exit 1.
audit_finds() {
    run --separate-stderr p11ca -C home audit
    equal "$status" 1
    [[ $stderr =~ ^'p11ca: '[1-9][0-9]*' fault'(s)?' found'$ ]] || fail 'want the faults counted'
    # shellcheck disable=SC2053
    [[ $'\n'$output == *$'\nfault: '$1* ]] || fail "want a finding: $1"
    run --separate-stderr p11ca -C home --json audit
    equal "$status $(jq -r '.good' <<<"$output")" '1 false'
}

# What a forger with the file would do first.
without_triggers() {
    sqlite3 -batch home/ledger.db "SELECT 'DROP TRIGGER ' || name || ';' FROM sqlite_schema WHERE type = 'trigger'" |
        sqlite3 -batch home/ledger.db
    sql "$1"
}

@test "audit finds: a certificate that was exchanged in the database" {
    local other
    other=$(openssl x509 -in "$BATS_FILE_TMPDIR/foreign.crt" -outform DER | hex)
    without_triggers "UPDATE certificate SET cert = x'$other' WHERE device = 'leaf-1'"
    audit_finds "$(serial_of device.crt)"
}

@test "audit finds: one bit of a certificate changed in the database" {
    local der
    der=$(openssl x509 -in device.crt -outform DER | hex)
    without_triggers "UPDATE certificate SET cert = x'${der::-1}$(tr 0-9a-f 1-9a-f0 <<<"${der: -1}")' WHERE device = 'leaf-1'"
    audit_finds "$(serial_of device.crt)"
}

@test "audit finds: columns that say something else than the certificate" {
    local column
    for column in "subject = 'CN=other'" "not_after = not_after + 1" "spki_sha256 = zeroblob(32)" "tbs_sha256 = zeroblob(32)" \
        "serial = zeroblob(20)"; do
        during=$column
        rm -rf home
        copy_home home
        without_triggers "UPDATE certificate SET $column WHERE device = 'leaf-1'"
        audit_finds ''
    done
}

@test "audit finds: a certificate deleted from the database" {
    without_triggers "DELETE FROM certificate WHERE device = 'leaf-1'"
    audit_finds ''
}

@test "audit finds: a status set back" {
    without_triggers "UPDATE certificate SET status = 0, cert = NULL, cert_sha256 = NULL, issued_at = NULL, published_at = NULL WHERE device = 'leaf-1'"
    audit_finds ''
}

@test "audit finds: events changed, deleted, added, reordered" {
    local forgery
    for forgery in "UPDATE event SET operator = 'nobody' WHERE seq = 5" "UPDATE event SET detail = 'x' WHERE seq = 3" \
        "UPDATE event SET time = time + 1 WHERE seq = 4" "DELETE FROM event WHERE seq = 7" \
        "INSERT INTO event SELECT seq + 100, time, kind, authority, profile, serial, operator, host, detail, digest, hash FROM event WHERE seq = 2" \
        "UPDATE event SET hash = zeroblob(32) WHERE seq = 6"; do
        during=$forgery
        rm -rf home
        copy_home home
        without_triggers "$forgery"
        audit_finds ''
    done
}

@test "the triggers are in the way of a simple forger" {
    local forgery
    for forgery in "UPDATE event SET operator = 'nobody'" 'DELETE FROM event' 'DELETE FROM certificate' \
        "UPDATE certificate SET cert = x'00'" "UPDATE certificate SET subject = 'CN=x'" "UPDATE certificate SET status = 0" \
        "UPDATE authority SET spki = x'00'" 'DELETE FROM authority'; do
        run sql "$forgery"
        [[ $status != 0 ]] || fail "want it refused: $forgery"
    done
    sound
}

@test "audit finds: a published file that holds something else" {
    # Its path in the ledger is where it was issued: a home of our own is needed.
    succeeds p11ca -C home issue -a factory -p device --new-key k --id leaf-2 -o mine.crt
    cp foreign.crt mine.crt
    audit_finds "*mine.crt: holds something the ledger does not know"
    echo nonsense >mine.crt
    audit_finds "*mine.crt: holds something the ledger does not know"
    # Handed over to the device: a note, not a fault.
    rm mine.crt
    succeeds p11ca -C home audit
    [[ $output == *'note: '*'mine.crt: is no longer there'* ]]
}

@test "audit finds: a CA certificate file that was exchanged, or is missing" {
    cp "$BATS_FILE_TMPDIR/foreign/root.crt" home/root.crt
    audit_finds 'root: home/root.crt: is not the CA certificate of the ledger'
    rm home/root.crt
    audit_finds 'root: home/root.crt: is missing'
}

@test "audit finds: a damaged database file" {
    printf 'garbage garbage garbage garbage' | dd of=home/ledger.db bs=1 seek=8192 conv=notrunc 2>/dev/null
    run --separate-stderr p11ca -C home audit
    [[ $status == 1 || $status == 7 ]] || fail 'want exit status 1 or 7'
    [[ $stderr == 'p11ca: '* ]]
}

@test "a ledger that is none: exit 7" {
    echo 'not a database, not at all; long enough to have a header of one hundred bytes, which SQLite reads first.....' >home/ledger.db
    answers 7 'p11ca: home/ledger.db: *' p11ca -C home list
    answers 7 'p11ca: home/ledger.db: *' p11ca -C home issue -a factory -p device --csr dev.csr -o out.crt
    [[ ! -e out.crt ]]
}

@test "a ledger of another program: exit 7" {
    rm home/ledger.db*
    sqlite3 -batch home/ledger.db 'CREATE TABLE x (y); PRAGMA user_version = 1'
    run --separate-stderr p11ca -C home list
    [[ $status == 7 && $output == '' && $stderr == 'p11ca: home/ledger.db: not a p11ca ledger: '* ]] || fail 'want it refused'
    run --separate-stderr p11ca -C home issue -a factory -p device --csr dev.csr -o out.crt
    [[ $status == 7 && ! -e out.crt ]] || fail 'want it refused'
}

@test "events: who, when, what" {
    succeeds p11ca -C home issue -a factory -p device --new-key k --id leaf-2 -o out.crt
    equal "$(sql "SELECT kind, authority, profile, hex(serial) FROM event ORDER BY seq DESC LIMIT 1")" "issue|factory|device|$(serial_of out.crt)"
    equal "$(sql "SELECT count(*) FROM event WHERE operator = '' OR host = '' OR time < 1600000000")" 0
    # A change of the configuration, in an included file too, is noted by the next command that writes; a remark is none.
    echo '# a remark' >>home/p11ca.conf
    succeeds p11ca -C home issue -a factory -p device --new-key k4 --id leaf-4 -o out4.crt
    equal "$(sql "SELECT count(*) FROM event WHERE kind = 'config'")" 1
    grep '^ledger = ' home/p11ca.conf >home/more.conf
    sed -i 's/^ledger = .*/@include "more.conf"/' home/p11ca.conf
    succeeds p11ca -C home list
    echo 'ledger = "./ledger.db";' >home/more.conf
    succeeds p11ca -C home issue -a factory -p device --new-key k3 --id leaf-3 -o out3.crt
    equal "$(sql "SELECT kind FROM event ORDER BY seq DESC LIMIT 2" | tr '\n' ' ')" 'issue config '
    equal "$(sql "SELECT count(*) FROM event WHERE kind = 'config'")" 2
}

# Orders given again

@test "the same order for a device again: the same certificate, exit 0" {
    local issue=(p11ca -C home issue -a factory -p device --csr dev.csr)
    succeeds "${issue[@]}" -o again.crt
    equal "$stderr" 'this order was issued before: the same certificate again'
    cmp again.crt device.crt
    succeeds p11ca -C home --json issue -a factory -p device --csr dev.csr -o third.crt
    equal "$(jq -r .outcome,.serial <<<"$output")" "reused"$'\n'"$(serial_of device.crt)"
    # To the very same file: that is what it holds.
    succeeds "${issue[@]}" -o again.crt
    equal "$(p11ca -q -C home list --id leaf-1 | wc -l)" 1
    sound
}

@test "the same order without a device ID again: a new certificate with a new serial" {
    ec_request host /CN=a.example
    local issue=(p11ca -q -C home issue -a factory -p server --csr host.csr --subject CN=a.example --dns a.example)
    succeeds "${issue[@]}" -o one.crt
    succeeds "${issue[@]}" -o two.crt
    [[ $(serial_of one.crt) != "$(serial_of two.crt)" ]]
    sound
}

@test "--new-key for a device again: another key is another order" {
    succeeds p11ca -q -C home issue -a factory -p device --new-key one.key --id leaf-5 -o one.crt
    refused 4 "p11ca: two.key: device 'leaf-5': profile 'device' was issued to it before, with another key or other names" \
        p11ca -q -C home issue -a factory -p device --new-key two.key --id leaf-5 -o two.crt
}

@test "issue --pubkey, --json and what is in the record" {
    openssl ecparam -name secp384r1 -genkey -noout -out p384.key
    openssl pkey -in p384.key -pubout -out p384.pub
    succeeds p11ca -C home --json issue -a factory -p client --pubkey p384.pub --subject 'CN=Bob,O=Acme' --uri spiffe://acme/bob -o bob.crt
    equal "$stderr" ''
    equal "$(jq -r '.outcome, .status, .profile, .subject, .sans, .serial' <<<"$output" | tr '\n' '|')" \
        "new|issued|client|CN=Bob,O=Acme|URI:spiffe://acme/bob|$(serial_of bob.crt)|"
    succeeds openssl verify -x509_strict -CAfile home/root.crt -untrusted home/factory.crt -purpose sslclient bob.crt
}

@test "--days counts" {
    ec_request host /CN=a.example
    succeeds p11ca -q -C home issue -a factory -p server --csr host.csr --dns a.example --days 7 -o week.crt
    succeeds openssl x509 -in week.crt -noout -checkend $((6 * 86400))
    run openssl x509 -in week.crt -noout -checkend $((8 * 86400))
    equal "$status" 1
}

# request and install

# An authority of its own, with a key made by a ceremony, without a certificate.
make_spare() {
    sed -i -E '/^ *factory = \{ token = /i spare = { token = "factory"; key = "spare"; subject = "CN=Spare CA,O=Acme"; profile = "issuing-ca"; issuer = "root"; issues = [ "device" ]; };' \
        home/p11ca.conf
    printf 'title = "t"; steps = ( { do = "generate-key"; authority = "spare"; algorithm = "P-384"; } );\n' >spare.conf
    p11ca -q -C home ceremony run --yes spare.conf
}

@test "request, issue by the root, install: by hand" {
    make_spare
    succeeds p11ca -C home request spare -o spare.csr
    succeeds openssl req -in spare.csr -noout -verify
    [[ $(openssl req -in spare.csr -noout -subject -nameopt RFC2253) == 'subject=CN=Spare CA,O=Acme' ]]
    succeeds p11ca -C home issue -a root -p issuing-ca --csr spare.csr --subject 'CN=Spare CA,O=Acme' -o spare.crt
    succeeds p11ca -C home install spare spare.crt
    cmp spare.crt home/spare.crt
    succeeds p11ca -C home install spare spare.crt
    succeeds p11ca -C home issue -a spare -p device --new-key k --id leaf-2 -o out.crt
    succeeds openssl verify -x509_strict -CAfile home/root.crt -untrusted home/spare.crt -purpose sslclient out.crt
    [[ $(openssl x509 -in out.crt -noout -text) == *'Signature Algorithm: ecdsa-with-SHA384'* ]]
    succeeds p11ca -C home verify out.crt
    sound
}

@test "install refuses: a certificate for another key, another subject, another issuer, a leaf, nonsense" {
    make_spare
    succeeds p11ca -C home request spare -o spare.csr
    refused 4 "p11ca: home/factory.crt: public key: want that of key 'spare' in token 'factory'" p11ca -C home install spare home/factory.crt
    succeeds p11ca -C home issue -a root -p issuing-ca --csr spare.csr --subject 'CN=Other CA' -o other.crt
    refused 4 "p11ca: other.crt: subject: want 'CN=Spare CA,O=Acme', have 'CN=Other CA'" p11ca -C home install spare other.crt
    # The right key and subject, signed by a root of the same name.
    succeeds p11ca -C "$BATS_FILE_TMPDIR/foreign" issue -a root -p issuing-ca --csr spare.csr --subject 'CN=Spare CA,O=Acme' -o forged.crt --force
    refused 4 "p11ca: forged.crt: *" p11ca -C home install spare forged.crt
    # Everything right, but not by one who may sign CA certificates: made with a software key.
    openssl req -x509 -key dev.key -subj '/CN=Spare CA/O=Acme' -days 30 -out self.crt
    refused 4 "p11ca: self.crt: public key: want *" p11ca -C home install spare self.crt
    refused 4 "p11ca: device.crt: *" p11ca -C home install spare device.crt
    refused 4 "p11ca: dev.csr: want a certificate, have a certificate request" p11ca -C home install spare dev.csr
    refused 8 "p11ca: none.crt: No such file or directory" p11ca -C home install spare none.crt
    refused 2 "p11ca: no authority 'frob' in home/p11ca.conf" p11ca -C home install frob other.crt
    refused 3 "p11ca: authority 'spare': no CA certificate installed *" p11ca -C home issue -a spare -p device --csr dev.csr -o out.crt
    [[ ! -e home/spare.crt ]]
}

@test "install: a second certificate for an authority that has one" {
    succeeds p11ca -C home issue -a root -p issuing-ca --csr home/factory.csr --subject "$(p11ca -C home --json show home/factory.crt | jq -r .subject)" \
        --days 1000 -o second.crt --force
    run --separate-stderr p11ca -C home install factory second.crt
    [[ $status != 0 && $output == '' && ${#stderr_lines[@]} == 1 ]] || fail 'want it refused'
    [[ $status != 70 ]] || fail 'want no bug'
    cmp home/factory.crt "$BATS_FILE_TMPDIR/home/factory.crt"
    sound
}

@test "bench: numbers, in text and JSON, and nothing left in the ledger" {
    local before
    before=$(rows_now)
    succeeds p11ca -C home bench -a factory -n 20
    equal "$(cut -d' ' -f1 <<<"$output" | tr '\n' ' ')" 'S V V L rate rate/L keys '
    succeeds p11ca -C home --json bench -a factory -n 20 -j 1
    equal "$(jq -r '.issued, .jobs, ([.S, .V, .V_all, .L, .rate, .rate_keys] | map(. > 0) | all)' <<<"$output" | tr '\n' ' ')" '20 1 true '
    equal "$(rows_now)" "$before"
    refused 2 "p11ca: no authority 'frob' in home/p11ca.conf" p11ca -C home bench -a frob
}

@test "token list: names, kinds, serials" {
    succeeds p11ca -C home token list
    grep -qE '^root +softhsm2 +acme-root +[0-9a-f]{16} +SoftHSM v2 +ready$' <<<"$output"
    grep -qE '^factory +softhsm2 +acme-factory +[0-9a-f]{16} +SoftHSM v2 +ready$' <<<"$output"
    succeeds p11ca -C home --json token list
    equal "$(jq -r '[.[] | select(.name != null) | .name] | sort | join(" ")' <<<"$output")" 'factory root'
}

@test "token init: an initialised token is refused" {
    refused 6 "p11ca: token 'factory': a token that matches pkcs11:token=acme-factory is already initialised" p11ca -C home token init factory
    refused 2 "p11ca: no token 'frob' in home/p11ca.conf" p11ca -C home token init frob
}

# Two machines

@test "a root whose key is elsewhere: its certificate alone makes chains verify, and signs nothing here" {
    mv home root
    cp -a root home
    rm -rf home/ledger.db* home/softhsm home/*.crt home/*.pem home/*.csr
    sed -i -E '/^  root +=.*kind/,/};$/d; s/token = "root"; key = "root-[0-9]+"; //' home/p11ca.conf
    succeeds p11ca -C home token init factory
    printf 'title = "t"; steps = ( { do = "generate-key"; authority = "factory"; algorithm = "P-256"; } );\n' >key.conf
    succeeds p11ca -C home ceremony run --yes key.conf
    succeeds p11ca -C home request factory -o factory.csr
    succeeds p11ca -C root issue -a root -p issuing-ca --csr factory.csr -o factory.crt
    # Not before the root is known, and not some other certificate in its place.
    answers 3 "p11ca: factory.crt: issuer 'root': no CA certificate installed" p11ca -C home install factory factory.crt
    answers 4 "p11ca: factory.crt: subject: want 'CN=Acme Root CA *', have 'CN=Acme Factory CA *'" p11ca -C home install root factory.crt
    succeeds p11ca -C home install root root/root.crt
    cmp home/root.crt root/root.crt
    succeeds p11ca -C home install factory factory.crt
    succeeds p11ca -C home issue -a factory -p server --new-key k --dns a.example -o k.crt
    succeeds p11ca -C home verify --purpose server --host a.example k.crt
    succeeds openssl verify -x509_strict -CAfile home/root.crt -untrusted home/factory.crt k.crt
    answers 3 "p11ca: authority 'root': its key is not at this machine (no token in p11ca.conf)" \
        p11ca -C home issue -a root -p issuing-ca --csr factory.csr -o again.crt
    succeeds p11ca -C home audit
}

@test "a self-signed certificate that does not sign itself is not taken for a root" {
    rm -rf home/ledger.db*
    sed -i -E 's/token = "root"; key = "root-[0-9]+"; //' home/p11ca.conf
    openssl x509 -in home/root.crt -outform DER -out root.der
    rm home/*.crt
    # The last octet is the signature's.
    head -c -1 root.der >forged.der
    printf '\001' >>forged.der
    answers 4 'p11ca: forged.der: self-signed: *signature*' p11ca -C home install root forged.der
}
