#!/usr/bin/env bats
# batch -: requests one by one on standard input, an answer to each on standard output once it is durable.

load common
load stream

setup_file() {
    prepare_home
}

setup() {
    use_home
    batch=(timeout --kill-after=5 60 "$BUILD/bin/p11ca" -C home batch -a factory -p device -)
}

teardown() {
    if [[ -n ${pid:-} ]]; then
        kill -9 "$pid" 2>/dev/null || true
    fi
}

# A stream whose standard input stays open as descriptor 7; answers in ./answers, talk in ./talk.
open_stream() {
    mkfifo pipe
    "$BUILD/bin/p11ca" -C home batch -a factory -p device - <pipe >answers 2>./talk 3>&- &
    pid=$!
    exec 7>pipe
    rm pipe
}

# Its exit status, in $status.
stream_ends() {
    status=0
    wait "$pid" || status=$?
    pid=
}

@test "requests: answers in their order, each with its ref and its certificate" {
    requests in 100
    succeeds "${batch[@]}" <in
    equal "$stderr" '100 requests: 100 issued, 0 reused, 0 rejected, 0 not tried'
    echo "$output" >answers
    in_order in answers
    equal "$(verdicts answers)" '100 ISSUED'
    in_ledger answers
    one_each 100
    [[ $output == *', 0 serials reserved'* && $output != *'never published'* ]] || fail 'want nothing left over'
    equal "$(jq -r 'keys_unsorted | join(" ")' answers | sort -u)" \
        'row ref device profile status serial file certificate code reason time'
    jq -r 'select(.row == 7) | .certificate' answers >seventh.crt
    succeeds openssl verify -x509_strict -CAfile home/root.crt -untrusted home/factory.crt seventh.crt
    equal "$(openssl x509 -in seventh.crt -noout -serial)" "serial=$(jq -r 'select(.row == 7) | .serial' answers)"
}

@test "the same requests again: the same certificates, also the same one twice at once" {
    requests in 20
    "${batch[@]}" <in >first 2>/dev/null
    { cat in; cat in; } >twice
    succeeds "${batch[@]}" <twice
    echo "$output" >second
    equal "$(verdicts second)" '40 REUSED'
    diff <(jq -r .certificate first first | sort) <(jq -r .certificate second | sort)
    one_each 20
    requests new 20 E
    { cat new; cat new; } >twice
    "${batch[@]}" <twice >third 2>/dev/null
    equal "$(verdicts third)" '20 ISSUED, 20 REUSED'
    diff <(jq -r 'select(.status == "ISSUED").certificate' third | sort) <(jq -r 'select(.status == "REUSED").certificate' third | sort)
    one_each 40
    # The second of two waits for the first, and then there is nothing else to wake it.
    requests last 1 F
    succeeds "${batch[@]}" < <(cat last last)
    equal "$(verdicts <(echo "$output"))" '1 ISSUED, 1 REUSED'
}

@test "an order without a device that comes again is no renewal, but one that was published elsewhere is" {
    ec_request web /CN=www.example.com
    jq -cn --rawfile csr web.csr '{csr: $csr, dns: "www.example.com"}' >in
    "${batch[@]}" -p server <in >first 2>/dev/null
    "${batch[@]}" -p server <in >second 2>/dev/null
    equal "$(jq -r .status first second | paste -sd ' ')" 'ISSUED REUSED'
    equal "$(jq -r .serial first)" "$(jq -r .serial second)"
    "${batch[@]}" -p server -o out <in >third 2>/dev/null
    equal "$(jq -r .status third)" ISSUED
    refute grep -q "$(jq -r .serial third)" first
    [[ $(jq -r .file third) =~ ^out/[0-9a-f]{32}\.crt$ ]] || fail 'want it called like the order'
    "${batch[@]}" -p server -o out <in >fourth 2>/dev/null
    equal "$(jq -r '.status, .serial' fourth)" "REUSED
$(jq -r .serial third)"
    sound
}

