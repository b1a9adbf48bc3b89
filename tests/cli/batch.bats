# Lots: a directory of requests, once, whatever happens.

load common

setup_file() {
    prepare_home
}

setup() {
    use_home
    mkdir requests
}

# requests_for FROM TO: requests of the devices lot-FROM to lot-TO.
requests_for() {
    local n
    for ((n = $1; n <= $2; n++)); do
        openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout /dev/null -subj "/CN=lot-$n" \
            -out "requests/lot-$n.csr" 2>/dev/null
    done
}

@test "a lot: every request its certificate, in the order of the names" {
    requests_for 1 9
    succeeds p11ca -C home batch -a factory -p device requests -o out
    equal "$(grep -c '^ISSUED   lot-' <<<"$output")" 9
    equal "$(awk '{ print $2 }' <<<"$output" | sort -c && echo sorted)" sorted
    for n in 1 5 9; do
        succeeds openssl verify -x509_strict -CAfile home/root.crt -untrusted home/factory.crt -purpose sslclient "out/lot-$n.crt"
    done
    sound
}

@test "a lot again: nothing new, the same bytes, also those that were lost" {
    requests_for 1 5
    succeeds p11ca -q -C home batch -a factory -p device requests -o out
    cp -r out before
    rm out/lot-3.crt
    succeeds p11ca -C home --json batch -a factory -p device requests -o out
    equal "$(jq -r .status <<<"$output" | sort | uniq -c | tr -s ' ')" ' 5 REUSED'
    diff -r before out
    sound
}

@test "bad rows: each with its code, the good ones issued, exit 1" {
    requests_for 1 3
    head -c 60 requests/lot-1.csr >requests/a-broken.csr
    cp requests/lot-2.csr requests/z-twin.csr
    ln -s lot-1.csr requests/b-link.csr
    run --separate-stderr p11ca -C home --json batch -a factory -p device requests -o out
    equal "$status" 1
    equal "$(jq -r 'select(.input) | "\(.input) \(.status) \(.code)"' <<<"$output")" "a-broken.csr REJECTED PEM_SYNTAX
b-link.csr REJECTED INPUT_NOT_FILE
lot-1.csr ISSUED null
lot-2.csr ISSUED null
lot-3.csr ISSUED null
z-twin.csr REUSED null"
    equal "$(ls out)" $'chain.pem\nlot-1.crt\nlot-2.crt\nlot-3.crt\nz-twin.crt'
    diff out/lot-2.crt out/z-twin.crt
    equal "$(sql "SELECT count(*) FROM event WHERE kind = 'reject'")" 2
    sound
}

@test "--on-error stop, and an output that is in the way" {
    requests_for 1 2
    mkdir out
    echo mine >out/lot-1.crt
    run --separate-stderr p11ca -C home batch -a factory -p device requests -o out --on-error stop
    equal "$status" 1
    [[ ${lines[0]} == 'REJECTED lot-1.csr: OUTPUT_EXISTS: out/lot-1.crt: exists, nothing is overwritten' ]]
    equal "$(cat out/lot-1.crt)" mine
}

@test "--dry-run: everything checked, nothing written" {
    requests_for 1 2
    echo x >requests/bad.csr
    run --separate-stderr p11ca -C home batch -a factory -p device requests -o out --dry-run
    equal "$status" 1
    equal "$(awk '{ print $1 }' <<<"$output" | sort | uniq -c | tr -s ' ' | tr '\n' ';')" ' 2 GOOD; 1 REJECTED;'
    [[ ! -e out ]]
    equal "$(p11ca -q -C home list --status reserved | wc -l)" 0
}

@test "killed anywhere, run again: every device one certificate" {
    local n survived=false
    requests_for 1 4
    for ((n = 1; n <= 400; n += 3)); do
        rm -rf work
        mkdir work
        copy_home work/home
        if LD_PRELOAD=$killat P11CA_KILL_AT=$n timeout 60 "$BUILD/bin/p11ca" -q -C work/home batch -a factory -p device \
            requests -o work/out >/dev/null 2>&1; then
            survived=true
            break
        fi
        during="killed at $n"
        succeeds p11ca -q -C work/home batch -a factory -p device requests -o work/out
        equal "$(p11ca -q -C work/home list --status issued -p device | grep -c CN=lot-)" 4
        equal "$(find work/out -name '*.crt' | wc -l)" 4
        succeeds p11ca -q -C work/home audit
    done
    $survived
}

@test "a directory with nothing in it, and one that is not there" {
    refused 2 'p11ca: requests: no \*.csr, \*.pem or \*.der in it' p11ca -C home batch -a factory -p device requests -o out
    refused 8 'p11ca: absent: No such file or directory' p11ca -C home batch -a factory -p device absent -o out
}
