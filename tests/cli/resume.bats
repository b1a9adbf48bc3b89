#!/usr/bin/env bats
# Ceremonies that were killed, stopped or failed, and went on: the same end state, nothing made twice.

load common
load ceremony

# A home in which two authorities have keys and no certificates, and a script that gives them some: every kind of step
# that makes files or signatures, on tokens that are there.
setup_file() {
    prepare_homes
    cd "$BATS_FILE_TMPDIR"
    add_authority sub 'profile = "issuing-ca"; issuer = "root";'
    add_authority other 'profile = "root-ca";'
    script '{ do = "generate-key"; authority = "sub"; algorithm = "P-256"; }, { do = "generate-key"; authority = "other"; algorithm = "P-256"; }'
    run_it --dir prepared
    rm -r home/ceremonies
    script '{ do = "say"; text = "x"; },
        { do = "self-sign"; authority = "other"; },
        { do = "request"; authority = "sub"; file = "sub.csr"; },
        { do = "sign-request"; authority = "root"; for = "sub"; request = "sub.csr"; certificate = "signed.crt"; },
        { do = "install"; authority = "sub"; certificate = "signed.crt"; },
        { do = "export"; authority = "sub"; file = "chain.pem"; chain = true; },
        { do = "verify-files"; file = "chain.pem"; }'
    mv script.conf all.conf
}

setup() {
    mkdir "$BATS_TEST_TMPDIR/work"
    cd "$BATS_TEST_TMPDIR/work"
    copy_home home
    cp "$BATS_FILE_TMPDIR/all.conf" script.conf
    cp -a home kept
}

again() {
    rm -rf home calls
    cp -a kept home
}

# Under the shim. timeout comes first: it must not be what is killed, nor be counted.
killed_at() {
    timeout --kill-after=5 60 env LD_PRELOAD="$killat" P11CA_KILL_AT="$1" "$BUILD/bin/p11ca" -q -C home ceremony "${2:-run}" --yes script.conf
}

failing_at() {
    timeout --kill-after=5 60 env LD_PRELOAD="$killat" P11CA_FAIL_AT="$1" "$BUILD/bin/p11ca" -q -C home ceremony run --yes script.conf
}

# The calls of a run that change what is on disk: moments, into the file moments.
count_moments() {
    timeout 60 env LD_PRELOAD="$killat" P11CA_KILL_LOG="$PWD/moments" "$BUILD/bin/p11ca" -q -C home ceremony run --yes script.conf
    again
}

# Those at which there is a new state of a file of p11ca's. What SQLite and SoftHSM do between is theirs (kill.bats).
own_moments() {
    grep -vE 'ledger\.db-shm$|(pwrite64|ftruncate64?) .*ledger\.db|token\.object$' moments | cut -d' ' -f1
}

# Goes on, or begins when nothing had been.
go_on() {
    if ls home/ceremonies/*/transcript.jsonl >/dev/null 2>&1 && [[ $(wc -l <home/ceremonies/*/transcript.jsonl) -gt 0 ]]; then
        [[ -e $(folder)/SHA256SUMS ]] || succeeds resume_it
    else
        succeeds run_it
    fi
}

# What the script is for, whole and once.
all_done() {
    complete
    equal "$(transcript 'select(.type == "done").step' | tr '\n' ' ')" '1 2 3 4 5 6 7 '
    # What was approved is what was signed: one to-be-signed for each certificate.
    equal "$(transcript 'select(.type == "tbs").step' | tr '\n' ' ')" '2 4 '
    equal "$(sql 'SELECT status, count(*) FROM certificate GROUP BY status')" '1|4'
    cmp home/sub.crt home/signed.crt
    equal "$(sql "SELECT count(*) FROM event WHERE kind = 'ceremony' AND detail LIKE 'complete %-script %'")" 1
}

