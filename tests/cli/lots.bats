#!/usr/bin/env bats
# Lots under everything that goes wrong: every device one certificate, whatever happens, and in the end the files are what
# the ledger says. LOT_ROWS and LOT_KILLS make it larger (5000 and 50: what a release is tried with).

load common

rows=${LOT_ROWS:-200}
kills=${LOT_KILLS:-4}
lot=$BUILD/tests/lot

setup_file() {
    prepare_home
    "$lot" "$BATS_FILE_TMPDIR/requests" "$rows"
}

setup() {
    use_home
    cp -r "$BATS_FILE_TMPDIR/requests" requests
    batch=(timeout --kill-after=5 300 "$BUILD/bin/p11ca" -C home batch -a factory -p device)
}

# Every device, N of them, has one certificate, one serial, one file, and the file is what the ledger has.
all_there() {
    local n=$1
    equal "$(sql "SELECT count(*), count(DISTINCT device), count(DISTINCT serial), count(DISTINCT spki_sha256)
        FROM certificate WHERE device LIKE 'D-%'")" "$n|$n|$n|$n"
    equal "$(sql "SELECT count(*) FROM certificate WHERE device LIKE 'D-%' AND status = 1 AND published_at NOTNULL")" "$n"
    # Nothing that a later process has to bring up.
    equal "$(sql 'SELECT upto = (SELECT max(id) FROM certificate) FROM by_key_end')" 1
    diff <(for file in out/D-*.crt; do grep -v '^-' "$file" | base64 -d | sha256sum; done | cut -c1-64 | sort) <(sql "SELECT lower(hex(cert_sha256)) FROM certificate WHERE device LIKE 'D-%'" | sort) ||
        fail 'want the files to be those of the ledger'
    sound
}

verdicts() {
    jq -r 'select(.row) | .status' <<<"$output" | sort | uniq -c | awk '{ printf "%s%s %s", sep, $1, $2; sep = ", " }'
}

@test "a lot, and the lot again: 0 new, the same bytes" {
    succeeds "${batch[@]}" requests -o out
    [[ $stderr == "$rows rows: $rows new, 0 reused, 0 rejected; "* ]] || fail 'want all of them new'
    all_there "$rows"
    cp -r out before
    rm out/D-0000007.crt
    succeeds "${batch[@]}" requests -o out
    [[ $stderr == "$rows rows: 0 new, $rows reused, 0 rejected; "* ]] || fail 'want nothing new'
    diff -r before out
    all_there "$rows"
    equal "$(sql 'SELECT count(*), count(name), (SELECT count(DISTINCT lot) FROM certificate WHERE lot NOTNULL) FROM lot')" '1|1|1'
}

@test "the time of a row is when it was issued, not when the lot began" {
    "$lot" few 3
    use_fault_module
    P11CA_FAULT='C_Login:*=sleep:2100' succeeds "${batch[@]}" few -o out --report r.ndjson
    local said reserved
    said=$(jq -s 'map(select(.row) | .time | fromdateiso8601) | min' r.ndjson)
    reserved=$(sql "SELECT min(reserved_at) FROM certificate WHERE device LIKE 'D-%'")
    ((reserved - said <= 1)) || fail "want $reserved, have $said"
}

@test "one file for all: the same again; not for another lot, and that is told before anything is signed" {
    local form
    "$lot" few 5
    "$lot" others 3 E
    for form in bundle tar; do
        during=$form
        succeeds "${batch[@]}" few --format $form -o "all.$form"
        cp "all.$form" before
        succeeds "${batch[@]}" few --format $form -o "all.$form"
        [[ $stderr == *'5 rows: 0 new, 5 reused, 0 rejected'* ]] || fail 'want nothing new'
        cmp before "all.$form"
        refused 8 "p11ca: all.$form: exists, nothing is overwritten" "${batch[@]}" others --format $form -o "all.$form"
    done
    equal "$(grep -c '^-----BEGIN' all.bundle)" 5
    equal "$(tar -tf all.tar | sort | paste -sd' ')" 'D-0000001.crt D-0000002.crt D-0000003.crt D-0000004.crt D-0000005.crt chain.pem'
    # Killed before the end there is none; its rows are not said to be published.
    use_fault_module
    P11CA_FAULT='C_Sign:3=kill' run "${batch[@]}" others --format bundle -o others.pem
    [[ ! -e others.pem ]] || fail 'want no half a bundle'
    equal "$(sql "SELECT count(*) FROM certificate WHERE device LIKE 'E-%' AND published_at NOTNULL")" 0
    succeeds "${batch[@]}" others --format bundle -o others.pem
    equal "$(sql "SELECT count(*) FROM certificate WHERE device LIKE 'E-%' AND published_at NOTNULL")" 3
    sound
}

