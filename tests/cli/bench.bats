#!/usr/bin/env bats
# `make bench` at its smallest: what it prints and writes, and that it does not go on over what is wrong.

load common

setup() {
    mkdir "$BATS_TEST_TMPDIR/work" "$BATS_TEST_TMPDIR/bin"
    cd "$BATS_TEST_TMPDIR/work"
    export N=3 RUNS=1 PEER_N=1 LEDGER_SIZES=100 PARTS='' BENCH_OUT=$PWD/bench.json TMPDIR=$BATS_TEST_TMPDIR
    bench=(timeout --kill-after=5 120 "$BATS_TEST_DIRNAME/../bench")
}

# instead_of PROGRAM: what stdin says is called in its place.
instead_of() {
    printf '#!/bin/bash\n' >"$BATS_TEST_TMPDIR/bin/$1"
    cat >>"$BATS_TEST_TMPDIR/bin/$1"
    chmod +x "$BATS_TEST_TMPDIR/bin/$1"
    PATH=$BATS_TEST_TMPDIR/bin:$PATH
}

# No table, no numbers, no work folder.
fails() {
    run --separate-stderr "${bench[@]}"
    [[ $status == 1 && $output == '' ]] || fail 'want exit status 1 and a clean stdout'
    # shellcheck disable=SC2053
    [[ ${stderr_lines[-1]} == $1 ]] || fail "want '$1'"
    [[ ! -e bench.json ]] || fail 'want no numbers'
    equal "$(find "$TMPDIR" -maxdepth 1 -name 'tmp.*')" ''
}

@test "rows: an authority of its own with certificates in which audit finds no fault" {
    p11ca -q init home --name Bench --softhsm >/dev/null
    succeeds "$BUILD/tests/rows" home 120
    equal "$(sql 'SELECT count(*), count(DISTINCT serial), count(DISTINCT spki_sha256), min(status) FROM certificate WHERE lot NOTNULL')" \
        '120|120|120|1'
    sound
    [[ $output == *$'\n3 authorities, 122 certificates, 0 serials reserved and not used, '*', 0 faults'* ]] || fail 'want 120 more'
    succeeds openssl verify -x509_strict -CAfile home/rows.crt <(p11ca -C home show --pem "$(sql 'SELECT hex(serial) FROM certificate WHERE id = 77')")
}

@test "lot: several forms at once are the same devices and keys" {
    succeeds "$BUILD/tests/lot" requests 3 D lot.pem lot.csv lot.ndjson
    equal "$(openssl req -inform DER -in requests/D-0000002.csr)" "$(awk '/^-----BEGIN/ { n++ } n == 2' lot.pem)"
    equal "$(openssl req -inform DER -in requests/D-0000002.csr -noout -pubkey | sed 1d\;\$d | tr -d '\n')" \
        "$(sed -n 's/^D-0000002,//p' lot.csv)"
    equal "$(sed -nE 's/^\{"id":"D-0000002","csr":"(.*)"\}$/\1/p' lot.ndjson)" "$(base64 -w0 requests/D-0000002.csr)"
}

@test "a bench of everything: a table, and the same numbers as JSON" {
    BENCH_MILLION=1 MILLION=40 succeeds "${bench[@]}"
    [[ $output == *' median        min        max'* && $output == *'openssl ca -infiles'*'ledger of 100'* ]] || fail 'want the table'
    equal "$(jq -r '[.runs, .n, .peer_n] | @tsv' bench.json)" $'1\t3\t1'
    equal "$(jq -r '.results[].key' bench.json | tr '\n' ' ')" "S V V_all L rate_1 ratio_1 rate_2 ratio_2 rate_keys \
batch_files batch_files_wall batch_bundle batch_bundle_wall batch_keys batch_keys_wall batch_keys_bundle batch_keys_bundle_wall \
openssl_ca ratio_bench ratio_bench_keys ratio_files ratio_bundle ratio_keys ratio_keys_bundle issue x509_req ratio_x509_req certtool far_limit far_rate far_ratio far_batch \
auth_1000 auth_crl_1000 auth_10000 auth_crl_10000 auth_100000 auth_crl_100000 auth_growth auth_rules auth_signature auth_again \
ledger_100_rows ledger_100_lot ledger_100_show ledger_100_list ledger_100_crl ledger_100_audit crl_100_p11ca crl_100_openssl \
million_rate million_first million_last million_rss "
    equal "$(jq '[.results[] | .min > 0 and .min <= .median and .median <= .max] | all' bench.json)" true
    equal "$(find "$TMPDIR" -maxdepth 1 -name 'tmp.*')" ''
}

@test "of an odd number of runs the median is the one in the middle, of an even number between the two" {
    local median='.results[] | select(.key == "ledger_100_show") | (.values | sort) as $v |'
    export PARTS=ledger
    RUNS=3 succeeds "${bench[@]}"
    equal "$(jq "$median"' [.values | length] + [.min, .median, .max] == [3] + $v' bench.json)" true
    RUNS=4 succeeds "${bench[@]}"
    equal "$(jq "$median"' [.values | length] + [.min, .median, .max] == [4, $v[0], ($v[1] + $v[2]) / 2, $v[3]]' bench.json)" true
}

@test "a program that fails, one that makes too few, and a certificate that does not verify end it" {
    PARTS=peers
    instead_of certtool <<<'echo no luck >&2; exit 3'
    fails 'bench: run 1: each failed: each certtool_one'
    [[ $stderr == *'no luck'* ]] || fail 'want what it said'

    instead_of certtool <<<':'
    fails 'bench: run 1: certtool: want 1 certificates, have 0'

    # The last argument is the file that is wanted.
    instead_of certtool <<<'cp home/root.crt "${@: -1}"'
    fails 'bench: run 1: certtool: a certificate does not verify'
}

@test "settings that make no sense are refused at once" {
    RUNS=0 fails "bench: RUNS: want a number from 1 on, have '0'"
    N=many fails "bench: N: want a number from 1 on, have 'many'"
    PEER_N=4 fails 'bench: PEER_N: want at most N, 3, have 4'
    LEDGER_SIZES=7 fails "bench: LEDGER_SIZES: want numbers of 3 to 8 digits, have '7'"
    PARTS=tokens fails "bench: PARTS: there is no part 'tokens'"
    BENCH_OUT=$PWD/absent/bench.json fails "bench: BENCH_OUT: want a folder to write $PWD/absent/bench.json into"
    PARTS=far fails 'bench: PARTS: far wants token, too'
}
