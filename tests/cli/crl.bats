#!/usr/bin/env bats
# p11ca crl: from a revocation to a list that OpenSSL, GnuTLS and nginx go by; numbers and times that only rise, whatever happens.

load common
load servers

setup_file() {
    prepare_home
    cd "$BATS_FILE_TMPDIR"
    local n issue=(p11ca -q -C home issue -a factory)
    for n in 1 2 3; do
        "${issue[@]}" -p device --new-key "d$n.key" --id "d$n" -o "d$n.crt"
        cat "d$n.crt" home/factory.crt >"d$n-chain.crt"
    done
    "${issue[@]}" -p server --new-key server.key --dns localhost -o server.crt
    cat server.crt home/factory.crt >server-chain.crt
} >/dev/null

setup() {
    use_home
    cp "$BATS_FILE_TMPDIR"/*.crt "$BATS_FILE_TMPDIR"/*.key .
    pids=()
}

teardown() {
    local pid
    for pid in "${pids[@]}"; do
        kill "$pid" 2>/dev/null || true
        wait "$pid" 2>/dev/null || true
    done
}

crl() {
    p11ca -q -C home crl "$@"
}

revoke() {
    p11ca -q -C home revoke "$@" >/dev/null
}

serial() {
    openssl x509 -in "$1" -noout -serial | cut -d= -f2
}

number() {
    openssl crl -in "$1" -noout -crlnumber | cut -dx -f2
}

# Revoked serials of a list.
listed() {
    openssl crl -in "$1" -noout -text | sed -n 's/^ *Serial Number: //p'
}

verify() {
    openssl verify -x509_strict -crl_check_all -CAfile home/root.crt -untrusted home/factory.crt -CRLfile root.crl "$@"
}

# Both lists, published.
publish() {
    crl root -o root.crl --force >/dev/null
    crl factory -o factory.crl --force >/dev/null
}

@test "revoked, listed, and refused by openssl verify and certtool; the list is read by both, and lint has nothing to say" {
    revoke d1.crt -r keyCompromise --invalid-since 2026-01-01
    revoke d2.crt -r superseded
    succeeds crl factory -o factory.crl --days 3
    [[ $output == "factory.crl: CRL 1 of 'factory', 2 entries, next update "????-??-??T??:??:??Z ]] || fail 'want it said'
    crl root -o root.crl --hours 5
    equal "$(listed factory.crl)" "$(printf '%s\n' "$(serial d1.crt)" "$(serial d2.crt)" | sort)"
    succeeds verify -CRLfile factory.crl d3.crt
    run ! verify -CRLfile factory.crl d1.crt
    [[ $output == *'certificate revoked'* ]] || fail 'want it revoked'
    run ! verify -CRLfile factory.crl d2.crt

    succeeds openssl crl -in factory.crl -noout -verify -CAfile home/factory.crt
    run ! openssl crl -in factory.crl -noout -verify -CAfile home/root.crt
    succeeds certtool --crl-info --infile factory.crl
    [[ $output == *'Revoked certificates (2)'* ]] || fail 'want two'
    cat root.crl factory.crl >all.crl
    succeeds certtool --verify --load-ca-certificate home/root.crt --load-crl all.crl --infile d3-chain.crt
    run ! certtool --verify --load-ca-certificate home/root.crt --load-crl all.crl --infile d1-chain.crt
    [[ $output == *revoked* ]] || fail 'want it revoked'
    succeeds p11ca lint --issuer home/factory.crt factory.crl
    succeeds p11ca lint root.crl
    sound
    equal "$(p11ca -C home audit --json | jq .crls)" 3
}

nginx_server() {
    local dir=$BATS_TEST_TMPDIR/nginx
    mkdir -p "$dir"
    nginx_head "$dir" >"$dir/nginx.conf"
    cat >>"$dir/nginx.conf" <<END
    server {
        listen unix:$dir/socket ssl;
        server_name localhost;
        ssl_certificate $PWD/server-chain.crt;
        ssl_certificate_key $PWD/server.key;
        ssl_client_certificate $PWD/home/root.crt;
        ssl_verify_client on;
        ssl_verify_depth 2;
        ssl_crl $PWD/all.crl;
        location / { return 200 "\$ssl_client_verify\n"; }
    }
}
END
    PATH=$PATH:/usr/sbin exec nginx -p "$dir" -c "$dir/nginx.conf" -e "$dir/error.log"
}

ask_nginx() {
    curl --silent --max-time 20 --noproxy '*' --cacert home/root.crt --unix-socket "$BATS_TEST_TMPDIR/nginx/socket" \
        --write-out '%{http_code}' --output /dev/null --cert "$1-chain.crt" --key "$1.key" https://localhost/
}

@test "nginx with ssl_crl serves whom the list does not name, and nobody else" {
    local i
    revoke d1.crt -r keyCompromise
    publish
    cat root.crl factory.crl >all.crl
    nginx_server >nginx.log 2>&1 3>&- </dev/null &
    pids+=("$!")
    for ((i = 0; i < 200; i++)); do
        [[ ! -S $BATS_TEST_TMPDIR/nginx/socket ]] || break
        sleep 0.05
    done
    equal "$(ask_nginx d2)" 200
    equal "$(ask_nginx d1)" 400
}

@test "a revoked CA is on its issuer's list, and nothing below it verifies" {
    publish
    succeeds verify -CRLfile factory.crl d1.crt
    revoke home/factory.crt -r cessationOfOperation
    publish
    equal "$(listed root.crl)" "$(serial home/factory.crt)"
    run ! verify -CRLfile factory.crl d1.crt
    # The last list of a CA that has ended can still be signed.
    sound
}

@test "numbers and times rise; an empty list is absent; DER by name or option; nothing is overwritten" {
    succeeds crl factory -o a.crl --json
    equal "$(jq -c '[.number, .base, .entries, .outcome, .file]' <<<"$output")" '[1,null,0,"new","a.crl"]'
    [[ $(openssl crl -in a.crl -noout -text) == *'No Revoked Certificates'* ]] || fail 'want none'
    revoke d1.crt -r superseded
    # In the same second or not: what was revoked is on the next list, which has a later time.
    crl factory -o b.der
    crl factory -o c.crl --der
    equal "$(openssl crl -inform DER -in b.der -noout -crlnumber)" 'crlNumber=0x02'
    equal "$(openssl crl -inform DER -in b.der -noout -text | grep -c 'Serial Number')" 1
    succeeds openssl crl -inform DER -in c.crl -noout
    equal "$(sql "SELECT count(*) FROM (SELECT this_update <= lag(this_update) OVER (ORDER BY number) AS bad FROM crl c
        JOIN authority a ON a.id = c.authority WHERE a.name = 'factory') WHERE bad")" 0
    refused 8 'p11ca: a.crl: exists, nothing is overwritten' crl factory -o a.crl --days 9
    succeeds crl factory -o a.crl --force --days 9
    sound
}

@test "what is refused, before the token is touched" {
    rm home/pins/factory
    refused 2 'p11ca: CRL: nextUpdate: want 1 to 36525 days after thisUpdate, have 0' crl factory -o x.crl --days 0
    refused 2 "p11ca: no authority 'nobody' in *" crl nobody -o x.crl
    refused 4 "p11ca: authority 'factory': RFC 5280 5.2.4: a delta CRL: want a complete CRL before it, have none" crl factory --delta -o x.crl
    refused 4 "p11ca: authority 'factory': CRL: RFC 5280 5.1.2.5: nextUpdate: want a time up to the issuer's notAfter, *" \
        crl factory -o x.crl --days 36525
    refused 8 'p11ca: no/x.crl: *' crl factory -o no/x.crl
    refused 8 'p11ca: d1.crt: exists, nothing is overwritten' crl factory -o d1.crt
    run -2 --separate-stderr crl factory
    run -2 --separate-stderr crl factory -o x.crl --days many
    sql "UPDATE certificate SET status = 3, revoked_at = $(($(date +%s) + 30)) WHERE device = 'd1'"
    refused 7 "p11ca: authority 'factory': clock: serial $(serial d1.crt) is revoked since *: want a time from then on, have *" \
        crl factory -o x.crl
}

@test "the clock set back: no list from before the last one" {
    crl factory -o a.crl
    sql "DROP TRIGGER crl_update; UPDATE crl SET this_update = this_update + 40"
    refused 7 "p11ca: authority 'factory': clock: RFC 5280 5.1.2.4: want a time after thisUpdate of the last CRL, *" crl factory -o b.crl
}

@test "a hold: on the list, off the next delta and complete list" {
    revoke d1.crt -r certificateHold
    publish
    revoke --undo d1.crt
    revoke d2.crt -r keyCompromise
    succeeds crl factory --delta -o delta.crl
    [[ $output == "delta.crl: CRL 2 of 'factory', delta to 1, 2 entries, next update "* ]] || fail 'want a delta'
    [[ $(openssl crl -in delta.crl -noout -text) == *'Delta CRL Indicator: critical'*"$(printf '\n')"*'Remove From CRL'* ]] ||
        fail 'want it removed'
    succeeds p11ca lint --issuer home/factory.crt delta.crl
    run ! verify -CRLfile factory.crl d1.crt
    # A second delta builds on the same list, and says the same.
    revoke d3.crt -r certificateHold
    crl factory --delta -o delta2.crl
    equal "$(listed delta2.crl | wc -l)" 3
    crl factory -o factory.crl --force
    equal "$(number factory.crl)" 04
    equal "$(listed factory.crl)" "$(printf '%s\n' "$(serial d2.crt)" "$(serial d3.crt)" | sort)"
    succeeds verify -CRLfile factory.crl d1.crt
    # And a delta to that one is empty.
    succeeds crl factory --delta -o delta3.crl --json
    equal "$(jq -c '[.number, .base, .entries]' <<<"$output")" '[5,4,0]'
    sound
}

# Runs p11ca under the shim that kills it before its n-th change of what is on disk.
killed_at() {
    local n=$1
    shift
    timeout --kill-after=5 60 env LD_PRELOAD="$killat" P11CA_KILL_AT="$n" "$BUILD/bin/p11ca" -q -C home "$@"
}

@test "killed at any moment: a number never has two contents" {
    local n used
    revoke d1.crt -r superseded
    cp -a home good
    for ((n = 1; n < 80; n++)); do
        during="killed at $n"
        rm -rf home out.crl
        cp -a good home
        run killed_at "$n" crl factory -o out.crl
        [[ $status != 0 ]] || break
        equal "$status" 137
        used=$(sql "SELECT count(*) FROM crl c JOIN authority a ON a.id = c.authority WHERE a.name = 'factory'")
        # What is published is what the ledger has under that number.
        if [[ -e out.crl ]]; then
            equal "$(openssl crl -in out.crl -outform DER | sha256sum | cut -c1-64)" \
                "$(sql "SELECT lower(hex(sha256)) FROM crl WHERE number = $((16#$(number out.crl))) AND authority =
                    (SELECT id FROM authority WHERE name = 'factory')")"
        fi
        p11ca -q -C home crl factory -o again.crl --force >/dev/null
        [[ $((16#$(number again.crl))) -gt $used || $used == 1 ]] || fail 'want a number that was not used'
        equal "$(sql "SELECT count(*) - max(number) FROM crl WHERE authority = (SELECT id FROM authority WHERE name = 'factory')")" 0
        equal "$(listed again.crl)" "$(serial d1.crt)"
    done
    [[ $n -gt 5 && $n -lt 80 ]] || fail "$n moments were tried"
    sound
}

@test "two at once: each has its number, or one is told" {
    crl factory -o a.crl &
    # SoftHSM may refuse while another process is at the token.
    crl factory -o b.crl 2>b.err || grep -qE "CRL number|thisUpdate|^p11ca: token 'factory'" b.err
    wait
    equal "$(sql "SELECT count(*) = count(DISTINCT number) AND count(*) = max(number) FROM crl WHERE authority =
        (SELECT id FROM authority WHERE name = 'factory')")" 1
    sound
}

@test "audit finds what is wrong with a list" {
    local t
    revoke d1.crt -r superseded
    publish
    cp -a home good
    local factory="authority = (SELECT id FROM authority WHERE name = 'factory')"
    local -A tampered=(
        ["UPDATE crl SET this_update = this_update - 1 WHERE $factory"]='number, base or times: not those that were signed'
        ["DROP TRIGGER certificate_status; DROP TRIGGER certificate_revocation; UPDATE certificate SET status = 1, revoked_at = NULL,
            reason = NULL, changed = NULL WHERE device = 'd1'"]="factory: CRL 1: lists serial $(serial d1.crt), which is not revoked in the ledger"
        ["UPDATE crl SET der = (SELECT der FROM crl WHERE authority = 1 ORDER BY number DESC LIMIT 1) WHERE $factory"]='factory: CRL 1: CRL: signature'
    )
    for t in "${!tampered[@]}"; do
        during=$t
        rm -rf home
        cp -a good home
        sql "DROP TRIGGER crl_update; $t"
        run -1 p11ca -C home audit
        [[ $output == *"${tampered[$t]}"* ]] || fail "want '${tampered[$t]}'"
    done
}
