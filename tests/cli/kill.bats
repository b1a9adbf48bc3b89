#!/usr/bin/env bats
# Invariant 3: killed at any moment - before each call that changes what is on disk, and inside the
# token's signature - a second run finishes what was begun, and there is one certificate, not two.

load common

setup_file() {
    prepare_home
    cd "$BATS_FILE_TMPDIR"
    ec_request dev /CN=leaf-1
}

setup() {
    mkdir "$BATS_TEST_TMPDIR/work"
    cd "$BATS_TEST_TMPDIR/work"
    cp "$BATS_FILE_TMPDIR/dev.csr" .
}

# Runs p11ca under the shim. timeout comes first: it must not be what is killed, nor be counted.
killed_at() {
    local n=$1
    shift
    timeout --kill-after=5 60 env LD_PRELOAD="$killat" P11CA_KILL_AT="$n" "$BUILD/bin/p11ca" "$@"
}

failing_at() {
    local n=$1
    shift
    timeout --kill-after=5 60 env LD_PRELOAD="$killat" P11CA_FAIL_AT="$n" "$BUILD/bin/p11ca" "$@"
}

# After a kill: what is published the ledger knows, and nothing is there by halves.
sane_after_kill() {
    equal "$(sql 'PRAGMA integrity_check')" ok
    if [[ -e out.crt ]]; then
        equal "$(p11ca -C home show --pem "$(openssl x509 -in out.crt -noout -serial | cut -d= -f2)")" "$(cat out.crt)"
    fi
}

# After the second run: one certificate of the subject $1, in the ledger and in the file; $2 serials
# (default: none) that were reserved for nothing.
exactly_one() {
    local serial lost=${2:-0}
    succeeds p11ca -q -C home list --status issued -a factory
    equal "$(grep -cE " $1\$" <<<"$output")" 1
    equal "${#lines[@]}" 1
    serial=${output%% *}
    equal "$(p11ca -q -C home list --status reserved | wc -l)" "$lost"
    equal "$(p11ca -C home show --pem "$serial")" "$(cat out.crt)"
    sound
    [[ $output == *$'\n2 authorities, 3 certificates, '"$lost serials reserved"* || $output == "2 authorities, 3 certificates, $lost serials reserved"* ]] ||
        fail "want three certificates and $lost reserved serials"
}

# How many steps an order takes; counted once.
steps() {
    if [[ ! -e step-log ]]; then
        (
            mkdir counted
            cd counted
            copy_home home
            timeout 60 env LD_PRELOAD="$killat" P11CA_KILL_LOG="$PWD/log" "$BUILD/bin/p11ca" -q -C home issue -a factory \
                -p device --csr ../dev.csr -o out.crt >/dev/null
            mv log ../step-log
        )
        rm -r counted
    fi
    wc -l <step-log
}

# The number of the step that does this to the certificate's file, as an order by --csr takes them.
step_of() {
    steps >/dev/null
    sed -nE "s/^([0-9]+) $1[a-z0-9]* .*out\\.crt.*/\\1/p" step-log | head -1
}

# Its content is written and synced before it has a name.
writing() {
    echo $(($(step_of link) - 2))
}

# at_every_moment SUBJECT COMMAND...: kills the command before its n-th step, for n from $first until it is
# through.
first=1
at_every_moment() {
    local subject=$1 n lost
    shift
    for ((n = first; n < first + 500; n++)); do
        during="killed at $n"
        rm -rf home out.crt new.key
        copy_home home
        run --separate-stderr killed_at "$n" "$@"
        [[ $status != 0 ]] || break
        [[ $status == 137 ]] || fail 'want it killed'
        sane_after_kill
        # A new key that never reached the disk is gone, and the serial that was reserved for it with it.
        lost=0
        [[ $* != *--new-key* || -e new.key ]] || lost=$(p11ca -q -C home list --status reserved | wc -l)
        run --separate-stderr p11ca "$@"
        [[ $status == 0 ]] || fail 'want the second run to finish it'
        exactly_one "$subject" "$lost"
        [[ ! -e new.key ]] || key_fits
    done
    # Fewer would mean that the shim sees nothing.
    [[ $n -gt 20 && $n -lt 500 ]] || fail "$n moments were tried"
    exactly_one "$subject"
}

key_fits() {
    equal "$(openssl pkey -in new.key -pubout)" "$(openssl x509 -in out.crt -noout -pubkey)"
    equal "$(stat -c %a new.key)" 600
}

@test "issue --csr, killed before each step: the second run finishes it" {
    at_every_moment CN=leaf-1 -C home issue -a factory -p device --csr dev.csr -o out.crt
}

@test "issue --new-key, killed before each step: the second run finishes it, with the same key" {
    at_every_moment 'CN=leaf-2,serialNumber=leaf-2' -C home issue -a factory -p device --new-key new.key --id leaf-2 -o out.crt
    key_fits
}

