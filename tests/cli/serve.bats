#!/usr/bin/env bats
# serve: stations on a Unix socket.

load common
load stream

setup_file() {
    prepare_home
}

setup() {
    use_home
}

teardown() {
    if [[ -n ${pid:-} ]]; then
        kill -9 "$pid" 2>/dev/null || true
    fi
}

# In the background, until it listens; its talk is in ./talk.
serve() { # [options]
    rm -f talk
    "$BUILD/bin/p11ca" -C home serve -a factory -p device --socket sock "$@" >out.serve 2>./talk 3>&- &
    pid=$!
    until_true grep -q '^listening on sock$' talk
}

# Its exit status, in $status.
serve_ends() {
    status=0
    wait "$pid" || status=$?
    pid=
}

stop() {
    kill -TERM "$pid"
    serve_ends
    [[ $status == 0 ]] || fail "want it to end well: $(cat talk)"
}

# A station: requests on stdin, answers on stdout, until all are answered.
station() {
    timeout --kill-after=5 120 socat -t 100 - UNIX-CONNECT:sock 3>&-
}

@test "a station: answers in order, and the socket is gone afterwards" {
    requests in 50
    serve
    equal "$(stat -c '%a %F' sock)" '600 socket'
    station <in >answers
    in_order in answers
    equal "$(verdicts answers)" '50 ISSUED'
    station <in >again
    equal "$(verdicts again)" '50 REUSED'
    diff <(jq -r .certificate answers) <(jq -r .certificate again)
    stop
    [[ ! -e sock && ! -s out.serve ]] || fail 'want the socket gone, and nothing on stdout'
    equal "$(cat talk)" 'listening on sock
2 stations, 100 requests: 50 issued, 50 reused, 0 rejected, 0 not tried'
    in_ledger answers
    one_each 50
}

@test "8 stations at once: each its own answers, in its order" {
    local n jobs=()
    "$lot" all.ndjson $((8 * 200))
    jq -c '. + {ref: "r-\(.id)"}' all.ndjson | split -l 200 --numeric-suffixes=1 -a 1 - in-
    serve
    for n in {1..8}; do
        station <"in-$n" >"answers-$n" &
        jobs+=($!)
    done
    wait "${jobs[@]}"
    for n in {1..8}; do
        in_order "in-$n" "answers-$n"
        equal "$(verdicts "answers-$n")" '200 ISSUED'
    done
    stop
    [[ $(tail -1 talk) == '8 stations, 1600 requests: 1600 issued, 0 reused, 0 rejected, 0 not tried' ]] || fail "want all of them: $(cat talk)"
    in_ledger answers-8
    one_each 1600
}

@test "two stations with the same requests at once: each device one certificate, which both get" {
    requests in 100
    serve
    station <in >one &
    station <in >two
    until_true has_lines one 100
    diff <(jq -r .certificate one) <(jq -r .certificate two)
    equal "$(cat one two | jq -r .status | sort | uniq -c | tr -s ' ' | paste -sd ,)" ' 100 ISSUED, 100 REUSED'
    stop
    one_each 100
}

@test "a station that never reads holds up nobody, and not the end" {
    requests in 20
    serve
    # Far more answers than any buffer takes, from lines that cost nothing.
    (yes '{"id":"x"}' 3>&- || true) | timeout 60 socat -u - UNIX-CONNECT:sock,shut-none 2>/dev/null 3>&- &
    local lazy=$!
    until_true queued
    station <in >answers
    in_order in answers
    equal "$(verdicts answers)" '20 ISSUED'
    kill -TERM "$pid"
    serve_ends
    equal "$status" 0
    [[ ! -e sock ]]
    kill "$lazy" 2>/dev/null || true
    # It was not read for ever: 4 MiB of answers are some ten thousand.
    [[ $(sed -nE 's/.* ([0-9]+) rejected.*/\1/p' talk) -lt 60000 ]] || fail "want it held back: $(cat talk)"
    one_each 20
}

# Enough of its lines were rejected that nothing more of it is read.
queued() {
    local now before
    before=$(sql "SELECT count(*) FROM event WHERE kind = 'reject'")
    sleep 0.5
    now=$(sql "SELECT count(*) FROM event WHERE kind = 'reject'")
    [[ $now -gt 1000 && $now == "$before" ]]
}

