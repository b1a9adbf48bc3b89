#!/usr/bin/env bats
# p11ca crl --next: when which list has to be out, for people, programs and calendars.

load common

setup_file() {
    prepare_home
    p11ca -q -C "$BATS_FILE_TMPDIR/home" issue -a factory -p device --new-key "$BATS_FILE_TMPDIR/d1.key" --id d1 -o "$BATS_FILE_TMPDIR/d1.crt"
} >/dev/null

setup() {
    use_home
    cp "$BATS_FILE_TMPDIR/d1.crt" .
}

next() {
    p11ca -C home crl --next "$@"
}

# CRLs of 'factory' are moved back in time.
age() {
    sql "DROP TRIGGER crl_update; UPDATE crl SET this_update = this_update - $1, next_update = next_update - $1
        WHERE authority = (SELECT id FROM authority WHERE name = 'factory')"
}

# Lines of a calendar, unfolded, as RFC 5545 3.1 says.
unfolded() {
    sed -e 's/\r$//' "$1" | sed -e ':a;N;$!ba;s/\n //g'
}

@test "each authority, the list it has, what is revoked since" {
    succeeds next
    # The ceremony of `init` has signed the root's first.
    [[ ${lines[0]} == 'root: CRL 1, next update '????-??-??T??:??:??Z', in 36'[45]' days; revoked since: 0' ]] || fail 'want a year'
    equal "${lines[1]}" 'factory: no CRL yet; revoked since: 0'
    p11ca -q -C home crl factory -o factory.crl --days 6 --hours 1 >/dev/null
    succeeds next
    [[ ${lines[1]} == 'factory: CRL 1, next update '????-??-??T??:??:??Z', in 6 days; revoked since: 0' ]] || fail 'want six days'
    p11ca -q -C home revoke d1.crt -r superseded >/dev/null
    succeeds next factory
    [[ ${#lines[@]} == 1 && $output == *'; revoked since: 1' ]] || fail 'want one'
    # A delta tells of it; the deadline is still that of the complete list.
    p11ca -q -C home crl factory --delta -o delta.crl >/dev/null
    succeeds next --json factory
    equal "$(jq -c '.overdue, (.deadlines[0] | [.authority, .number, .days_left, .overdue, .revoked_since, .slots, .slot_next])' <<<"$output")" \
        'false
["factory",1,6,false,0,0,null]'
    equal "$(jq -r '.deadlines[0].next_update' <<<"$output")" "$(date -u -d "$(openssl crl -in factory.crl -noout -nextupdate |
        cut -d= -f2)" +%FT%TZ)"
}

@test "one that is overdue is exit code 1" {
    p11ca -q -C home crl factory -o factory.crl --hours 5 >/dev/null
    p11ca -q -C home crl root -o root.crl --days 6 --hours 1 >/dev/null
    succeeds next
    age 18000
    run -1 --separate-stderr next
    [[ ${lines[1]} == 'factory: CRL 1 ended at '*': overdue; revoked since: 0' ]] || fail 'want it overdue'
    equal "$stderr" 'p11ca: 1 CRL is overdue: sign or release the next'
    run -1 --separate-stderr next --json
    equal "$(jq -c '[.overdue, (.deadlines[] | [.authority, .overdue, .days_left])]' <<<"$output")" \
        '[true,["root",false,6],["factory",true,0]]'
    succeeds next root
    # Whoever is told where the list is finds none.
    sed -i 's|profile = "root-ca";|& crl-url = "http://pki.example/root.crl";|' home/p11ca.conf
    succeeds next root
    sql "DROP TRIGGER crl_delete; DROP TRIGGER crl_scope_delete; DELETE FROM crl_scope; DELETE FROM crl"
    run -1 --separate-stderr next root
    equal "$output" 'root: no CRL yet, overdue: certificates name its URL; revoked since: 0'
}

@test "a calendar: CRLF, folded, the same UIDs again; whole, and not written over" {
    local uid
    p11ca -q -C home crl factory -o factory.crl --days 8 >/dev/null
    p11ca -q -C home crl root -o root.crl --days 30 >/dev/null
    succeeds next --ics crl.ics
    refute grep -qv $'\r$' crl.ics
    [[ $(LC_ALL=C awk '{ if (length($0) - 1 > n) n = length($0) - 1 } END { print n }' crl.ics) == 75 ]] || fail 'want lines of at most 75 octets'
    equal "$(unfolded crl.ics | head -3)" "$(printf 'BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//p11ca//CRL deadlines//EN')"
    equal "$(unfolded crl.ics | grep -cx 'BEGIN:VEVENT\|END:VEVENT\|BEGIN:VALARM\|END:VALARM')" 8
    equal "$(unfolded crl.ics | grep '^TRIGGER')" "$(printf 'TRIGGER:-PT180H\nTRIGGER:-PT48H')"
    equal "$(unfolded crl.ics | grep '^DTSTART')" "$(for i in root factory; do
        date -u -d "$(openssl crl -in "$i.crl" -noout -nextupdate | cut -d= -f2)" +DTSTART:%Y%m%dT%H%M%SZ
    done)"
    uid=$(openssl x509 -in home/factory.crt -noout -pubkey | openssl pkey -pubin -outform DER | sha256sum | cut -c1-64)
    equal "$(unfolded crl.ics | grep -c "^UID:$uid-0-crl@p11ca.invalid\$")" 1
    equal "$(unfolded crl.ics | grep '^SEQUENCE' | sort -u)" "$(printf 'SEQUENCE:1\nSEQUENCE:2')"
    cp crl.ics before
    refused 8 'p11ca: crl.ics: exists, nothing is overwritten' next --ics crl.ics
    p11ca -q -C home crl factory -o factory.crl --days 9 --force >/dev/null
    succeeds next --ics crl.ics --force
    equal "$(unfolded crl.ics | grep ^UID)" "$(unfolded before | grep ^UID)"
    equal "$(unfolded crl.ics | grep '^SEQUENCE')" "$(printf 'SEQUENCE:2\nSEQUENCE:2')"
    # Overdue or not, it is written.
    age 900000
    run -1 --separate-stderr next --ics late.ics
    cmp late.ics <(sed -n p late.ics)
    equal "$(unfolded late.ics | tail -1)" END:VCALENDAR
}

@test "what does not go together" {
    refused 2 'p11ca: crl: option --output: want it without --next' next -o x.crl
    refused 2 'p11ca: crl: option --delta: want it without --next' next --delta
    refused 2 'p11ca: crl: option --ics: want it with --next' p11ca -C home crl factory -o x.crl --ics x.ics
    refused 2 'p11ca: crl: option --output FILE is missing' p11ca -C home crl factory
    refused 2 'p11ca: crl: want an AUTHORITY' p11ca -C home crl -o x.crl
    refused 2 "p11ca: no authority 'nobody' in *" next nobody
}