@test "killed at random moments, each time the same command again: nothing lost, nothing doubled, few signatures too many" {
    local n=0 ended=0 signed start life
    use_fault_module
    # How long it lives when nobody kills it, in milliseconds.
    start=${EPOCHREALTIME/./}
    "${batch[@]}" requests -o out >/dev/null 2>&1
    life=$(((${EPOCHREALTIME/./} - start) / 1000))
    rm -rf out home calls
    copy_home home
    use_fault_module
    while ((n < kills)); do
        "${batch[@]}" requests -o out >/dev/null 2>&1 &
        # Somewhere in its life.
        sleep "$(printf '%d.%03d' $((life * (RANDOM % 100) / 100000)) $((life * (RANDOM % 100) / 100 % 1000)))"
        if kill -9 "$(pgrep -P $! -x p11ca)" 2>/dev/null; then
            n=$((n + 1))
        else
            ended=$((ended + 1))
            ((ended < kills)) || break
            rm -rf out home calls
            copy_home home
            use_fault_module
        fi
        wait $! 2>/dev/null || true
    done
    succeeds "${batch[@]}" requests -o out
    all_there "$rows"
    # A signature whose certificate was never recorded: no more than the rows that can be under way at once.
    signed=$(calls C_Sign)
    ((signed - rows <= n * 2048)) || fail "want few signatures too many, have $((signed - rows))"
}

@test "a slow token's signatures do not wait for hundreds of others before they are durable" {
    local signed issued
    # Few enough that the index is not moved on the way.
    "$lot" few 200
    use_fault_module
    P11CA_FAULT='C_Sign:*=sleep:50' "${batch[@]}" few -o out --jobs 1 >/dev/null 2>&1 &
    until (($(calls C_Sign) >= 70)) || ! kill -0 $!; do sleep 0.1; done
    kill -9 "$(pgrep -P $! -x p11ca)"
    wait $! || true
    signed=$(calls C_Sign)
    issued=$(sql "SELECT count(*) FROM certificate WHERE device LIKE 'D-%' AND status = 1")
    ((issued > 0 && signed < 200)) || fail "want some recorded on the way, have $issued of $signed"
    # Not put into the index of keys one by one: the next process does it, and finds each.
    equal "$(sql 'SELECT (SELECT max(id) FROM certificate) - upto >= '"$issued"' FROM by_key_end')" 1
    succeeds "${batch[@]}" few -o out
    all_there 200
}

@test "on a terminal a line says what is being done, and it is gone in the end" {
    local file
    use_fault_module
    mkdir few
    for file in requests/D-000000[1-8]*; do cp "$file" few; done
    P11CA_FAULT='C_Sign:*=sleep:50' run script -qec "${batch[*]} few -o out --jobs 1 >said" /dev/null
    equal "$status" 0
    [[ $output == *$'\r\e[K['*'issuing: '[1-8]' of 8 rows, '*$'\r\e[K8 rows: 8 new, 0 reused, 0 rejected; '* ]] ||
        fail 'want the line, and then the result alone'
}

