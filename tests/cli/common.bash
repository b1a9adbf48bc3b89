# shellcheck shell=bash
# Loaded by every .bats file: a home per test, and the questions that all tests ask.
# BUILD is the absolute build folder; tests/run-cli exports it.

bats_require_minimum_version 1.5.0
set -u

# What a developer has in the environment is no part of a test.
unset P11CA_HOME SOFTHSM2_CONF P11CA_FAULT P11CA_FAULT_LOG P11CA_FAULT_MODULE P11CA_KILL_AT P11CA_KILL_LOG P11CA_FAIL_AT
export LC_ALL=C.UTF-8 TZ=UTC

: "${BUILD:=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)/build}"
export BUILD
softhsm=/usr/lib/softhsm/libsofthsm2.so
fault=$BUILD/tests/fault.so
killat=$BUILD/tests/killat.so
scripts=$BUILD/share/p11ca/ceremonies

# A guard against hangs, never a measure of speed.
p11ca() {
    timeout --kill-after=5 60 "$BUILD/bin/p11ca" "$@"
}

# In setup_file: one home, made once, that every test of the file copies.
prepare_home() {
    p11ca -q init "$BATS_FILE_TMPDIR/home" --name Acme --softhsm >/dev/null
}

# In setup: a folder and a home of the test's own, and in there we are.
use_home() {
    mkdir "$BATS_TEST_TMPDIR/work"
    cd "$BATS_TEST_TMPDIR/work"
    copy_home home
}

# p11ca rewrites the store's softhsm2.conf when a home was moved; other tools come before p11ca does.
copy_home() {
    cp -a "$BATS_FILE_TMPDIR/home" "$1"
    sed -i "s|^directories.tokendir = .*|directories.tokendir = $PWD/$1/softhsm/tokens|" "$1/softhsm/softhsm2.conf"
}

# The binding TOKEN (default: both) now uses the fault-injecting module in front of the same store.
use_fault_module() {
    mkdir -p home/tokens
    printf 'description = "SoftHSM with faults";\nmodule = [ "%s" ];\nstore-env = "SOFTHSM2_CONF";\n' "${1:-$fault}" \
        >home/tokens/fault.conf
    sed -i 's/kind = "softhsm2"/kind = "fault"/' home/p11ca.conf
    export P11CA_FAULT_MODULE=$softhsm P11CA_FAULT_LOG=$PWD/calls
}

# How often the module was asked to do this.
calls() {
    if [[ -e $PWD/calls ]]; then
        grep -c "^$1 " "$PWD/calls" || true
    else
        echo 0
    fi
}

# The token's own tools, on the store of ./home. TOKEN is root or factory.
on_token() {
    local token=$1
    shift
    SOFTHSM2_CONF=$PWD/home/softhsm/softhsm2.conf pkcs11-tool --module "$softhsm" --token-label "acme-$token" \
        --login --pin "$(cat "home/pins/$token")" "$@"
}

# A query to the ledger of the home $2, which waits for a p11ca that is at it just now.
sql() {
    sqlite3 -batch -cmd '.timeout 30000' "${2:-home}/ledger.db" "$1"
}

# The setting of an authority in p11ca.conf: `key_label factory`.
key_label() {
    sed -nE "s/^ *$1 *= .*key = \"([^\"]*)\".*/\1/p" home/p11ca.conf
}

# Binds the authority $1 to the key with label $2.
bind_key() {
    sed -i -E "s/^( *$1 *= .*key = \")[^\"]*/\1$2/" home/p11ca.conf
    [[ $(key_label "$1") == "$2" ]]
}

# ec_request FILE SUBJECT [openssl req options]: a P-256 key in FILE.key and its request in FILE.csr.
ec_request() {
    openssl ecparam -name prime256v1 -genkey -noout -out "$1.key"
    openssl req -new -key "$1.key" -subj "$2" -out "$1.csr" "${@:3}"
}

# flip FILE OFFSET: one bit of one octet; an offset below 0 is from the end.
flip() {
    local at=$2 octet
    ((at >= 0)) || at=$((at + $(stat -c %s "$1")))
    octet=$(od -An -tu1 -j "$at" -N 1 "$1")
    printf '%b' "$(printf '\\x%02x' $((octet ^ 1)))" | dd of="$1" bs=1 seek="$at" conv=notrunc status=none
}

# fail TEXT: what is wrong, with what the last command said. Loops say in $during where they are: under
# `check || fail` the shell would go on inside `check` after what failed.
during=
fail() {
    echo "${during:+$during: }$1"
    echo "status: ${status:-} stdout: ${output:-} stderr: ${stderr:-}"
    return 1
}

# `! command` does not stop a test.
refute() {
    if "$@"; then
        fail "want it to fail: $*"
    fi
}

equal() {
    [[ $1 == "$2" ]] || fail "want '$2', have '$1'"
}

# All that a refusal must leave as it was: every file here except the ledger, which notes refusals, what
# the instruments write, and the books that a SoftHSM store keeps on logins.
files_now() {
    find . -path ./calls -o -path './home/ledger.db*' -o -path ./home/softhsm/softhsm2.conf -o -name '*.lock' -o \
        -name generation -o -name token.object -o -printf '%p %y %m %l\n'
    find . -path ./calls -o -path './home/ledger.db*' -o -path ./home/softhsm -prune -o -type f -exec sha256sum {} +
}

# What the ledger knows, without its events.
rows_now() {
    [[ ! -e home/ledger.db ]] || sql 'SELECT id, hex(serial), status FROM certificate ORDER BY id;
        SELECT name, hex(cert) FROM authority ORDER BY name'
}

# What is there is what was there: a look before, a look now.
same() {
    diff <(sort <<<"$1") <(sort <<<"$2") || fail 'want nothing written'
}

# refused STATUS PATTERN COMMAND...: this exit status, one line on stderr that fits the pattern whole,
# nothing on stdout, and nothing written.
refused() {
    local want=$1 pattern=$2 files rows
    shift 2
    files=$(files_now)
    rows=$(rows_now)
    answers "$want" "$pattern" "$@"
    same "$files" "$(files_now)"
    same "$rows" "$(rows_now)"
}

# As refused, where something may have been written: a serial reserved, steps done.
answers() {
    local want=$1 pattern=$2
    shift 2
    run --separate-stderr "$@"
    [[ $status == "$want" ]] || fail "want exit status $want: $*"
    [[ $output == "" ]] || fail "want a clean stdout: $*"
    # The pattern is one on purpose.
    # shellcheck disable=SC2053
    [[ $stderr == $pattern ]] || fail "want '$pattern' on stderr: $*"
    [[ ${#stderr_lines[@]} == 1 ]] || fail "want one line on stderr: $*"
}

# succeeds COMMAND...: exit status 0; stdout is in $output, stderr in $stderr.
succeeds() {
    run --separate-stderr "$@"
    [[ $status == 0 ]] || fail "want exit status 0: $*"
}

# The refusal just seen is the last event of the ledger, in the same words.
reject_noted() {
    equal "p11ca: $(sql "SELECT detail FROM event WHERE kind = 'reject' AND seq = (SELECT max(seq) FROM event)")" \
        "$stderr"
}

# Every invariant holds.
sound() {
    local home=${1:-home}
    equal "$(sql 'PRAGMA integrity_check' "$home")" ok
    succeeds p11ca -C "$home" audit
}