# A certificate without a device ID may be ordered again on purpose; an interrupted order is not that.
# Before there is a file, the order is like that of a device.
@test "issue -p server, killed before each step of publishing: no second certificate" {
    first=$(writing)
    at_every_moment CN=localhost -C home issue -a factory -p server --csr dev.csr --subject CN=localhost --dns localhost -o out.crt
}

@test "killed inside C_Sign, before and after the token has signed" {
    local when
    for when in kill kill-after; do
        rm -rf home out.crt calls
        copy_home home
        use_fault_module
        P11CA_FAULT="C_Sign:1=$when" run --separate-stderr p11ca -C home issue -a factory -p device --csr dev.csr -o out.crt
        [[ $status == 137 && ! -e out.crt ]] || fail "want it killed: $when"
        sane_after_kill
        equal "$(p11ca -q -C home list --status reserved | wc -l)" 1
        succeeds p11ca -C home issue -a factory -p device --csr dev.csr -o out.crt
        exactly_one CN=leaf-1
    done
}

@test "killed, and another order comes first" {
    copy_home home
    use_fault_module
    P11CA_FAULT="C_Sign:1=kill" run --separate-stderr p11ca -C home issue -a factory -p device --csr dev.csr -o out.crt
    equal "$status" 137
    succeeds p11ca -C home issue -a factory -p device --new-key other.key --id other -o other.crt
    equal "$(p11ca -q -C home list --status reserved | wc -l)" 1
    succeeds p11ca -C home issue -a factory -p device --csr dev.csr -o out.crt
    equal "$stderr" 'an interrupted run of this order was finished'
    equal "$(p11ca -q -C home list --status issued -a factory | wc -l)" 2
    sound
}

@test "killed, and the second run wants another file: still one certificate" {
    local n
    for n in "$(writing)" "$(step_of link)" "$(($(step_of link) + 1))"; do
        during="killed at $n"
        rm -rf home out.crt other.crt
        copy_home home
        run --separate-stderr killed_at "$n" -C home issue -a factory -p device --csr dev.csr -o out.crt
        equal "$status" 137
        succeeds p11ca -C home issue -a factory -p device --csr dev.csr -o other.crt
        equal "$(p11ca -q -C home list --status issued -a factory | wc -l)" 1
        sound
    done
}

@test "a full disk at each step: an error or a good certificate, and the next run finishes it" {
    local n failures=0
    steps >/dev/null
    for ((n = 1; n < 500; n++)); do
        during="step $n fails"
        rm -rf home out.crt
        copy_home home
        run --separate-stderr failing_at "$n:ENOSPC" -C home issue -a factory -p device --csr dev.csr -o out.crt
        if [[ $status == 0 ]]; then
            # Through without meeting the fault: all steps were tried.
            [[ $n -lt $(steps) ]] || break
        else
            [[ $status == [678] && $output == '' && ${#stderr_lines[@]} == 1 && $stderr == 'p11ca: '* ]] ||
                fail 'want exit status 7 or 8, and one line'
            failures=$((failures + 1))
        fi
        sane_after_kill
        run --separate-stderr p11ca -C home issue -a factory -p device --csr dev.csr -o out.crt
        [[ $status == 0 ]] || fail 'want the second run to finish it'
        exactly_one CN=leaf-1
        # Where the fault was that nothing can be removed, something is left.
        grep -q "^$n unlink" step-log || equal "$(find . -name '*.crt.*' -o -name 'ledger.db.*')" ''
    done
    [[ $failures -gt 15 && $n -lt 500 ]] || fail "only $failures of $n steps failed"
}

@test "a disk that stays full: an error, and nothing lost" {
    local n last
    last=$(writing)
    [[ $last -gt 10 ]]
    for n in 1 $((last / 4)) $((last / 2)) $((last * 3 / 4)) "$last"; do
        during="all from step $n on fail"
        rm -rf home out.crt
        copy_home home
        run --separate-stderr failing_at "$n+:ENOSPC" -C home issue -a factory -p device --csr dev.csr -o out.crt
        [[ $status == [678] && $output == '' ]] || fail 'want exit status 7 or 8'
        # Published, and then nothing more could be written: the ledger had it before.
        sane_after_kill
        succeeds p11ca -C home issue -a factory -p device --csr dev.csr -o out.crt
        exactly_one CN=leaf-1
    done
}

@test "init --softhsm, killed: a second run says what is in the way" {
    local n
    for n in 3 10 100 300 600; do
        rm -rf fresh
        run --separate-stderr killed_at "$n" init fresh --name Acme --softhsm
        [[ $status != 0 ]] || break
        equal "$status" 137
        run --separate-stderr p11ca init fresh --name Acme --softhsm
        if [[ $status != 0 ]]; then
            [[ $status == 8 && $stderr == 'p11ca: fresh/'*': exists, nothing is overwritten' ]] || fail "want it said, after a kill at $n"
        fi
    done
    [[ $n -ge 100 ]]
}