# 12000 rows take longer to check than a fifth of a second, from which on the line is drawn.
@test "the check has its line, too, and the PIN is asked for on one of its own" {
    "$lot" many 12000
    sed -i '/acme-factory/,/store/s|\<pin = "[^"]*"|pin = "prompt"|' home/p11ca.conf
    TERM=dumb run expect -c "set timeout 120
        spawn -noecho ${batch[*]:3} many -o out --dry-run --report r.ndjson
        expect {PIN of token 'factory': } { send -- \"$(cat home/pins/factory)\r\" }
        expect eof" </dev/null
    [[ $output == *$'\r\e[K['*'checking: '*' of 12000 rows, '* ]] || fail 'want the line'
    [[ $output == *$'\r\e[Kuser PIN of token '* ]] || fail 'want it gone before the question'
    [[ $output == *'12000 rows: 12000 good, '* ]] || fail 'want the lot checked'
}

@test "killed at every kind of moment: between the steps" {
    local at survived=false
    "$lot" few 6
    for ((at = 1; at <= 900; at += 7)); do
        rm -rf home out
        copy_home home
        if LD_PRELOAD=$killat P11CA_KILL_AT=$at "${batch[@]}" -q few -o out -j 2 >/dev/null 2>&1; then
            survived=true
            break
        fi
        during="killed at $at"
        succeeds "${batch[@]}" few -o out
        all_there 6
    done
    $survived || fail 'want the last one to live'
}

@test "a session, the login or the device is lost once: opened again, and on it goes" {
    local answer
    for answer in C_Sign:50=CKR_SESSION_HANDLE_INVALID C_Sign:50=CKR_DEVICE_REMOVED C_SignInit:50=CKR_USER_NOT_LOGGED_IN \
        C_SignInit:50=CKR_KEY_HANDLE_INVALID C_Sign:50=CKR_DEVICE_ERROR; do
        during=$answer
        rm -rf home out calls
        copy_home home
        use_fault_module
        P11CA_FAULT=$answer succeeds "${batch[@]}" requests -o out
        [[ $stderr == *"token 'factory': key "*"CKR_"*': opening it again'* ]] || fail 'want it said'
        [[ $stderr == *"$rows rows: $rows new, 0 reused, 0 rejected"* ]] || fail 'want all of them new'
        equal "$(calls C_Login)" 2
        all_there "$rows"
        # What was asked for again was reserved once.
        equal "$(sql "SELECT count(*) FROM certificate WHERE status = 0")" 0
    done
}

@test "the device stays away: one attempt, a clear line, and later the rest" {
    local code
    for code in CKR_DEVICE_REMOVED CKR_USER_NOT_LOGGED_IN; do
        rm -rf home out calls
        copy_home home
        use_fault_module
        P11CA_FAULT="C_Sign:50+=$code" run --separate-stderr "${batch[@]}" --json requests -o out
        equal "$status" 6
        [[ $(tail -1 <<<"$stderr") == "p11ca: token 'factory': "*"$code"* ]] || fail 'want it named'
        [[ $(jq -r 'select(.status == "NOT-TRIED") | .code' <<<"$output" | sort -u) == "${code#CKR_}" ]] || fail 'want the reason at the rows'
        equal "$(jq -r 'select(.row) | .row' <<<"$output" | paste -sd,)" "$(seq -s, "$rows")"
        # What it had signed before is not thrown away.
        equal "$(sql "SELECT count(*) FROM certificate WHERE device LIKE 'D-%' AND status = 1")" 49
        equal "$(find out -name '*.crt' | wc -l)" 49
        succeeds "${batch[@]}" requests -o out
        all_there "$rows"
    done
}

@test "more rows than are kept from the check: the others are read again, each once" {
    "$lot" many 9000 M many.pem many.csv
    succeeds "${batch[@]}" many.csv -o all.pem --format bundle
    [[ $stderr == *'9000 rows: 9000 new, 0 reused, 0 rejected; '* ]] || fail 'want all of them new'
    equal "$(sql "SELECT count(*), count(DISTINCT device), count(DISTINCT spki_sha256) FROM certificate WHERE device LIKE 'M-%' AND status = 1")" '9000|9000|9000'
    equal "$(grep -c '^-----BEGIN' all.pem)" 9000
}

@test "the index of keys cannot be brought up at the end: told, and nothing is lost by it; the next process does" {
    # Few enough that the index is not moved on the way.
    "$lot" few 200
    sql "CREATE TRIGGER stop BEFORE INSERT ON by_key BEGIN SELECT RAISE(ABORT, 'stopped'); END"
    succeeds "${batch[@]}" few -o out
    [[ $stderr == *'home/ledger.db: stopped: the index of keys is brought up later'* ]] || fail 'want it told'
    [[ $stderr == *"200 rows: 200 new, 0 reused, 0 rejected; "* ]] || fail 'want all of them new'
    equal "$(sql 'SELECT (SELECT max(id) FROM certificate) - upto FROM by_key_end')" 200
    sql 'DROP TRIGGER stop'
    succeeds "${batch[@]}" few -o out
    [[ $stderr == "200 rows: 0 new, 200 reused, 0 rejected; "* ]] || fail 'want nothing new'
    all_there 200
}

@test "what ended a lot is said of each row that has no certificate, those that nobody had come to among them" {
    "$lot" many 3000 M many.pem many.csv
    use_fault_module
    P11CA_FAULT='C_Sign:50+=CKR_DEVICE_REMOVED' run --separate-stderr "${batch[@]}" --report r.csv many.csv -o all.pem --format bundle
    equal "$status" 6
    equal "$(grep -cE '^[0-9]+,many.csv:[0-9]+,(M-[0-9]+)?,(device)?,NOT-TRIED,,,DEVICE_REMOVED,token .*: CKR_DEVICE_REMOVED,' r.csv)" \
        $((3000 - $(sql "SELECT count(*) FROM certificate WHERE device LIKE 'M-%' AND status = 1")))
}

@test "a token that lies: no certificate of it, and the lot ends" {
    use_fault_module
    P11CA_FAULT='C_Sign:20=garbage' run --separate-stderr "${batch[@]}" --json requests -o out
    equal "$status" 6
    [[ $(tail -1 <<<"$stderr") == "p11ca: token 'factory': key '$(key_label factory)': "*signature* ]] || fail 'want it named'
    equal "$(sql "SELECT count(*) FROM event WHERE kind = 'fail'")" 1
    succeeds "${batch[@]}" requests -o out
    all_there "$rows"
}

@test "a token that lies after a thousand signatures: the table of its key catches it, too" {
    "$lot" many 1300
    use_fault_module
    P11CA_FAULT='C_Sign:1200=garbage' run --separate-stderr "${batch[@]}" many -o out
    equal "$status" 6
    [[ $(tail -1 <<<"$stderr") == "p11ca: token 'factory': key '$(key_label factory)': certificate: signature: "* ]] || fail 'want it named'
    equal "$(sql "SELECT count(*) FROM event WHERE kind = 'fail'")" 1
    succeeds "${batch[@]}" many -o out
    all_there 1300
}

@test "not enough room: told before anything is signed" {
    [[ $(id -u) == 0 ]] || skip 'want root, to mount a small file system'
    mkdir small
    mount -t tmpfs -o size=256k,mode=0755 none small || skip 'no tmpfs can be mounted here'
    run --separate-stderr "${batch[@]}" requests -o small/out
    local had=$status said=$stderr
    umount small
    equal "$had" 8
    [[ $said == "p11ca: small/out: want room for $rows certificates, "*' KiB, have '*' KiB' ]] || fail "want it told: $said"
    equal "$(sql "SELECT count(*) FROM certificate WHERE device LIKE 'D-%'")" 0
}

@test "the random generator is broken: the lot ends, one row says so, the others were not tried" {
    LD_PRELOAD=$BUILD/tests/world.so P11CA_RANDOM=42 run --separate-stderr "${batch[@]}" --json requests -o out
    equal "$status" 70
    equal "$(jq -r 'select(.row) | .code' <<<"$output" | sort -u)" SERIAL_COLLISION
    equal "$(verdicts)" "$((rows - 1)) NOT-TRIED, 1 REJECTED"
    succeeds "${batch[@]}" requests -o out
    all_there "$rows"
}

@test "a kernel that names a file by its descriptor only for the privileged: through /proc" {
    LD_PRELOAD=$BUILD/tests/world.so P11CA_OLD_LINK=1 succeeds "${batch[@]}" requests -o out
    all_there "$rows"
    # The other way leaves what is in the way, too.
    rm out/D-0000002.crt
    echo 'something else' >out/D-0000002.crt
    LD_PRELOAD=$BUILD/tests/world.so P11CA_OLD_LINK=1 run --separate-stderr "${batch[@]}" requests -o out
    equal "$status" 1
    equal "$(<out/D-0000002.crt)" 'something else'
}

@test "the disk is full on the way: a clear line, nothing half written; with room again, the rest" {
    [[ $(id -u) == 0 ]] || skip 'want root, to mount a small file system'
    mkdir small
    mount -t tmpfs -o size=$((8 + rows / 100))m,mode=0755 none small || skip 'no tmpfs can be mounted here'
    mkdir small/out
    # Somebody else fills it while the token is being opened.
    use_fault_module
    P11CA_FAULT='C_Login:1=sleep:1500' "${batch[@]}" --json requests -o small/out >said 2>stderr &
    local pid=$!
    until [[ -e calls ]] || ! kill -0 $pid; do sleep 0.05; done
    head -c 1G /dev/zero >small/ballast || true
    local had=0
    wait $pid || had=$?
    local said
    said=$(cat stderr)
    local bad
    bad=$(find small/out -name '*.crt' -exec sh -c 'openssl x509 -in "$1" -noout 2>/dev/null || echo bad' sh {} \;)
    rm small/ballast
    run --separate-stderr "${batch[@]}" requests -o small/out
    local again=$status
    cp -r small/out whole
    umount small
    [[ $had == 8 && $said == *'No space left on device'* ]] || fail "want it named, have $had: $said"
    equal "$bad" ''
    equal "$again" 0
    mv whole out
    all_there "$rows"
}

@test "the ledger is locked for a while: waited for; for longer: a clear line, and later the rest" {
    sqlite3 -batch home/ledger.db 'PRAGMA busy_timeout = 1000; BEGIN IMMEDIATE;' '.shell sleep 2' 'COMMIT;' 3>&- &
    sleep 0.5
    succeeds "${batch[@]}" requests -o out
    wait
    all_there "$rows"
    rm -rf home out
    copy_home home
    sqlite3 -batch home/ledger.db 'BEGIN IMMEDIATE;' '.shell sleep 14' 'COMMIT;' 3>&- &
    sleep 0.5
    answers 7 'p11ca: home/ledger.db: locked by another process' "${batch[@]}" requests -o out
    wait
    succeeds "${batch[@]}" requests -o out
    all_there "$rows"
}

@test "two lots at once on one home: every device one certificate" {
    local one two
    "${batch[@]}" requests -o out >/dev/null 2>&1 &
    one=$!
    "${batch[@]}" requests -o out >/dev/null 2>&1 &
    two=$!
    # One of them may find that the other has served a device, or has published it.
    wait $one || true
    wait $two || true
    succeeds "${batch[@]}" requests -o out
    all_there "$rows"
}

@test "--reissue: another key for the device, another device for the key; the old certificate is superseded" {
    "$lot" first 3
    "$lot" second 3
    succeeds "${batch[@]}" first -o out
    run --separate-stderr "${batch[@]}" --json second -o out2
    equal "$status" 1
    equal "$(jq -r 'select(.row) | .code' <<<"$output" | sort -u)" DEVICE_ISSUED
    equal "$(sql "SELECT count(*) FROM event WHERE kind = 'alarm' AND detail = 'DEVICE_ISSUED: 3 rows of the lot'")" 1
    succeeds "${batch[@]}" --json second -o out2 --reissue
    equal "$(verdicts)" '3 ISSUED'
    equal "$(sql "SELECT old.status, new.status, count(*) FROM certificate new JOIN certificate old ON old.id = new.supersedes
        WHERE old.device = new.device GROUP BY 1, 2")" '2|1|3'
    # Again: nothing new, and nothing superseded twice.
    succeeds "${batch[@]}" --json second -o out2 --reissue
    equal "$(verdicts)" '3 REUSED'
    # The key of one device for another.
    mkdir third
    cp second/D-0000001.csr third/E-1.csr
    echo "id,csr-file
E-1,third/E-1.csr" >third.csv
    run --separate-stderr "${batch[@]}" --json third.csv -o out3
    equal "$status" 1
    [[ $(jq -r 'select(.row) | .code' <<<"$output") == SUBJECT_MISMATCH ]]
    echo "id,csr-file,subject
E-1,third/E-1.csr,CN=E-1" >third.csv
    run --separate-stderr "${batch[@]}" --json third.csv -o out3
    equal "$(jq -r 'select(.row) | .code' <<<"$output")" DUP_KEY_LEDGER
    succeeds "${batch[@]}" --json third.csv -o out3 --reissue
    equal "$(sql "SELECT count(*) FROM certificate new JOIN certificate old ON old.id = new.supersedes
        WHERE old.device = 'D-0000001' AND new.device = 'E-1' AND old.status = 2")" 1
    sound
}

@test "--reissue: what was reserved before the device got another certificate; two at once" {
    "$lot" first 1
    "$lot" second 1
    use_fault_module
    P11CA_FAULT='C_Sign:1=kill' run "${batch[@]}" first -o out1
    succeeds "${batch[@]}" second -o out2
    succeeds "${batch[@]}" first -o out1 --reissue
    # Not the row that was reserved, which supersedes nothing: that one stays unused.
    equal "$(sql "SELECT group_concat(status || ':' || coalesce(supersedes - (SELECT min(id) FROM certificate WHERE device = 'D-0000001'), '-'), ' ')
        FROM certificate WHERE device = 'D-0000001' ORDER BY id")" '0:- 2:- 1:1'
    sound
    "$lot" third 1 R
    "$lot" fourth 1 R
    P11CA_FAULT='C_Sign:1=sleep:5000' "${batch[@]}" third -o out3 --reissue >said 2>&1 3>&- &
    until grep -q C_SignInit calls 2>/dev/null && [[ $(sql "SELECT count(*) FROM certificate WHERE device = 'R-0000001'") == 1 ]]; do sleep 0.05; done
    succeeds "${batch[@]}" fourth -o out4 --reissue
    refute wait $!
    [[ $(cat said) == *"DEVICE_ISSUED: device 'R-0000001': another process has served it"* ]] || fail 'want the slower one refused'
    equal "$(sql "SELECT count(*) FROM certificate WHERE device = 'R-0000001' AND status = 1")" 1
    sound
}
