#!/usr/bin/env bats
# CRLs that a ceremony signs ahead of their time: handed out one after the other, without the key, unless something was revoked.

load common

# A root with twelve lists that lie ready, and nothing to sign with any more.
setup_file() {
    cd "$BATS_FILE_TMPDIR"
    prepare_home
    cp -a home keyed
    sleep 1 # one second has one list of a ceremony
    p11ca -q -C home ceremony run --yes "$scripts/crl-year.conf"
    rm home/pins/root
} >/dev/null

setup() {
    use_home
    # faketime preloads a library; a sanitizer's runtime wants to be first.
    [[ ${SAN:-} == '' ]] || skip "faketime and sanitizers do not mix"
}

# at DAYS COMMAND...: so many days (and an hour) from now.
at() {
    timeout --kill-after=5 60 faketime -f "+$(($1 * 24 + 1))h" "$BUILD/bin/p11ca" -q -C home "${@:2}"
}

release() {
    at "$1" crl root --release -o root.crl "${@:2}"
}

number() {
    echo $((16#$(openssl crl -in "$1" -noout -crlnumber | cut -dx -f2)))
}

# The transcript's result of the step that signed.
signed() {
    jq -r "select(.type == \"done\" and .kind == \"sign-crl\" or (.result.slots // null) != null) | .result | $1" \
        home/ceremonies/*crl-year/transcript.jsonl
}

@test "one after the other, each in its time; skipped ones stay behind; openssl takes them" {
    equal "$(number home/root.crl)" 2
    refused 4 "p11ca: authority 'root': no CRL is due: the next of 12 that lie ready is at $(signed '.slots[0].this_update')" release 0
    refused 4 "p11ca: authority 'root': no CRL is due: *" release 29
    succeeds release 30
    [[ $output == "root.crl: CRL 3 of 'root', 0 entries, next update $(signed '.slots[0].next_update')" ]] || fail 'want the first'
    equal "$(openssl crl -in root.crl -outform DER | sha256sum | cut -c1-64)" "$(signed '.slots[0].crl')"
    equal "$(sql "SELECT kind, detail FROM event WHERE seq = (SELECT max(seq) FROM event)")" 'release|number 3, slot 1'
    succeeds openssl verify -attime $(($(date +%s) + 31 * 86400)) -crl_check -CAfile home/root.crt -CRLfile root.crl home/factory.crt
    run ! openssl verify -crl_check -CAfile home/root.crt -CRLfile root.crl home/factory.crt
    [[ $output == *'CRL is not yet valid'* ]] || fail 'want it of the future'
    # It is there: nothing to do, and the file stays.
    refused 4 "p11ca: authority 'root': no CRL is due: the next of 11 that lie ready is at $(signed '.slots[1].this_update')" release 45 --force
    succeeds release 125 --force
    equal "$(number root.crl)" 6
    refused 4 "p11ca: authority 'root': no CRL is due: the next of 8 that lie ready is at $(signed '.slots[4].this_update')" release 125 --force
    succeeds at 125 audit
    succeeds p11ca lint --issuer home/root.crt root.crl
}

@test "--next says how many lie ready, and until when" {
    succeeds p11ca -C home crl --next root --json
    equal "$(jq -c '.deadlines[0] | [.number, .slots, .slots_void, .slot_next, .slots_until]' <<<"$output")" \
        "$(jq -nc --arg a "$(signed '.slots[0].this_update')" --arg b "$(signed '.slots[11].next_update')" '[2, 12, false, $a, $b]')"
    p11ca -C home crl --next root --ics crl.ics >/dev/null
    equal "$(grep -c '^SUMMARY:Release the next CRL of root' crl.ics)" 1
    p11ca -q -C home revoke home/factory.crt -r superseded >/dev/null
    succeeds p11ca -C home crl --next root
    [[ $output == *'; revoked since: 1; 12 signed ahead, void: something was revoked since' ]] || fail 'want them void'
    p11ca -C home crl --next root --ics crl.ics --force >/dev/null
    refute grep -q '^SUMMARY:Release' crl.ics
}

@test "something was revoked since: they are void, and the next ceremony's numbers go on above them" {
    local serial void
    serial=$(openssl x509 -in home/factory.crt -noout -serial | cut -d= -f2)
    void="p11ca: authority 'root': CRL 3 is void, and those signed with it: serial $serial was revoked, or taken off hold, since: "
    void+='sign new ones in a ceremony'
    at 10 revoke home/factory.crt -r superseded >/dev/null
    refused 4 "$void" release 30
    cp "$BATS_FILE_TMPDIR/home/p11ca.conf" home/
    cp "$BATS_FILE_TMPDIR/keyed/pins/root" home/pins/
    at 31 crl root -o now.crl --days 40 >/dev/null
    equal "$(number now.crl)" 15
    refused 4 "p11ca: authority 'root': no CRL lies ready: sign new ones in a ceremony" release 32
    rm home/root.crl
    at 33 ceremony run --yes "$scripts/crl-year.conf" >/dev/null
    equal "$(number home/root.crl)" 16
    succeeds release 63
    equal "$(number root.crl)" 17
    equal "$(openssl crl -in root.crl -noout -text | grep -c 'Serial Number')" 1
    succeeds at 64 audit
    succeeds at 64 ceremony verify "$(printf '%s\n' home/ceremonies/* | tail -1)"
}

@test "the lists in the ledger and nowhere else; the ceremony's folder has their hashes" {
    local hash
    equal "$(signed '.slots | length')" 12
    equal "$(signed '.slots[].number' | tr '\n' ' ')" '3 4 5 6 7 8 9 10 11 12 13 14 '
    for hash in $(signed '.slots[].crl'); do
        refute grep -rqF "$(sql "SELECT hex(der) FROM crl WHERE lower(hex(sha256)) = '$hash'" | xxd -r -p | openssl base64 | tail -2 | head -1)" home/ceremonies
    done
    equal "$(sql "SELECT count(*) FROM crl_scope WHERE slot > 0 AND released_at IS NULL")" 12
    # What was approved is what was signed: number by number the same bytes.
    equal "$(sql "SELECT hex(der) FROM crl c JOIN crl_scope s USING (authority, number) WHERE s.slot > 0 ORDER BY number" |
        while read -r der; do xxd -r -p <<<"$der" | openssl asn1parse -inform DER -strparse "$([[ $der == 3081* ]] && echo 3 || echo 4)" -noout -out tbs && cat tbs; done | sha256sum)" \
        "$(sha256sum <"$(echo home/ceremonies/*crl-year/artefacts/03-series-tbs.der)")"
    succeeds p11ca ceremony verify home/ceremonies/*crl-year
    # Other bytes than those that were shown, with their sum put right.
    cp -a home/ceremonies/*crl-year forged
    printf x >>forged/artefacts/03-series-tbs.der
    (cd forged && cut -c67- SHA256SUMS | xargs sha256sum >sums && mv sums SHA256SUMS)
    run -1 p11ca ceremony verify forged
    [[ $output == *03-series-tbs.der* ]] || fail 'want the file named'
    # A series that one of them has not approved; the chain of hashes is put right.
    local line before='' series
    rm -r forged
    cp -a home/ceremonies/*crl-year forged
    series=$(jq -r 'select(.type == "tbs" and .what == "CRL series") | .sha256' forged/transcript.jsonl)
    while IFS= read -r line; do
        if [[ $line == *'"approved"'*'"role":"CO"'*$series* || $line == *'"approved"'*$series*'"role":"CO"'* ]]; then
            line=${line/'"role":"CO"'/'"role":"IW"'}
        fi
        line=$(sed -E "s/\"before\":\"[0-9a-f]*\"/\"before\":\"$before\"/" <<<"$line")
        before=$(sha256sum <<<"$line" | cut -c1-64)
        echo "$line"
    done <forged/transcript.jsonl >chain
    mv chain forged/transcript.jsonl
    (cd forged && cut -c67- SHA256SUMS | xargs sha256sum >sums && mv sums SHA256SUMS)
    run -1 p11ca ceremony verify forged
    [[ $output == *"role 'CO' has not approved the bytes of line"* ]] || fail 'want it missed'
}

@test "killed at any moment of a release: the same list comes out, once in the ledger" {
    local n
    cp -a home good
    for ((n = 1; n < 60; n++)); do
        during="killed at $n"
        rm -rf home root.crl
        cp -a good home
        # Under its wrapper, which outlives the killed: the library alone would leave its semaphore in /dev/shm, and
        # a later faketime of the same process number refuse to start.
        run timeout --kill-after=5 60 faketime -f +31d sh -c 'LD_PRELOAD="$LD_PRELOAD:$0" exec "$@"' "$killat" \
            env P11CA_KILL_AT="$n" "$BUILD/bin/p11ca" -q -C home crl root --release -o root.crl
        [[ $status != 0 ]] || break
        equal "$status $output" '1 Caught Killed'
        [[ -e root.crl ]] || release 31 >/dev/null
        equal "$(number root.crl)" 3
        equal "$(sql "SELECT count(*) FROM event WHERE kind = 'release'")" 1
    done
    [[ $n -gt 5 && $n -lt 60 ]] || fail "$n moments were tried"
}

@test "a release that is forgotten, tampered with, in the way" {
    refused 4 "p11ca: authority 'factory': no CRL lies ready: sign new ones in a ceremony" p11ca -C home crl factory --release -o x.crl
    refused 4 "p11ca: authority 'root': no CRL lies ready: sign new ones in a ceremony" release 401
    touch root.crl
    refused 8 'p11ca: root.crl: exists, nothing is overwritten' release 31
    refused 2 'p11ca: crl: option --days: want it without --release' p11ca -C home crl root --release -o x.crl --days 3
    sql "DROP TRIGGER crl_update; UPDATE crl SET der = (SELECT der FROM crl WHERE number = 4) WHERE number = 3"
    refused 7 "p11ca: authority 'root': CRL 3 in the ledger: thisUpdate, nextUpdate: not those that were signed" at 31 crl root --release -o x.crl
}

@test "what a script may say" {
    local row want
    while IFS='|' read -r row want; do
        during=$row
        printf 'title = "x"; steps = (\n{ do = "sign-crl"; authority = "root"; file = "y.crl"; %s } );\n' "$row" >script.conf
        refused 3 "p11ca: script.conf:2: sign-crl: $want" p11ca -C home ceremony check script.conf
    done <<'END'
days = 40; slots = 12;|every: want 1 to 40 days, so that no list ends before the next begins, have 0
days = 29; slots = 12; every = 30;|every: want 1 to 29 days, so that no list ends before the next begins, have 30
days = 40; slots = 367; every = 30;|slots: want 1 to 366, have 367
days = 40; slots = -1; every = 30;|slots: want 1 to 366, have -1
days = 40; every = 30;|slots: want 1 to 366, have 0
days = 40; slots = 366; every = 40;|CRL: RFC 5280 5.1.2.5: nextUpdate: want a time up to the issuer's notAfter, *
END
}
