# shellcheck shell=bash
# Loaded by stream.bats and serve.bats: requests, answers, and what must be true of them.

lot=$BUILD/tests/lot

# N devices PREFIX-0000001..., each with a key of its own and a ref.
requests() { # FILE N [PREFIX]
    "$lot" "all.ndjson" "$2" "${3:-D}"
    jq -c '. + {ref: "r-\(.id)"}' all.ndjson >"$1"
}

# The answers in FILE are those to the requests in FILE, in order: numbers, refs and devices.
in_order() {
    diff <(jq -r '.ref + " " + .id' "$1" | awk '{ print NR, $0 }') <(jq -r '"\(.row) \(.ref) \(.device // .ref[2:])"' "$2") ||
        fail 'want an answer to each request, in its order'
}

# "3 ISSUED, 2 REUSED" of the answers in FILE.
verdicts() {
    jq -r .status "$1" | sort | uniq -c | awk '{ printf "%s%s %s", sep, $1, $2; sep = ", " }'
}

# Every certificate that was answered is in the ledger, byte for byte.
in_ledger() {
    local known
    known=$(sql "SELECT lower(hex(cert_sha256)) FROM certificate WHERE status = 1" "${2:-home}" | sort)
    while IFS= read -r line; do
        grep -qF "$(grep -v '^-' <<<"$line" | base64 -d | sha256sum | cut -c1-64)" <<<"$known" || fail 'want it in the ledger'
    done < <(jq -r 'select(.certificate) | .certificate | gsub("-----[A-Z ]+-----|\n"; "")' "$1")
}

# Every device N of them has one certificate, one serial.
one_each() {
    equal "$(sql "SELECT count(*), count(DISTINCT device), count(DISTINCT serial) FROM certificate
        WHERE device NOTNULL AND status = 1")" "$1|$1|$1"
    sound
}

# until COMMAND...: a guard against hangs, never a measure of speed.
until_true() {
    local n
    for ((n = 0; n < 600; n++)); do
        if "$@"; then
            return 0
        fi
        sleep 0.1
    done
    fail "want it before long: $*"
}

# has_lines FILE N
has_lines() {
    [[ -e $1 && $(wc -l <"$1") -ge $2 ]]
}

# The third signature is on its way.
signing() {
    [[ $(calls C_SignInit) -ge 3 ]]
}