at_every_moment() { # at_every_moment OF REST: each moment with this rest
    local n tried=0 before
    count_moments
    for n in $(own_moments); do
        ((n % $1 == $2)) || continue
        during="killed at $(sed -n "${n}p" moments)"
        again
        run killed_at "$n"
        [[ $status == 137 ]] || fail 'want it killed'
        tried=$((tried + 1))
        cat home/ceremonies/*/transcript.jsonl 2>/dev/null | sed -n '$!p' >before || true
        go_on
        # It only grows.
        before=$(stat -c %s before)
        cmp -n "$before" before "$(folder)/transcript.jsonl"
        all_done
    done
    [[ $tried -gt 30 ]] || fail "only $tried moments were tried"
    during=
    succeeds openssl verify -x509_strict -CAfile home/root.crt home/sub.crt
    sound
}

# Two tests, so that they run side by side.
@test "killed before every change of a file, 1 of 2: resumed, the same end state" {
    at_every_moment 2 0
}

@test "killed before every change of a file, 2 of 2: resumed, the same end state" {
    at_every_moment 2 1
}

@test "each line is on disk before anything else happens; whole files are put into place" {
    count_moments
    # The line after a write to the transcript is its fsync.
    equal "$(grep -A1 ' write .*transcript\.jsonl$' moments | grep -c ' fsync .*transcript\.jsonl$')" \
        "$(grep -c ' write .*transcript\.jsonl$' moments)"
    [[ $(grep -c ' write .*transcript\.jsonl$' moments) -ge 20 ]]
    # The sums come last of the folder's files.
    [[ $(grep -nE '(rename|link).*/SHA256SUMS$' moments | tail -1 | cut -d: -f1) -gt $(grep -n transcript moments | tail -1 | cut -d: -f1) ]]
    # The folder's files have no other writes than to the transcript and to names that are renamed.
    equal "$(grep -E ' write [^ ]*/ceremonies/' moments | grep -vE 'transcript\.jsonl$|\.[A-Za-z0-9]{6}$|/#[0-9]+ \(deleted\)$')" ''
}

@test "killed inside C_Sign, before and after the token has signed: the same serial, the approved bytes" {
    local when n serial
    use_fault_module
    rm -rf kept
    cp -a home kept
    for n in 1 2 3; do
        for when in kill kill-after; do
            during="C_Sign:$n=$when"
            again
            P11CA_FAULT="C_Sign:$n=$when" run run_it
            equal "$status" 137
            serial=$(p11ca -q -C home list --status reserved | cut -d' ' -f1)
            # The second signature is that of the request.
            [[ -n $serial || $n == 2 ]] || fail 'want a serial reserved'
            succeeds resume_it
            all_done
            [[ -z $serial ]] || equal "$(p11ca -C home show "$serial" | sed -nE 's/^status +//p')" issued
        done
    done
}

@test "killed again and again while it is resumed" {
    local n=40
    run killed_at 120
    equal "$status" 137
    while run killed_at "$n" resume; [[ $status == 137 ]]; do
        n=$((n + 7))
        [[ $n -lt 400 ]] || fail 'want it to end'
    done
    [[ $n -gt 50 ]]
    equal "$status" 0
    all_done
    [[ $(transcript 'select(.type == "resumed").line' | wc -l) -gt 2 ]]
}