@test "bad lines among good ones: each is rejected with its code, and the stream goes on" {
    requests good 12
    head -c 20000 /dev/zero | tr '\0' x >long
    {
        sed -n 1p good
        echo 'no json'
        sed -n 2p good
        printf '{"id":"D-\xff"}\n'
        sed -n 3p good
        cat long
        printf '\n\n\r\n'
        sed -n 4p good
        cat long long long long long
        echo
        sed -n 5p good
        printf '{"csr":"a","ref":"b\0"}\n'
        jq -c '.ref = "x" * 129' <(sed -n 6p good)
        jq -c '.ref = 5' <(sed -n 6p good)
        jq -c '.ref = "x" * 128' <(sed -n 6p good)
        echo '{"csr-file":"dev.csr","ref":"path"}'
        echo '{"id":"x","ref":"nothing"}'
        echo '["x"]'
        jq -c '.csr = "MIIB"' <(sed -n 7p good)
        jq -c '.days = 9999' <(sed -n 8p good)
        jq -c '.profile = "root-ca"' <(sed -n 9p good)
        jq -c '.ref = "\u001b[31m\u202e"' <(sed -n 10p good)
        sed -n 11p good | sed 's/$/\r/'
        sed -n 12p good | tr -d '\n'
    } >in
    run --separate-stderr "${batch[@]}" <in
    equal "$status" 1
    equal "$stderr" '22 requests: 9 issued, 0 reused, 13 rejected, 0 not tried
p11ca: 13 of 22 requests rejected'
    refute grep -q $'\x1b' <<<"$output"
    echo "$output" >answers
    equal "$(jq -r 'select(.row == 20) | .status, .ref == "\u001b[31m\u202e"' answers)" $'ISSUED\ntrue'
    equal "$(jq -r 'select(.row != 20) | "\(.row) \(.status) \(.code) \(if .ref then .ref[:8] else null end)"' answers)" $'1 ISSUED null r-D-0000
2 REJECTED MANIFEST_SYNTAX null
3 ISSUED null r-D-0000
4 REJECTED MANIFEST_SYNTAX null
5 ISSUED null r-D-0000
6 REJECTED MANIFEST_SYNTAX null
7 ISSUED null r-D-0000
8 REJECTED MANIFEST_SYNTAX null
9 ISSUED null r-D-0000
10 REJECTED MANIFEST_SYNTAX null
11 REJECTED MANIFEST_SYNTAX null
12 REJECTED MANIFEST_SYNTAX null
13 ISSUED null xxxxxxxx
14 REJECTED MANIFEST_SYNTAX path
15 REJECTED MANIFEST_MISMATCH nothing
16 REJECTED MANIFEST_SYNTAX null
17 REJECTED DER_SYNTAX r-D-0000
18 REJECTED VALIDITY_TOO_LONG r-D-0000
19 REJECTED PROFILE_NOT_ALLOWED r-D-0000
21 ISSUED null r-D-0000
22 ISSUED null r-D-0000'
    equal "$(jq -r 'select(.row == (4, 6, 11)) | .reason' answers)" 'octet 10: want UTF-8, have another encoding
want at most 16384 octets in a line, have more
ref: want at most 128 octets, have 129'
    equal "$(sql "SELECT count(*) FROM event WHERE kind = 'reject'")" 13
    one_each 9
}

@test "keys and devices twice, a private key: rejected, and an alarm each" {
    requests in 2
    openssl ecparam -name prime256v1 -genkey -noout -out secret.key
    {
        cat in
        sed -n 1p in | jq -c '.csr = $other' --arg other "$(sed -n 2p in | jq -r .csr)"
        sed -n 2p in | jq -c '.id = "D-9" | .subject = "CN=D-9"'
        jq -cn --rawfile csr secret.key '{csr: $csr, ref: "leak"}'
        jq -cn --rawfile spki secret.key '{csr: "x", ref: $spki}'
    } >bad
    run --separate-stderr "${batch[@]}" <bad
    equal "$status" 1
    echo "$output" >answers
    equal "$(jq -r '"\(.row) \(.status) \(.code) \(.ref)"' answers)" '1 ISSUED null r-D-0000001
2 ISSUED null r-D-0000002
3 REJECTED SUBJECT_MISMATCH r-D-0000001
4 REJECTED DUP_KEY_LEDGER r-D-0000002
5 REJECTED PRIVATE_KEY_SEEN null
6 REJECTED PRIVATE_KEY_SEEN null'
    "$lot" other.ndjson 1
    run --separate-stderr "${batch[@]}" <other.ndjson
    equal "$(jq -r 'select(.row) | .code' <<<"$output")" DEVICE_ISSUED
    equal "$(sql "SELECT substr(detail, 1, instr(detail, ':') - 1) FROM event WHERE kind = 'alarm' ORDER BY seq")" 'DUP_KEY_LEDGER
PRIVATE_KEY_SEEN
PRIVATE_KEY_SEEN
DEVICE_ISSUED'
    # What was disclosed goes nowhere else.
    refute grep -qF "$(sed -n 2p secret.key)" answers home/ledger.db
    one_each 2
}

@test "an answer comes while the stream stays open, and is durable: killed right after it, the ledger has the certificate" {
    requests in 3
    open_stream
    sed -n 1p in >&7
    until_true has_lines answers 1
    sed -n 2p in >&7
    until_true has_lines answers 2
    kill -9 "$pid"
    stream_ends
    exec 7>&-
    equal "$(verdicts answers)" '2 ISSUED'
    in_ledger answers
    succeeds "${batch[@]}" <in
    equal "$(verdicts <(echo "$output"))" '1 ISSUED, 2 REUSED'
    diff answers <(jq -c '.status = "ISSUED"' <<<"$output" | head -2 | sed "s/\"time\":\"[^\"]*\"/\"time\":\"$(jq -r .time answers | head -1)\"/") ||
        diff <(jq -r .certificate answers) <(jq -r .certificate <<<"$output" | head -n "$(jq -r .certificate answers | wc -l)")
    one_each 3
}

@test "killed in the middle, the same requests again: every device one certificate, and those answered before the same" {
    local n
    use_fault_module
    export P11CA_FAULT='C_Sign:*=sleep:50'
    requests in 300
    for n in 1 2 3; do
        "$BUILD/bin/p11ca" -q -C home batch -a factory -p device - <in >"answers-$n" 2>/dev/null 3>&- &
        pid=$!
        until_true has_lines "answers-$n" $((n * 40))
        kill -9 "$pid"
        pid=
        # The end of the last one may be missing.
        sed -i '/}$/!d' "answers-$n"
        in_ledger "answers-$n"
    done
    unset P11CA_FAULT
    "${batch[@]}" <in >answers 2>/dev/null
    in_order in answers
    in_ledger answers
    jq -r '"\(.device) \(.certificate)"' answers | sort >all
    for n in 1 2 3; do
        jq -r '"\(.device) \(.certificate)"' "answers-$n" | sort | comm -23 - all >lost
        equal "$(cat lost)" ''
    done
    one_each 300
}

@test "a signal: what was read is answered, exit 0; half a line is nothing" {
    local signal
    for signal in TERM INT HUP; do
        rm -f answers
        requests in 30 "$signal"
        open_stream
        cat in >&7
        printf '{"id":' >&7
        until_true has_lines answers 1
        until_true has_lines answers 30
        kill -"$signal" "$pid"
        stream_ends
        exec 7>&-
        equal "$status" 0
        equal "$(cat talk)" '30 requests: 30 issued, 0 reused, 0 rejected, 0 not tried'
        in_order in answers
    done
    one_each 90
}

@test "a signal: also what was read and is not yet under way is answered" {
    use_fault_module
    requests in 1000
    P11CA_FAULT='C_Sign:3=sleep:2000' "$BUILD/bin/p11ca" -C home batch -a factory -p device -j 1 - <in >answers 2>./talk 3>&- &
    pid=$!
    until_true signing
    kill -TERM "$pid"
    stream_ends
    equal "$status" 0
    in_order <(head -n "$(wc -l <answers)" in) answers
    # 256 were under way, two were done; of a thousand not all were read.
    [[ $(wc -l <answers) -gt 260 && $(wc -l <answers) -lt 1000 ]] || fail "want more than was under way: $(wc -l <answers)"
    equal "$(verdicts answers)" "$(wc -l <answers) ISSUED"
}

@test "a second signal ends it at once" {
    use_fault_module
    requests in 1
    P11CA_FAULT='C_Sign:1+=sleep:30000' open_stream
    cat in >&7
    until_true grep -q C_SignInit calls
    kill -TERM "$pid"
    sleep 0.3
    kill -0 "$pid"
    kill -TERM "$pid"
    stream_ends
    exec 7>&-
    equal "$status" 143
}

@test "nobody reads the answers any more: an end like any other" {
    requests in 2000
    run --separate-stderr bash -c '"$@" <in | head -1 >one; exit "${PIPESTATUS[0]}"' _ "${batch[@]}"
    equal "$status" 0
    [[ $stderr == *' requests: '*' issued, 0 reused, 0 rejected, 0 not tried' ]] || fail 'want it told'
    in_ledger one
    sound
}

@test "standard output is full, standard input cannot be read: said so" {
    requests in 5
    run --separate-stderr bash -c '"$@" <in >/dev/full' _ "${batch[@]}"
    equal "$status" 8
    [[ $stderr == *'p11ca: standard output: write: No space left on device' ]] || fail 'want the reason'
    run --separate-stderr bash -c '"$@" </tmp' _ "${batch[@]}"
    equal "$status" 8
    [[ $stderr == *'p11ca: standard input: read: Is a directory' ]] || fail 'want the reason'
    refused 8 'p11ca: standard input: Bad file descriptor' bash -c '"$@" <&-' _ "${batch[@]}"
    run --separate-stderr bash -c '"$@" >&-' _ "${batch[@]}"
    equal "$status, $stderr" '8, p11ca: standard output: Bad file descriptor'
    sound
}

@test "the token is lost once in the middle: opened again, and every request answered" {
    use_fault_module
    requests in 100
    P11CA_FAULT='C_Sign:50=CKR_DEVICE_REMOVED' succeeds "${batch[@]}" <in
    [[ $stderr == *'CKR_DEVICE_REMOVED'*': opening it again'* ]] || fail 'want it told'
    echo "$output" >answers
    in_order in answers
    equal "$(verdicts answers)" '100 ISSUED'
    [[ $(calls C_Login) == 2 ]] || fail 'want one login more'
    one_each 100
}

@test "the token is lost for good: what was under way is answered with the reason, and the error is that" {
    use_fault_module
    requests in 1000
    P11CA_FAULT='C_Sign:50+=CKR_DEVICE_REMOVED' run --separate-stderr "${batch[@]}" <in
    equal "$status" 6
    [[ $stderr == *$'\n'"p11ca: token 'factory': "*CKR_* ]] || fail 'want the reason'
    echo "$output" >answers
    in_order <(head -n "$(wc -l <answers)" in) answers
    [[ $(verdicts answers) =~ ^[0-9]+\ ISSUED,\ [0-9]+\ NOT-TRIED$ ]] || fail 'want nothing else'
    [[ $(jq -r 'select(.status == "NOT-TRIED") | "\(.reason) \(.certificate) \(.time)"' answers | sort -u) == *'CKR_'*' null null' ]] ||
        fail 'want the reason with each'
    unset P11CA_FAULT
    "${batch[@]}" <in >again 2>/dev/null
    one_each 1000
}

@test "a token that fails otherwise: not tried is not rejected" {
    use_fault_module
    requests in 1
    P11CA_FAULT='C_Sign:1+=CKR_FUNCTION_FAILED' run --separate-stderr "${batch[@]}" <in
    equal "$status" 6
    equal "$(jq -r .status <<<"$output")" NOT-TRIED
    [[ $(jq -r .reason <<<"$output") == *CKR_FUNCTION_FAILED* ]] || fail 'want the reason'
}

@test "-o: the files, too; what is in the way is left, and another profile's file of the same device" {
    requests in 4
    mkdir out
    echo mine >out/D-0000002.crt
    { cat in; sed -n 1p in | jq -c '.profile = "client" | .dns = "a.example"'; } >both
    run --separate-stderr "${batch[@]}" -o out <both
    equal "$status" 1
    echo "$output" >answers
    equal "$(jq -r '"\(.row) \(.status) \(.code) \(.file)"' answers)" '1 ISSUED null out/D-0000001.crt
2 REJECTED OUTPUT_EXISTS null
3 ISSUED null out/D-0000003.crt
4 ISSUED null out/D-0000004.crt
5 REJECTED OUTPUT_EXISTS null'
    equal "$(cat out/D-0000002.crt)" mine
    diff <(jq -r 'select(.row == 3).certificate' answers | grep .) out/D-0000003.crt
    # Neither took a serial.
    one_each 3
    [[ $output == *', 0 serials reserved'* ]] || fail 'want none reserved'
}

@test "options that are for lots, and what is refused before the token is touched" {
    use_fault_module
    local option
    for option in --dry-run '--report=r.csv' '--max-errors=1' '--on-error=skip' '--format=pem' --reissue '--summary=s.html'; do
        during=$option
        refused 2 "p11ca: batch -: option ${option%%=*} is for lots" "${batch[@]}" "$option" </dev/null
    done
    during=
    refused 2 'p11ca: batch: option --output DIR is missing' p11ca -C home batch -a factory -p device lot.csv
    refused 4 "p11ca: authority 'factory': may not issue profile 'root-ca' (issues in p11ca.conf)" "${batch[@]}" -p root-ca </dev/null
    refused 2 "p11ca: no authority 'nobody' in home/p11ca.conf" "${batch[@]}" -a nobody </dev/null
    refused 8 'p11ca: nowhere/out: *' "${batch[@]}" -o nowhere/out </dev/null
    sed -i '/^ *factory *= { *token = "factory"; key/ s/= {/= { ticket-from = "root";/' home/p11ca.conf
    refused 4 "p11ca: authority 'factory': profile 'device': want a lot ticket signed by 'root' (--ticket)" "${batch[@]}" </dev/null
    equal "$(calls C_Login)" 0
}

@test "nothing in, nothing out" {
    succeeds "${batch[@]}" </dev/null
    equal "$output$stderr" ''
}

@test "an hour of silence: a certificate is dated when it is asked for" {
    requests in 2
    mkfifo in.fifo
    timeout --kill-after=5 60 faketime -f '+0 x600' "$BUILD/bin/p11ca" -q -C home batch -a factory -p device - <in.fifo >answers 3>&- &
    exec 7>in.fifo
    sed -n 1p in >&7
    until_true has_lines answers 1
    sleep 1
    sed -n 2p in >&7
    until_true has_lines answers 2
    exec 7>&-
    wait
    [[ $(jq -r .time answers | sort -u | wc -l) == 2 ]] || fail 'want two times'
    # In the certificates as in the answers.
    [[ $(jq -r 'select(.row == 2).certificate' answers | openssl x509 -noout -startdate) != "$(jq -r 'select(.row == 1).certificate' answers | openssl x509 -noout -startdate)" ]]
}
