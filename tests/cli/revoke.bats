#!/usr/bin/env bats
# p11ca revoke: what may be revoked, how often, by whom, and what the ledger keeps of it. No token is touched: there is none.

load common

setup_file() {
    prepare_home
    cd "$BATS_FILE_TMPDIR"
    local n
    for n in 1 2 3; do
        p11ca -q -C home issue -a factory -p device --new-key "d$n.key" --id "d$n" -o "d$n.crt" >/dev/null
    done
    "$BUILD/tests/lot" requests 5
    p11ca -q -C home batch -a factory -p device requests -o lot >/dev/null
    p11ca -q init foreign --name Acme --softhsm >/dev/null
    p11ca -q -C foreign issue -a factory -p device --new-key f.key --id d1 -o foreign.crt >/dev/null
    mv home/softhsm tokens
}

setup() {
    mkdir "$BATS_TEST_TMPDIR/work"
    cd "$BATS_TEST_TMPDIR/work"
    cp -a "$BATS_FILE_TMPDIR"/home "$BATS_FILE_TMPDIR"/*.crt "$BATS_FILE_TMPDIR"/lot .
    s1=$(serial d1.crt)
    s2=$(serial d2.crt)
}

serial() {
    openssl x509 -in "$1" -noout -serial | cut -d= -f2
}

# status and reason of serial $1
state() {
    sql "SELECT status, coalesce(reason, '-'), coalesce(invalid_since, '-') FROM certificate WHERE hex(serial) = '$1'"
}

revoke() {
    p11ca -C home revoke "$@"
}

# As audit, where the tokens are not needed.
sound_ledger() {
    run --separate-stderr p11ca -C home audit
    [[ $status == 0 ]] || fail 'want no fault'
}

@test "by serial and by file, with reason, date and words; the record says who and why" {
    succeeds revoke "$s1" --reason keyCompromise --invalid-since 2026-01-02T03:04:05Z --because 'stolen in Ulm'
    equal "$output" "$s1 factory CN=d1,serialNumber=d1: revoked"
    equal "$stderr" 'others learn of it by the next CRL: p11ca crl'
    equal "$(state "$s1")" '3|1|1767323045'
    succeeds revoke d2.crt -r SUPERSEDED
    equal "$(state "$s2")" '3|4|-'
    succeeds p11ca -C home show "$s1"
    [[ $output == *$'\ninvalid      2026-01-02T03:04:05Z\n'* ]] || fail 'want the date'
    [[ $output == *$'\nbecause      keyCompromise (1), invalid since 2026-01-02T03:04:05Z; because: stolen in Ulm, by '"$(id -un)"* ]] ||
        fail 'want who and why'
    equal "$(sql "SELECT count(*) FROM event WHERE kind = 'revoke' AND operator = '$(id -un)' AND hex(serial) = '$s1'
        AND digest = (SELECT cert_sha256 FROM certificate WHERE hex(serial) = '$s1')")" 1
    run -1 p11ca -C home verify d1.crt
    sound_ledger
}

@test "again: nothing for the same reason, refused for another; a hold may become final, or be undone" {
    succeeds revoke "$s1" -r keyCompromise
    succeeds revoke "$s1" -r keyCompromise
    equal "$output" "$s1 factory CN=d1,serialNumber=d1: already revoked for this reason"
    equal "$stderr" ''
    refused 4 "p11ca: serial $s1: RFC 5280 5.3.1: revoked since ????-??-??T??:??:??Z: its reason is not changed by another revocation (superseded)" \
        revoke "$s1" -r superseded
    refused 4 "p11ca: serial $s1: RFC 5280 5.3.1: revoked since *: its date of invalidity is not changed by another revocation (keyCompromise)" \
        revoke "$s1" -r keyCompromise --invalid-since 2026-01-01
    refused 4 "p11ca: serial $s1: RFC 5280 5.3.1: only certificateHold can be taken back: it is revoked for good" revoke --undo "$s1"
    refused 4 "p11ca: serial $s2: RFC 5280 5.3.1: only certificateHold can be taken back: it is issued" revoke --undo "$s2"

    succeeds revoke "$s2" -r certificateHold
    succeeds revoke --undo d2.crt --because 'it was under the sofa'
    equal "$output" "$s2 factory CN=d2,serialNumber=d2: no longer on hold"
    equal "$(state "$s2")" '1|-|-'
    succeeds revoke --undo d2.crt
    equal "$output" "$s2 factory CN=d2,serialNumber=d2: already taken off hold"
    succeeds p11ca -C home verify d2.crt
    succeeds revoke "$s2" -r certificateHold
    succeeds revoke "$s2" -r cessationOfOperation
    equal "$(state "$s2")" '3|5|-'
    equal "$(sql "SELECT count(*) FROM event WHERE detail = 'cessationOfOperation (5) after hold'")" 1
    refused 4 '*only certificateHold*' revoke --undo "$s2"
    sound_ledger
}

@test "a key that was compromised gets no certificate any more: not its device's, nor any other" {
    openssl pkey -in "$BATS_FILE_TMPDIR/d1.key" -pubout -out d1.pub
    cp -r "$BATS_FILE_TMPDIR/tokens" home/softhsm
    succeeds revoke d1.crt -r superseded
    succeeds p11ca -q -C home issue -a factory -p device --pubkey d1.pub --id d1 -o again.crt
    succeeds revoke again.crt -r certificateHold
    refused 4 "p11ca: d1.pub: public key: want one that is not on hold, have that of serial $(serial again.crt) of authority 'factory'" \
        p11ca -q -C home issue -a factory -p device --pubkey d1.pub --id d1 -o third.crt
    succeeds revoke again.crt -r keyCompromise
    refused 4 "p11ca: d1.pub: public key: BR 6.1.1.3: want one that is not known to be compromised, have that of serial $(serial again.crt), revoked by authority 'factory' for this reason" \
        p11ca -q -C home issue -a factory -p device --pubkey d1.pub --id d1 -o third.crt
    refused 4 "*: BR 6.1.1.3: *" p11ca -q -C home issue -a factory -p client --pubkey d1.pub --subject CN=x --email a@b.example --reissue -o third.crt
    [[ ! -e third.crt ]] || fail 'want no certificate'
}

@test "several stand and fall together" {
    refused 4 'p11ca: serial 1234567890123456: not in the ledger' revoke "$s1" d2.crt 1234567890123456 -r superseded
    succeeds revoke "$s2" -r superseded
    refused 4 "p11ca: serial $s2: *" revoke "$s1" "$s2" -r keyCompromise
    succeeds revoke "$s1" "$s1" d1.crt d3.crt -r superseded
    equal "${#lines[@]}" 2
}

@test "what is refused, and that it costs nothing" {
    local reasons='want unspecified, keyCompromise, cACompromise, affiliationChanged, superseded, cessationOfOperation, certificateHold, privilegeWithdrawn or aACompromise'
    refused 2 'p11ca: reason: want one' revoke "$s1"
    refused 2 "p11ca: reason 'lost': RFC 5280 5.3.1: $reasons" revoke "$s1" -r lost
    refused 2 "p11ca: reason 'removeFromCRL': RFC 5280 5.3.1: $reasons" revoke "$s1" -r removeFromCRL
    refused 2 'p11ca: reason: want none to take a hold back' revoke "$s1" --undo -r superseded
    refused 2 'p11ca: want certificates, or a lot, or a device' revoke -r superseded
    refused 2 'p11ca: want certificates, or a lot, or a device' revoke "$s1" --id d1 -r superseded
    refused 2 "p11ca: 'xyz': want a serial in hex, or a certificate file" revoke xyz -r superseded
    refused 2 "p11ca: no authority 'nobody' in *" revoke "$s1" -r superseded -a nobody
    refused 4 "p11ca: serial $s1: not in the ledger of authority root" revoke "$s1" -r superseded -a root
    refused 4 "p11ca: d1.crt: issued by authority 'factory', not by 'root'" revoke d1.crt -r superseded -a root
    refused 2 'p11ca: invalid since: RFC 5280 5.3.2: want a time up to now, *, have 2099-01-01T00:00:00Z' \
        revoke "$s1" -r superseded --invalid-since 2099-01-01
    local t
    for t in 2026-02-30 2026-1-1 yesterday 2026-01-01T00:00:00 0000-00-00; do
        refused 2 "p11ca: option --invalid-since: want 2026-11-21 or 2026-11-21T03:05:00Z, have '$t'" \
            revoke "$s1" -r superseded --invalid-since "$t"
    done
    refused 2 'p11ca: because: want UTF-8 without control characters, have others' revoke "$s1" -r superseded --because $'a\e[31mb'
    refused 2 'p11ca: because: want UTF-8 without control characters, have others' revoke "$s1" -r superseded --because $'a\xe2\x80\xaeb'
    refused 2 'p11ca: because: want at most 512 octets, have 513' revoke "$s1" -r superseded --because "$(printf '%513s' x)"
    refused 4 "p11ca: serial $s1: RFC 5280 5.3.1: cACompromise is for CA certificates; this is none" revoke "$s1" -r cACompromise
    refused 4 "p11ca: lot 'nothing': not in the ledger: want its input as it was given to p11ca batch, or its SHA-256" \
        revoke --lot nothing -r superseded
    refused 4 "p11ca: device 'd9': want a certificate that has not ended, have none in the ledger" revoke --id d9 -r superseded
    refused 4 "p11ca: device 'd1': want a certificate that is on hold, have none in the ledger" revoke --id d1 --undo
}

@test "files that are not ours: another CA's, one with our name, one made behind the ledger's back" {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout x.key -subj /CN=x -out x.crt 2>/dev/null
    refused 4 'p11ca: x.crt: issued by no authority of this home' revoke x.crt -r superseded
    refused 4 'p11ca: foreign.crt: it names an authority of this home as its issuer, and is not signed by its key' \
        revoke foreign.crt -r superseded
    # One bit of a certificate of ours.
    openssl x509 -in d1.crt -outform DER -out bad.der
    flip bad.der 200
    refused 4 'p11ca: bad.der: *' revoke bad.der -r superseded
    # The key of factory, at work outside of this program.
    cp -a "$BATS_FILE_TMPDIR/tokens" home/softhsm
    cp -a home twin
    sed -i "s|^directories.tokendir = .*|directories.tokendir = $PWD/twin/softhsm/tokens|" twin/softhsm/softhsm2.conf
    succeeds p11ca -q -C twin issue -a factory -p device --new-key t.key --id t -o t.crt
    refused 4 "p11ca: t.crt: signed by authority 'factory', but the ledger does not know this certificate: it was made behind its back" \
        revoke t.crt -r superseded
    equal "$(sql "SELECT kind FROM event WHERE detail LIKE '%behind its back' ORDER BY seq")" $'alarm\nreject'
    printf '' >empty.crt
    refused 4 'p11ca: empty.crt: *' revoke empty.crt -r superseded
    ln -s d1.crt link.crt
    refused 8 'p11ca: link.crt: *' revoke link.crt -r superseded
}

@test "a reserved serial; a serial that two authorities have drawn" {
    sql "DROP TRIGGER certificate_content; DROP TRIGGER certificate_status; UPDATE certificate SET status = 0, cert = NULL, cert_sha256 = NULL,
        issued_at = NULL WHERE hex(serial) = '$s1'"
    refused 4 "p11ca: serial $s1: status: want issued, have reserved: there is no certificate to revoke" revoke "$s1" -r superseded
    sql "DROP TRIGGER certificate_identity; UPDATE certificate SET serial = (SELECT serial FROM certificate WHERE device = 'd2')
        WHERE authority = (SELECT id FROM authority WHERE name = 'root') AND profile = 'issuing-ca'"
    refused 2 "p11ca: serial $s2: authorities 'root' and 'factory' have issued one: say which with -a" revoke "$s2" -r superseded
    succeeds revoke "$s2" -r superseded -a factory
}

@test "a CA certificate, in its issuer's ledger: it issues nothing any more; a root cannot revoke itself" {
    local ca root
    ca=$(serial home/factory.crt) root=$(serial home/root.crt)
    refused 4 "p11ca: serial $ca: BR 7.2.2: a CA certificate: want a reason that is final, have certificateHold" revoke "$ca" -r certificateHold
    refused 4 "p11ca: serial $ca: BR 7.2.2: a CA certificate: want a reason that is final, have unspecified" revoke home/factory.crt -r unspecified
    refused 4 "p11ca: serial $root: it is the certificate of authority 'root' itself: whoever relies on a root has to be told in another way" \
        revoke "$root" -r keyCompromise
    succeeds revoke home/factory.crt -r cACompromise
    equal "$output" "$ca root CN=Acme Factory CA 2026,O=Acme: revoked"
    # Before its token is looked for: there is none.
    answers 4 "p11ca: authority 'factory': its CA certificate is revoked since *: it issues nothing any more" \
        p11ca -C home issue -a factory -p device --new-key new.key --id new -o new.crt
    sound_ledger
}

@test "below a CA certificate that is revoked nothing verifies, also when its serial came with an import" {
    local end root
    root=$(serial home/factory.crt)
    end=$(date -u -d "$(openssl x509 -in home/factory.crt -noout -enddate | cut -d= -f2)" +%Y%m%d%H%M%SZ)
    succeeds p11ca -C home verify d1.crt
    succeeds revoke home/factory.crt -r cACompromise
    run --separate-stderr p11ca -C home verify d1.crt
    [[ $status == 1 && $stderr == "p11ca: d1.crt: its CA certificate, serial $root: revoked at "*', cACompromise' ]] || fail 'want it refused'

    # Another home of the same authorities.
    mkdir other
    cp -r home/p11ca.conf home/pins other
    cp -r "$BATS_FILE_TMPDIR/tokens" other/softhsm
    p11ca -q -C other install root home/root.crt
    p11ca -q -C other install factory home/factory.crt
    printf 'R\t%s\t250101000000Z,CACompromise\t%s\tunknown\t/CN=x\n' "$end" "$root" >index.txt
    printf 'V\t%s\t\t%s\tunknown\t/CN=x\n' "$(date -u -d "$(openssl x509 -in d1.crt -noout -enddate | cut -d= -f2)" +%Y%m%d%H%M%SZ)" "$s1" >d1.txt
    p11ca -q -C other import root --index index.txt --without-certs >/dev/null
    p11ca -q -C other import factory --index d1.txt --without-certs >/dev/null
    run --separate-stderr p11ca -C other verify d1.crt
    [[ $status == 1 && $stderr == "p11ca: d1.crt: its CA certificate, serial $root: revoked at "*', cACompromise' ]] || fail 'want it refused'
    run --separate-stderr p11ca -C other issue -a factory -p device --new-key new.key --id new -o new.crt
    [[ $status == 4 && $stderr == *"its CA certificate is revoked since 2025-01-01T00:00:00Z: it issues nothing any more" ]] ||
        fail 'want it refused'
}

@test "by files: a list of the root at hand that has the CA in it is heard" {
    cp -r "$BATS_FILE_TMPDIR/tokens" home/softhsm
    p11ca -q -C home crl factory -o factory.crl
    p11ca -q -C home crl root -o root.crl
    succeeds p11ca verify d1.crt --ca home/root.crt --ca home/factory.crt --crl factory.crl --crl root.crl
    succeeds revoke home/factory.crt -r cACompromise
    sleep 1.1
    p11ca -q -C home crl root -o root.crl --force
    run --separate-stderr p11ca verify d1.crt --ca home/root.crt --ca home/factory.crt --crl factory.crl --crl root.crl
    [[ $status == 1 && $stderr == "p11ca: d1.crt: its CA certificate, serial $(serial home/factory.crt): revoked at "*', cACompromise' ]] ||
        fail 'want it refused'
    succeeds p11ca verify d1.crt --ca home/root.crt --ca home/factory.crt --crl factory.crl
}

@test "a device, a lot: what has a reason of its own is left, and a second call does the rest" {
    succeeds revoke --id d1 -r superseded
    equal "$(state "$s1")" '3|4|-'
    succeeds revoke --id d1 -r keyCompromise
    equal "$output" "$s1 factory CN=d1,serialNumber=d1: left as it is: revoked for another reason"
    equal "$(state "$s1")" '3|4|-'

    succeeds revoke lot/D-0000003.crt -r keyCompromise
    succeeds revoke --lot requests -r superseded --dry-run
    equal "$output" '4 would be revoked, 0 already, 1 left as they are'
    equal "$(sql 'SELECT count(*) FROM certificate WHERE status = 3')" 2
    succeeds revoke --lot requests -r superseded --json
    equal "$output" '{"dry_run":false,"undo":false,"revoked":4,"already":0,"left":1,"certificates":null}'
    succeeds revoke --lot "$(sql "SELECT hex(sha256) FROM lot")" -r superseded
    equal "$output" '0 revoked, 4 already, 1 left as they are'
    equal "$(sql "SELECT count(*) FROM certificate WHERE status = 3 AND reason = 4 AND lot NOTNULL")" 4
    sound_ledger
    sql "INSERT INTO lot (authority, profile, name, created_at) SELECT authority, 'server', name, 1 FROM lot"
    refused 2 "p11ca: lot 'requests': the ledger has 2 of this name: say which by its SHA-256, or by -a" revoke --lot requests -r superseded
}

@test "JSON, and a dry run that changes nothing" {
    local before
    before=$(sql 'SELECT * FROM event')
    succeeds revoke "$s1" -r keyCompromise -n
    equal "$output" "$s1 factory CN=d1,serialNumber=d1: would be revoked"
    equal "$(sql 'SELECT * FROM event')" "$before"
    succeeds revoke "$s1" -r keyCompromise --json
    equal "$(jq -c '[.revoked, .certificates[0].serial, .certificates[0].how, .certificates[0].device]' <<<"$output")" "[1,\"$s1\",\"revoked\",\"d1\"]"
    run revoke "$s1" -r superseded --json
    equal "$status" 4
    [[ $output == *'"code":"REVOKED_OTHERWISE"'* ]] || fail 'want the code'
}

@test "audit finds revocations that were made, unmade or changed by hand" {
    local t
    succeeds revoke "$s1" -r certificateHold
    cp -a home good
    local drop='DROP TRIGGER certificate_status; DROP TRIGGER certificate_revocation;'
    local -A tampered=(
        ["UPDATE certificate SET status = 3, revoked_at = 1 WHERE hex(serial) = '$s2'"]='revocation: want an event of it, have none'
        ["UPDATE certificate SET reason = 4 WHERE hex(serial) = '$s1'"]='reason: have another than 4'
        ["UPDATE certificate SET revoked_at = 1 WHERE hex(serial) = '$s1'"]='date: have another'
        ["UPDATE certificate SET status = 1, revoked_at = NULL, reason = NULL WHERE hex(serial) = '$s1'"]='is of something else'
        ["UPDATE certificate SET status = 1, revoked_at = NULL, reason = NULL, changed = NULL WHERE hex(serial) = '$s1'"]="revoke of serial $s1: want it in the certificate's row, have none"
    )
    for t in "${!tampered[@]}"; do
        during=$t
        rm -rf home
        cp -a good home
        sql "$drop $t"
        run -1 p11ca -C home audit
        [[ $output == *"${tampered[$t]}"* ]] || fail "want '${tampered[$t]}'"
    done
}

# Runs p11ca under the shim that kills it before its n-th change of what is on disk.
killed_at() {
    local n=$1
    shift
    timeout --kill-after=5 60 env LD_PRELOAD="$killat" P11CA_KILL_AT="$n" "$BUILD/bin/p11ca" -q -C home revoke "$@"
}

@test "killed at any moment: all of it or nothing, and the second run ends it" {
    local n
    cp -a home good
    for ((n = 1; n < 60; n++)); do
        during="killed at $n"
        rm -rf home
        cp -a good home
        run killed_at "$n" "$s1" "$s2" -r superseded
        [[ $status != 0 ]] || break
        equal "$status" 137
        [[ $(sql "SELECT count(*) FROM certificate WHERE status = 3") == [02] ]] || fail 'want both or none'
        equal "$(sql 'SELECT count(*) FROM certificate WHERE status = 3')" "$(sql "SELECT count(*) FROM event WHERE kind = 'revoke'")"
        p11ca -q -C home revoke "$s1" "$s2" -r superseded >/dev/null
        equal "$(state "$s1") $(state "$s2")" '3|4|- 3|4|-'
    done
    [[ $n -gt 3 && $n -lt 60 ]] || fail "$n moments were tried"
    sound_ledger
}