@test "a full disk at each change of a file: an error, and resumed the same end state" {
    local n failures=0
    count_moments
    # Every third: what is between them fails alike.
    for n in $(own_moments | awk 'NR % 3 == 0'); do
        during="fails: $(sed -n "${n}p" moments)"
        again
        run --separate-stderr failing_at "$n:ENOSPC"
        if [[ $status != 0 ]]; then
            [[ $status == [78] && $output == '' && ${#stderr_lines[@]} == 1 && $stderr == 'p11ca: '* ]] || fail 'want exit status 7 or 8, and one line'
            failures=$((failures + 1))
            go_on
        fi
        chained
        equal "$(sql 'SELECT status, count(*) FROM certificate GROUP BY status')" '1|4'
    done
    [[ $failures -gt 20 ]] || fail "only $failures failures"
}

@test "a line cut off by a kill is dropped, and that is noted" {
    run killed_at 200
    equal "$status" 137
    printf '{"line":99,"bef' >>"$(folder)/transcript.jsonl"
    succeeds resume_it
    equal "$(transcript 'select(.type == "resumed").dropped')" 15
    all_done
}

@test "a transcript that was changed is not gone on with: line and rule" {
    local dir line change
    run killed_at 250
    dir=$(folder)
    cp -a home kept2
    # SED-SCRIPT|line at fault
    for change in '2s/"kind":"say"/"kind":"sax"/|3' '3d|3' '2p|3' '2,3{h;d}|2' '4s/"type":"start"/"type":"begin"/|4' \
        '2s/"type":"start"/"type":"frob"/|2' '3s/.*/[]/|3' '3s/.*/{/|3' '1s/"line":1,/"line":2,/|1' '1s/"before":""/"before":"00"/|1'; do
        during=$change
        rm -rf home
        cp -a kept2 home
        line=${change##*|}
        sed -i "${change%|*}" "$dir/transcript.jsonl"
        refused 1 "p11ca: $dir/transcript.jsonl:$line: *" resume_it
    done
    during=
    rm -rf home
    cp -a kept2 home
    succeeds resume_it
    all_done
}

@test "stopped by a failure: the next one waits, resume goes on, then it is free" {
    mv home/pins/root pin
    answers 8 'p11ca: step 2, self-sign: token *' run_it
    printf 'title = "t"; steps = ( { do = "say"; text = "x"; } );\n' >other.conf
    refused 3 "p11ca: home/ceremonies/*: this ceremony is unfinished: p11ca ceremony resume home/ceremonies/*/script.conf (with --abandon to end it as it is)" \
        p11ca -q -C home ceremony run --yes other.conf
    # As long as the cause is there, nothing else happens.
    answers 8 'p11ca: step 2, self-sign: token *' resume_it
    mv pin home/pins/root
    # The script in the folder is the script.
    succeeds p11ca -q -C home ceremony resume --yes "$(folder)/script.conf"
    all_done
    equal "$(types | cut -d' ' -f1-10)" 'begin start done start failed resumed start failed resumed start'
    equal "$(ceremony_events)" 'begin complete+ begin complete+ begin complete+ begin complete+ '
    succeeds p11ca -q -C home ceremony run --yes other.conf
}

@test "resume: nothing to go on with, a folder that is finished, or none" {
    refused 2 'p11ca: home/ceremonies: no ceremony is unfinished' resume_it
    succeeds run_it
    refused 2 'p11ca: home/ceremonies: no ceremony is unfinished' resume_it
    refused 2 'p11ca: home/ceremonies/*: not an unfinished ceremony' resume_it --dir "$(folder)"
    refused 2 'p11ca: none: not an unfinished ceremony' resume_it --dir none
}

@test "resume: another script, a changed script, a changed p11ca.conf are refused" {
    local dir
    mv home/pins/root pin
    run run_it
    mv pin home/pins/root
    dir=$(folder)
    cp script.conf kept.conf
    echo '# changed' >>script.conf
    refused 3 "p11ca: script.conf: the ceremony in $dir was begun with another script: want SHA-256 $(sha256sum kept.conf | cut -d' ' -f1), have $(sha256sum script.conf | cut -d' ' -f1)" resume_it
    mv kept.conf script.conf
    sed -i 's/CN=other,O=Acme/CN=another,O=Acme/' home/p11ca.conf
    refused 3 "p11ca: script.conf: what this ceremony would sign is no longer what plan.txt of $dir says: p11ca.conf was changed" resume_it
    sed -i 's/CN=another,O=Acme/CN=other,O=Acme/' home/p11ca.conf
    succeeds resume_it
    all_done
}

@test "resume --abandon: ended as it is, in the ledger too; the next one may begin" {
    local dir
    mv home/pins/root pin
    run run_it
    mv pin home/pins/root
    dir=$(folder)
    succeeds p11ca -C home --json ceremony resume --abandon --yes script.conf
    equal "$(jq -r '.completed, .sha256' <<<"$output")" "false"$'\n'"$(sha256sum "$dir/transcript.jsonl" | cut -d' ' -f1)"
    complete "$dir" abandoned
    equal "$(types)" 'begin start done start failed resumed end '
    equal "$(transcript 'select(.type == "end").steps')" 1
    [[ $(ceremony_events) == *'begin abandoned+ ' ]] || fail 'want it in the ledger'
    refused 2 'p11ca: home/ceremonies: no ceremony is unfinished' resume_it
    succeeds run_it
    equal "$(jq -r 'select(.type == "begin").previous' home/ceremonies/*-script-2/transcript.jsonl)" "$(sha256sum "$dir/transcript.jsonl" | cut -d' ' -f1)"
    sound
}

@test "resume --abandon: also with a p11ca.conf that cannot be planned with any more" {
    mv home/pins/root pin
    run run_it
    sed -i '/^other = /d' home/p11ca.conf
    run --separate-stderr resume_it
    [[ $status == 3 && $stderr == "p11ca: script.conf:4: self-sign: no authority 'other' in home/p11ca.conf" ]] || fail 'want it refused'
    succeeds resume_it --abandon
    complete '' abandoned
}

@test "killed before the first line is on disk: nothing was begun, and nothing is in the way" {
    local n
    count_moments
    n=$(grep -m1 -n ' write .*transcript\.jsonl$' moments | cut -d: -f1)
    run killed_at "$n"
    equal "$status" 137
    [[ -e $(folder)/transcript.jsonl && ! -s $(folder)/transcript.jsonl ]] || fail 'want an empty transcript'
    refused 2 'p11ca: home/ceremonies: no ceremony is unfinished' resume_it
    printf '{"line":1,"before":"","ti' >"$(folder)/transcript.jsonl"
    refused 2 'p11ca: home/ceremonies: no ceremony is unfinished' resume_it
    succeeds run_it
    all_done
}