@test "a station that leaves without its answers: what was begun is in the ledger, and the same again is reused" {
    requests in 30
    serve -v
    socat -u - UNIX-CONNECT:sock <in 3>&-
    until_true grep -qE '^station 1: went' talk
    station <in >answers
    in_order in answers
    stop
    one_each 30
}

@test "SIGTERM: what was read is answered, to each station" {
    requests in 40
    serve
    mkfifo a b
    station <a >answers-a &
    station <b >answers-b &
    exec 7>a 8>b
    head -20 in >&7
    tail -20 in >&8
    until_true has_lines answers-a 20
    until_true has_lines answers-b 20
    printf '{"half":' >&7
    stop
    exec 7>&- 8>&-
    equal "$(verdicts answers-a), $(verdicts answers-b)" '20 ISSUED, 20 ISSUED'
    one_each 40
}

@test "SIGTERM while the token is slow: under way is answered" {
    use_fault_module
    requests in 4
    P11CA_FAULT='C_Sign:3+=sleep:300' serve --jobs 1
    station <in >answers &
    until_true has_lines calls 1
    until_true signing
    kill -TERM "$pid"
    serve_ends
    equal "$status" 0
    until_true has_lines answers 4
    in_order in answers
    equal "$(verdicts answers)" '4 ISSUED'
    one_each 4
}

@test "killed, and started again: the socket that was left is replaced, every device one certificate" {
    requests in 300
    serve
    station <in >first 2>/dev/null &
    until_true has_lines first 50
    kill -9 "$pid"
    serve_ends
    [[ -S sock ]] || fail 'want a socket left'
    sed -i '/}$/!d' first
    in_ledger first
    serve
    station <in >second
    in_order in second
    jq -r '"\(.device) \(.certificate)"' second | sort >all
    equal "$(jq -r '"\(.device) \(.certificate)"' first | sort | comm -23 - all)" ''
    stop
    one_each 300
}

@test "the token is lost for good: stations are told, and the error is that" {
    use_fault_module
    requests in 200
    P11CA_FAULT='C_Sign:50+=CKR_DEVICE_REMOVED' serve
    station <in >answers
    serve_ends
    equal "$status" 6
    [[ $(tail -1 talk) == "p11ca: token 'factory': "*CKR_* ]] || fail "want the reason: $(cat talk)"
    in_order <(head -n "$(wc -l <answers)" in) answers
    [[ $(verdicts answers) =~ ^[0-9]+\ ISSUED,\ [0-9]+\ NOT-TRIED$ && ! -e sock ]] || fail "want them told: $(verdicts answers)"
}

@test "the path: taken, of no directory, too long; another serve" {
    use_fault_module
    local serve=("$BUILD/bin/p11ca" -C home serve -a factory -p device --socket)
    echo mine >file
    mkdir folder
    ln -s nowhere link
    refused 8 'p11ca: file: exists, nothing is overwritten' timeout 20 "${serve[@]}" file
    refused 8 'p11ca: folder: exists, nothing is overwritten' timeout 20 "${serve[@]}" folder
    refused 8 'p11ca: link: exists, nothing is overwritten' timeout 20 "${serve[@]}" link
    refused 8 'p11ca: none/sock: its directory: No such file or directory' timeout 20 "${serve[@]}" none/sock
    refused 2 'p11ca: */xx*: want a socket'\''s path of 1 to 107 octets, have 200' timeout 20 "${serve[@]}" "$(printf '%0200d' 0 | tr 0 x | sed 's|^..|./|')"
    refused 8 'p11ca: sock: another process has locked its directory' flock . timeout 20 "${serve[@]}" sock
    serve
    refused 8 'p11ca: sock: another process listens on it' timeout 20 "${serve[@]}" sock
    equal "$(calls C_Login)" 1
    stop
    # A name that is no longer ours is left alone.
    serve
    rm sock
    echo mine >sock
    kill -TERM "$pid"
    serve_ends
    equal "$(cat sock)" mine
}

@test "refusals before the token is touched leave no socket" {
    use_fault_module
    local serve=(timeout 20 "$BUILD/bin/p11ca" -C home serve --socket sock)
    refused 2 'p11ca: serve: option --socket PATH is missing' timeout 20 "$BUILD/bin/p11ca" -C home serve -a factory -p device
    refused 2 "p11ca: no profile 'nothing'" "${serve[@]}" -a factory -p nothing
    refused 4 "p11ca: authority 'factory': may not issue profile 'root-ca' (issues in p11ca.conf)" "${serve[@]}" -a factory -p root-ca
    refused 2 "p11ca: option --allow-uid: want a whole number from 0 to 4294967294, have '4294967295'" "${serve[@]}" -a factory -p device --allow-uid 4294967295
    refused 2 "p11ca: option --allow-uid: want a whole number from 0 to 4294967294, have 'nobody'" "${serve[@]}" -a factory -p device --allow-uid nobody
    equal "$(calls C_Login)" 0
    P11CA_FAULT='C_OpenSession:*=CKR_DEVICE_REMOVED' refused 6 'p11ca: *CKR_DEVICE_REMOVED*' "${serve[@]}" -a factory -p device
    [[ ! -e sock ]]
}

# as USER COMMAND...: the folders above are the tests' own.
as() {
    setpriv --reuid="$1" --regid=nogroup --clear-groups "${@:2}" 3>&-
}

@test "another user is turned away with one line; with --allow-uid served" {
    [[ $(id -u) == 0 ]] || skip 'only root can be somebody else'
    local there
    there=$(mktemp -d /tmp/p11ca-serve-XXXXXX)
    chmod 755 "$there"
    requests in 3
    "$BUILD/bin/p11ca" -C home serve -a factory -p device --socket "$there/sock" 2>./talk 3>&- &
    pid=$!
    until_true grep -q '^listening' talk
    # Whoever has the file open, has root open the door: the mode keeps others out, the kernel's word what gets past it.
    run --separate-stderr as nobody timeout 20 socat -t 5 - UNIX-CONNECT:"$there/sock" </dev/null
    [[ $status != 0 && $stderr == *'Permission denied'* ]] || fail 'want the mode to refuse'
    chmod 666 "$there/sock"
    run --separate-stderr as nobody timeout 20 socat -u UNIX-CONNECT:"$there/sock" -
    equal "$(jq -r '.error.code, .error.message' <<<"${lines[0]}")" "PEER
station: want uid 0, or one that was allowed, have uid $(id -u nobody)"
    [[ $(grep -c PEER <<<"$output") == 1 && $(grep -c '^{' <<<"$output") == 1 ]] || fail 'want one line'
    [[ $(cat talk) == *"pid "*": station: want uid 0, or one that was allowed, have uid $(id -u nobody)"* ]] || fail 'want it told'
    stop
    one_each 0
    rm talk
    "$BUILD/bin/p11ca" -C home serve -a factory -p device --socket "$there/sock" --allow-uid 1 --allow-uid "$(id -u nobody)" 2>./talk 3>&- &
    pid=$!
    until_true grep -q '^listening' talk
    equal "$(stat -c %a "$there/sock")" 666
    as nobody timeout 60 socat -t 50 - UNIX-CONNECT:"$there/sock" <in >answers
    equal "$(verdicts answers)" '3 ISSUED'
    stop
    rm -r "$there"
    one_each 3
}

@test "64 stations are served, the next one when one of them has left" {
    local n jobs=()
    requests in 1
    serve -v
    for n in {1..64}; do
        sleep 60 3>&- | socat -u - UNIX-CONNECT:sock 3>&- &
        jobs+=($!)
    done
    until_true grep -q '^station 64: .*: came' talk
    station <in >answers &
    sleep 0.5
    [[ ! -s answers ]] || fail 'want it to wait'
    kill "${jobs[@]}" 2>/dev/null || true
    pkill -P $$ -x sleep || true
    until_true has_lines answers 1
    equal "$(verdicts answers)" '1 ISSUED'
    stop
}

@test "a station gets what is served, and no other profile" {
    requests plain 2
    { sed -n 1p plain | jq -c '. + {profile: "server", dns: "bank.example"}'; sed -n 2p plain | jq -c '. + {profile: "device"}'; } >in
    serve
    station <in >answers
    stop
    equal "$(jq -r '"\(.status) \(.code // "-")"' answers | paste -sd,)" 'REJECTED PROFILE_NOT_ALLOWED,ISSUED -'
    equal "$(jq -r 'select(.row == 1).reason' answers)" "profile 'server': want 'device', the one that stations are served"
}
