#!/usr/bin/env bats
# Lot tickets: whoever has the factory's machine cannot issue one certificate more than was signed for, unless ledger and
# audit show it.

load common
load ceremony

# A home whose factory wants tickets of 'signer': an authority whose key is elsewhere - in a file here, so that whatever
# is to be refused can be signed.
setup_file() {
    prepare_home
    cd "$BATS_FILE_TMPDIR"
    openssl ecparam -name prime256v1 -genkey -noout -out signer.key
    ca_certificate signer /CN=Signer
    sed -i -e 's|^authorities = {|authorities = {\n  signer = { subject = "CN=Signer"; profile = "root-ca"; };|' \
        -e '/^ *factory *= { token = "factory"; key/ s/= {/= { ticket-from = "signer";/' home/p11ca.conf
    p11ca -q -C home install signer signer.crt >/dev/null
    key_of factory >issuer
    ec_request dev /CN=SN-000001
    openssl pkey -in dev.key -pubout -out dev.pub
    mkdir lot
    local n
    for n in 1 2 3 4 5; do
        openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout /dev/null -subj "/CN=SN-00000$n" \
            -out "lot/SN-00000$n.csr" 2>/dev/null
    done
}

setup() {
    use_home
    cp "$BATS_FILE_TMPDIR"/signer.* "$BATS_FILE_TMPDIR"/dev.* "$BATS_FILE_TMPDIR/issuer" .
    cp -r "$BATS_FILE_TMPDIR/lot" .
}

# ca_certificate NAME DN: NAME.crt for NAME.key.
ca_certificate() {
    openssl req -x509 -new -key "$1.key" -subj "$2" -days 3650 -out "$1.crt" -addext 'keyUsage=critical,keyCertSign,cRLSign' \
        -addext 'basicConstraints=critical,CA:TRUE'
}

# SHA-256 of an authority's SubjectPublicKeyInfo.
key_of() {
    sqlite3 -batch home/ledger.db "SELECT lower(hex(spki_sha256)) FROM authority WHERE name = '$1'"
}

# The text of a ticket; further arguments are sed's.
text() {
    printf '%s\n' 'p11ca lot ticket' 'id lot-1' "issuer factory $(cat issuer)" 'profile device' 'sku Sensor S1' 'count 3' \
        'ids SN-000001..SN-000009' 'not-before 2026-01-01T00:00:00Z' 'not-after 2099-12-31T23:59:59Z' | sed "$@"
}

# sign FILE [openssl cms options]
sign() {
    openssl cms -sign -binary -in "$1" -signer signer.crt -inkey signer.key -outform DER -out "$1.p7s" "${@:2}"
}

# ticket [SED-EXPRESSION]: lot.ticket, signed.
ticket() {
    text "${1:-}" >lot.ticket
    sign lot.ticket
}

issue() {
    p11ca -C home issue -a factory -p device --csr "${1:-dev.csr}" -o "${2:-out.crt}" --ticket lot.ticket
}

batch() {
    p11ca -C home batch -a factory -p device "${1:-lot}" -o out --ticket lot.ticket "${@:2}"
}

# What the ledger has counted, and how many certificates name the ticket: "3 of 3, 3 rows".
counted() {
    sql "SELECT used || ' of ' || max || ', ' || (SELECT count(*) FROM certificate WHERE ticket = t.id) || ' rows'
        FROM ticket t ORDER BY id" "${1:-home}"
}

verdicts() {
    jq -r 'select(.input) | "\(.input | .[7:9]) \(.status) \(.code // "-")"' <<<"$output" | tr '\n' ','
}

# refused_ticket CODE PATTERN [MORE...]: by issue and by batch, before the token is touched, with nothing written but the
# event; the pattern is of the text behind "p11ca: ".
refused_ticket() {
    local code=$1 pattern=$2
    during=$code
    refused 4 "p11ca: $pattern" issue
    reject_noted
    refused 4 "p11ca: $pattern" batch
    reject_noted
    run --separate-stderr p11ca --json -C home issue -a factory -p device --csr dev.csr -o out.crt --ticket lot.ticket
    equal "$(jq -r .error.code <<<"$output")" "$code"
    equal "$(calls C_Login)" 0
    equal "$(counted)" ''
    during=
}

@test "the last device is issued, the next one refused" {
    use_fault_module
    ticket
    succeeds issue lot/SN-000001.csr 1.crt
    [[ $output == *$'\nticket       lot-1\n'* ]] || fail 'want the ticket named'
    succeeds issue lot/SN-000002.csr 2.crt
    succeeds issue lot/SN-000003.csr 3.crt
    equal "$(counted)" '3 of 3, 3 rows'
    rm calls
    refused 4 "p11ca: lot/SN-000004.csr: ticket 'lot-1': all 3 certificates of it are issued or reserved" \
        issue lot/SN-000004.csr 4.crt
    equal "$(calls C_Login)" 0
    reject_noted
    # What was issued on it is issued again, the same.
    cp 3.crt before
    rm 3.crt
    succeeds issue lot/SN-000003.csr 3.crt
    cmp 3.crt before
    equal "$(counted)" '3 of 3, 3 rows'
    equal "$(sql "SELECT count(*) FROM event WHERE kind = 'issue' AND detail = 'ticket lot-1'")" 3
    sound
    [[ $output == *"note: lot-1: ticket signed by 'signer': 3 of 3 used by 'factory'"* ]] || fail 'want it told'
}

@test "a lot: as many as there are on the ticket; run again, none is counted twice" {
    ticket
    run --separate-stderr batch lot --json
    equal "$status" 1
    equal "$(verdicts)" '01 ISSUED -,02 ISSUED -,03 ISSUED -,04 REJECTED TICKET_SPENT,05 REJECTED TICKET_SPENT,'
    equal "$(counted)" '3 of 3, 3 rows'
    equal "$(find out -name '*.crt' | wc -l)" 3
    run --separate-stderr batch lot --json
    equal "$status" 1
    equal "$(verdicts)" '01 REUSED -,02 REUSED -,03 REUSED -,04 REJECTED TICKET_SPENT,05 REJECTED TICKET_SPENT,'
    equal "$(counted)" '3 of 3, 3 rows'
    sound
}

@test "two lots on one ticket, and two at the same time" {
    local pids=() n
    ticket 's/^count .*/count 4/'
    mkdir one two
    mv lot/SN-00000[12].csr one
    mv lot/SN-00000[345].csr two
    succeeds batch one
    run --separate-stderr batch two --json
    equal "$(verdicts)" '03 ISSUED -,04 ISSUED -,05 REJECTED TICKET_SPENT,'
    equal "$(counted)" '4 of 4, 4 rows'

    ticket 's/^id .*/id lot-2/; s/^ids .*/ids P?-*/; s/^count .*/count 5/'
    for n in 1 2; do
        (
            mkdir "par$n"
            for m in 1 2 3 4; do
                openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout /dev/null -subj "/CN=P$n-$m" \
                    -out "par$n/P$n-$m.csr" 2>/dev/null
            done
            # SoftHSM may refuse a login while another process is at the token: then the same command again.
            for m in 1 2 3; do
                p11ca -q -C home batch -a factory -p device "par$n" -o "out$n" --ticket lot.ticket >"log$n" || [[ $? == 1 ]] || continue
                break
            done
        ) &
        pids+=($!)
    done
    for n in "${pids[@]}"; do
        wait "$n"
    done
    equal "$(counted)" $'4 of 4, 4 rows\n5 of 5, 5 rows'
    equal "$(cat log1 log2 | grep -c '^ISSUED')" 5
    equal "$(cat log1 log2 | grep -c ': TICKET_SPENT: ')" 3
    sound
}

@test "without a ticket, or with one where none is taken" {
    use_fault_module
    ticket
    refused 4 "p11ca: authority 'factory': profile 'device': want a lot ticket signed by 'signer' (--ticket)" \
        p11ca -C home issue -a factory -p device --csr dev.csr -o out.crt
    reject_noted
    refused 4 "p11ca: authority 'factory': profile 'device': want a lot ticket signed by 'signer' (--ticket)" \
        p11ca -C home batch -a factory -p device lot -o out
    run --separate-stderr p11ca --json -C home batch -a factory -p device lot -o out --dry-run
    equal "$status $(jq -r .error.code <<<"$output")" '4 TICKET_MISSING'
    # A CA certificate is a ceremony's matter, or an order's of its own.
    refused 4 "p11ca: lot.ticket: authority 'root' takes no tickets (ticket-from in p11ca.conf)" \
        p11ca -C home issue -a root -p issuing-ca --csr dev.csr -o out.crt --ticket lot.ticket
    equal "$(calls C_Login)" 0
    succeeds p11ca -C home issue -a root -p issuing-ca --csr dev.csr --subject 'CN=Other CA' -o out.crt
    [[ $output != *ticket* ]] || fail 'want no ticket named'
}

@test "forged: text, signature, signer" {
    use_fault_module
    ticket
    sed -i 's/^count 3/count 4/' lot.ticket
    refused_ticket TICKET_SIGNATURE "lot.ticket.p7s: signature: want one over these very bytes, by the key of a certificate in it, have another"
    equal "$(sql "SELECT count(*) FROM event WHERE kind = 'alarm' AND detail LIKE '%lot.ticket.p7s: signature: %'")" 3

    ticket
    flip lot.ticket.p7s -1
    refused_ticket TICKET_SIGNATURE 'lot.ticket.p7s: signature: want one over these very bytes, *'
    : >lot.ticket.p7s
    refused_ticket TICKET_SIGNATURE 'lot.ticket.p7s: signature: want CMS SignedData in DER or PEM, have something else'
    rm lot.ticket.p7s
    refused_ticket TICKET_SIGNATURE 'lot.ticket.p7s: is missing: a ticket has its signature beside it'
    sign lot.ticket -md sha1
    refused_ticket TICKET_SIGNATURE 'lot.ticket.p7s: signature: want a digest of SHA-256, SHA-384 or SHA-512'
    sign lot.ticket -nodetach
    refused_ticket TICKET_SIGNATURE 'lot.ticket.p7s: signature: want it detached, have content in it'
    openssl crl2pkcs7 -nocrl -certfile signer.crt -outform DER -out lot.ticket.p7s
    refused_ticket TICKET_SIGNATURE 'lot.ticket.p7s: signature: nobody has signed'

    # Somebody else's key, whatever its certificate says, also beside the right one.
    openssl ecparam -name prime256v1 -genkey -noout -out other.key
    ca_certificate other /CN=Signer
    openssl cms -sign -binary -in lot.ticket -signer other.crt -inkey other.key -certfile signer.crt -outform DER -out lot.ticket.p7s
    refused_ticket TICKET_FOREIGN "lot.ticket: signer: want the key of authority 'signer', SHA-256 $(key_of signer), have *"
    openssl cms -sign -binary -in lot.ticket -signer other.crt -inkey other.key -signer signer.crt -inkey signer.key -outform DER \
        -out lot.ticket.p7s
    refused_ticket TICKET_SIGNATURE 'lot.ticket.p7s: signature: want one signer, have more'

    # In PEM it is the same signature.
    ticket
    openssl cms -cmsout -inform DER -in lot.ticket.p7s -outform PEM -out pem
    mv pem lot.ticket.p7s
    succeeds issue
}

@test "for somebody else: another authority, another key, another profile, another time" {
    use_fault_module
    ticket 's/^issuer factory/issuer other/'
    refused_ticket TICKET_FOREIGN "lot.ticket: issuer: want 'factory', have 'other'"
    ticket "s/^issuer .*/issuer factory $(key_of root)/"
    refused_ticket TICKET_FOREIGN "lot.ticket: issuer: want the key of authority 'factory', SHA-256 $(cat issuer), have $(key_of root)"
    ticket 's/^profile .*/profile client/'
    refused_ticket TICKET_PROFILE "ticket 'lot-1': profile: want 'client', have 'device'"
    ticket 's/^not-before .*/not-before 2098-01-01T00:00:00Z/'
    refused_ticket TICKET_NOT_YET "ticket 'lot-1': not-before: want it at 2098-01-01T00:00:00Z or later, have 20*"
    ticket 's/^not-after .*/not-after 2026-01-02T00:00:00Z/'
    refused_ticket TICKET_EXPIRED "ticket 'lot-1': not-after: want it at 2026-01-02T00:00:00Z or earlier, have 20*"

    # The signer is known by the ledger alone.
    sed -i 's/ticket-from = "signer"/ticket-from = "nobody"/; s/^  signer = {/  nobody = { subject = "CN=N"; profile = "root-ca"; };\n&/' home/p11ca.conf
    ticket
    refused_ticket TICKET_FOREIGN "lot.ticket: authority 'nobody': the ledger has no key of it (p11ca install)"
}

@test "a text that is no ticket" {
    use_fault_module
    ticket 's/^count 3/count 03/'
    refused_ticket TICKET_SYNTAX 'lot.ticket: want the one text of this ticket: *'
    ticket 's/^count .*/count many/'
    refused_ticket TICKET_SYNTAX "lot.ticket: line 6: want 'count' and a number"
    ticket '2d'
    refused_ticket TICKET_SYNTAX "lot.ticket: line 2: want 'id' and text"
    ticket 's/^ids .*/ids SN-9..SN-1/'
    refused_ticket TICKET_SYNTAX 'lot.ticket: ids: want FIRST..LAST with as many digits at their ends, or a pattern with \? and \*, have *'
    head -c 5000 /dev/zero >lot.ticket
    refused 4 'p11ca: lot.ticket: want at most 4096 bytes, have 5000' issue
    rm lot.ticket
    refused 8 'p11ca: lot.ticket: No such file or directory' issue
}

@test "devices outside of it: the row is refused, the others are not" {
    ticket 's/^ids .*/ids SN-000002..SN-000003/'
    run --separate-stderr batch lot --json
    equal "$status" 1
    equal "$(verdicts)" '01 REJECTED TICKET_ID,02 ISSUED -,03 ISSUED -,04 REJECTED TICKET_ID,05 REJECTED TICKET_ID,'
    equal "$(jq -r 'select(.row == 1).reason' <<<"$output")" "device 'SN-000001': ticket 'lot-1': want an ID of SN-000002..SN-000003"
    equal "$(counted)" '2 of 3, 2 rows'
    refused 4 "p11ca: dev.csr: device 'SN-000001': ticket 'lot-1': want an ID of SN-000002..SN-000003" issue
    sound

    # Certificates without a device ID fit '*' alone.
    ticket 's/^id .*/id servers/; s/^profile .*/profile server/'
    refused 4 "p11ca: dev.pub: ticket 'servers': want a device ID of SN-000001..SN-000009, have none" \
        p11ca -C home issue -a factory -p server --pubkey dev.pub --dns a.example -o s.crt --ticket lot.ticket
    ticket 's/^id .*/id servers/; s/^profile .*/profile server/; s/^ids .*/ids */'
    succeeds p11ca -C home issue -a factory -p server --pubkey dev.pub --dns a.example -o s.crt --ticket lot.ticket
    equal "$(counted)" $'2 of 3, 2 rows\n1 of 3, 1 rows'
}

@test "a row of another profile refuses the lot" {
    ticket
    rm lot/SN-00000[345].csr
    printf '%s\n' id,csr-file,profile SN-000001,lot/SN-000001.csr, SN-000002,lot/SN-000002.csr,client >lot.csv
    refused 4 "p11ca: lot.csv:3: ticket 'lot-1': profile: want 'device', have 'client'" batch lot.csv
    equal "$(counted)" ''
}

@test "the same ID signed anew counts from nothing: refused" {
    ticket
    succeeds issue
    ticket 's/^count .*/count 1000/'
    refused 4 "p11ca: ticket 'lot-1': another text was counted under this ID: want SHA-256 *, have $(sha256sum <lot.ticket | cut -c1-64)" \
        issue lot/SN-000002.csr 2.crt
    equal "$(sql "SELECT detail LIKE 'TICKET_CHANGED: %' FROM event WHERE kind = 'alarm'")" 1
    refused 4 "p11ca: ticket 'lot-1': another text was counted under this ID: *" batch
    equal "$(sql "SELECT count(*) FROM event WHERE kind = 'alarm' AND detail LIKE '%another text was counted%'")" 2
    equal "$(counted)" '1 of 3, 1 rows'
    # Another signature over the same text is the same ticket.
    ticket
    succeeds issue lot/SN-000002.csr 2.crt
    equal "$(counted)" '2 of 3, 2 rows'
}

@test "killed in the token: the order that is finished is not counted again" {
    local when
    ticket 's/^count .*/count 1/'
    for when in kill kill-after; do
        during=$when
        rm -rf home out.crt calls
        copy_home home
        use_fault_module
        P11CA_FAULT="C_Sign:1=$when" run --separate-stderr issue
        equal "$status" 137
        equal "$(counted)" '1 of 1, 1 rows'
        refused 4 "p11ca: lot/SN-000002.csr: ticket 'lot-1': all 1 certificates of it are issued or reserved" \
            issue lot/SN-000002.csr 2.crt
        succeeds issue
        equal "$stderr" 'an interrupted run of this order was finished'
        equal "$(counted)" '1 of 1, 1 rows'
        sound
    done
}

@test "killed anywhere: as many are counted as there are rows" {
    local n survived=false
    ticket 's/^count .*/count 4/'
    rm lot/SN-000005.csr
    for ((n = 1; n <= 400; n += 7)); do
        during="killed at $n"
        rm -rf work
        mkdir work
        copy_home work/home
        if LD_PRELOAD=$killat P11CA_KILL_AT=$n timeout 60 "$BUILD/bin/p11ca" -q -C work/home batch -a factory -p device \
            lot -o work/out --ticket lot.ticket >/dev/null 2>&1; then
            survived=true
            break
        fi
        [[ $(counted work/home) =~ ^$|^([0-9]+)\ of\ 4,\ ([0-9]+)\ rows$ ]]
        equal "${BASH_REMATCH[1]-}" "${BASH_REMATCH[2]-}"
        succeeds p11ca -q -C work/home batch -a factory -p device lot -o work/out --ticket lot.ticket
        equal "$(counted work/home)" '4 of 4, 4 rows'
        equal "$(find work/out -name '*.crt' | wc -l)" 4
        sound work/home
    done
    $survived
}

@test "audit: what was issued on no ticket, and tickets that nobody signed" {
    ticket
    succeeds issue
    sed -i 's/ticket-from = "signer";//' home/p11ca.conf
    succeeds p11ca -C home issue -a factory -p device --csr lot/SN-000002.csr -o 2.crt
    sed -i '/^ *factory *= { *token = "factory"; key/ s/= {/= { ticket-from = "signer";/' home/p11ca.conf
    sound
    [[ $output == *"note: factory: wants lot tickets, and has issued 1 certificate on none: the last reserved at 20"* ]] || fail 'want it told'
    equal "$(sql "SELECT count(*) FROM event WHERE kind = 'config' AND seq > (SELECT max(seq) FROM event WHERE kind = 'ticket')")" 1

    # Whoever writes into the file itself.
    drop='DROP TRIGGER ticket_identity; DROP TRIGGER ticket_used;'
    cp -r home before
    sql "$drop UPDATE ticket SET max = 1000"
    run --separate-stderr p11ca -C home audit
    equal "$status" 1
    [[ $output == *'fault: lot-1: ticket: ID, issuer or count: not those that were signed'* ]] || fail 'want it found'

    rm -rf home && cp -r before home
    text 's/^count .*/count 1000/' >forged
    sql "$drop UPDATE ticket SET max = 1000, text = readfile('forged')"
    run --separate-stderr p11ca -C home audit
    [[ $output == *"fault: lot-1: ticket: signature: want one over these very bytes, "* ]] || fail 'want it found'
    [[ $output == *"fault: ledger: ticket 'lot-1' of authority 'factory': SHA-256 column does not fit the text"* ]] || fail 'want it found'

    rm -rf home && cp -r before home
    openssl ecparam -name prime256v1 -genkey -noout -out other.key
    ca_certificate other /CN=Signer
    openssl cms -sign -binary -in lot.ticket -signer other.crt -inkey other.key -outform DER -out other.p7s
    sql "$drop UPDATE ticket SET cms = readfile('other.p7s')"
    run --separate-stderr p11ca -C home audit
    [[ $output == *"fault: lot-1: ticket: its signer is no other authority of the ledger"* ]] || fail 'want it found'

    rm -rf home && cp -r before home
    sed -i 's/ticket-from = "signer"/ticket-from = "root"/' home/p11ca.conf
    run --separate-stderr p11ca -C home audit
    [[ $output == *"fault: lot-1: ticket: want it signed by 'root' (ticket-from), have 'signer'"* ]] || fail 'want it found'
}

@test "p11ca.conf: ticket-from" {
    sed -i 's/ticket-from = "signer"/ticket-from = "absent"/' home/p11ca.conf
    refused 3 "p11ca: home/p11ca.conf:*: authorities.factory: ticket-from: no authority 'absent'" p11ca -C home audit
    sed -i 's/ticket-from = "absent"/ticket-from = "factory"/' home/p11ca.conf
    refused 3 'p11ca: home/p11ca.conf:*: authorities.factory: ticket-from: want another authority' p11ca -C home audit
}

# --- the ceremony's side ---

# The factory's tickets are the root's, whose key is in a token here.
by_root() {
    sed -i 's/ticket-from = "signer"/ticket-from = "root"/' home/p11ca.conf
    rm -r home/ceremonies
}

sign_ticket='do = "sign-ticket"; authority = "root"; for = "factory"; id = "lot-7"; profile = "device"; sku = "Sensor S1"; count = 2; ids = "SN-000001..SN-000009"; days = 30; file = "lot.ticket";'

@test "sign-ticket: shown, signed, kept; the factory issues on it, openssl verifies it" {
    by_root
    script "{ $sign_ticket }, { do = \"hash-announce\"; file = \"lot.ticket\"; }, { do = \"hash-announce\"; file = \"lot.ticket.p7s\"; }"
    succeeds p11ca -q -C home ceremony rehearse --yes script.conf
    [[ ! -e home/lot.ticket ]] || fail 'want the home as it was'
    succeeds p11ca -C home ceremony run --yes script.conf
    while read -r line; do
        [[ $stderr == *"  $line"* ]] || fail "want it shown: $line"
    done <home/lot.ticket
    equal "$(sed -E 's/ [0-9a-f]{64}$//; s/20..-..-..T..:..:..Z/TIME/' home/lot.ticket)" "$(printf '%s\n' 'p11ca lot ticket' 'id lot-7' 'issuer factory' \
        'profile device' 'sku Sensor S1' 'count 2' 'ids SN-000001..SN-000009' 'not-before TIME' 'not-after TIME')"
    succeeds openssl cms -verify -binary -inform DER -in home/lot.ticket.p7s -content home/lot.ticket -CAfile home/root.crt -purpose any -out /dev/null
    complete
    equal "$(transcript 'select(.type == "done").files[]?.file' | tr '\n' ' ')" 'tbs.der root.pub lot.ticket lot.ticket.p7s '
    succeeds p11ca ceremony verify "$(folder)"
    [[ $output == *"good: artefacts/01-lot.ticket: lot ticket 'lot-7': 2 of profile 'device' to SN-000001..SN-000009, by authority 'factory': signed by the key of artefacts/01-root.pub"* ]] || fail 'want it verified'
    succeeds p11ca ceremony compare home/rehearsals/* home/ceremonies/*
    [[ $output == *'artefacts/01-lot.ticket: lot ticket: differs only in what may'* ]] || fail 'want them compared'
    succeeds p11ca -C home ceremony print script.conf
    [[ $output == *'Device IDs'*'SN-000001..SN-000009'* ]] || fail 'want it on the paper'

    cp home/lot.ticket* .
    run --separate-stderr batch lot --json
    equal "$(verdicts)" '01 ISSUED -,02 ISSUED -,03 REJECTED TICKET_SPENT,04 REJECTED TICKET_SPENT,05 REJECTED TICKET_SPENT,'
    sound
}

@test "sign-ticket: another ticket in the folder is found" {
    local dir
    by_root
    script "{ $sign_ticket }"
    succeeds run_it
    dir=$(folder)
    cp -r "$dir" copy
    # Signed by another key: every hash made anew, which only the paper could tell.
    openssl cms -sign -binary -in copy/artefacts/01-lot.ticket -signer signer.crt -inkey signer.key -outform DER -out copy/artefacts/01-lot.ticket.p7s
    run --separate-stderr p11ca ceremony verify copy
    equal "$status" 1
    [[ $output == *"bad: artefacts/01-lot.ticket: lot ticket 'lot-7': its signature is by a key that step 1 has no copy of"* ]] || fail 'want it found'
    cp "$dir/artefacts/01-lot.ticket.p7s" copy/artefacts/
    sed -i 's/^count 2/count 9/' copy/artefacts/01-lot.ticket
    run --separate-stderr p11ca ceremony verify copy
    [[ $output == *'bad: artefacts/01-lot.ticket: artefacts/01-lot.ticket.p7s: signature: want one over these very bytes, '* ]] || fail 'want it found'
    [[ $output == *'bad: transcript.jsonl:5: lot ticket: no file of step 1 is the one with SHA-256 '* ]] || fail 'want it found'
    rm copy/artefacts/01-lot.ticket.p7s
    run --separate-stderr p11ca ceremony verify copy
    [[ $output == *'bad: artefacts/01-lot.ticket: want its signature in artefacts/01-lot.ticket.p7s, have none'* ]] || fail 'want it found'
    rm copy/artefacts/01-lot.ticket
    cp "$dir/artefacts/01-lot.ticket.p7s" copy/artefacts/
    run --separate-stderr p11ca ceremony verify copy
    [[ $output == *'bad: artefacts/01-lot.ticket.p7s: a signature over a file that is not in this folder'* ]] || fail 'want it found'
}

# bad_step PATTERN SED-EXPRESSION
bad_step() {
    script "{ $(sed "$2" <<<"$sign_ticket") }"
    refused 3 "p11ca: script.conf:3: sign-ticket: $1" p11ca -C home ceremony check script.conf
}

@test "sign-ticket: what the script may not say" {
    script "{ $sign_ticket }"
    refused 3 "p11ca: script.conf:3: sign-ticket: authority 'factory': its tickets are signed by 'signer', not 'root'" \
        p11ca -C home ceremony check script.conf
    by_root
    use_fault_module
    succeeds p11ca -q -C home ceremony check script.conf
    bad_step "authority 'root': its tickets are signed by '(nobody)', not 'root'" 's/for = "factory"/for = "root"/'
    bad_step "no authority 'none' in home/p11ca.conf" 's/for = "factory"/for = "none"/'
    bad_step "authority 'factory' may not issue profile 'user' (issues in p11ca.conf)" 's/"device"/"user"/'
    bad_step 'id: want 1 to 40 of *' 's/"lot-7"/"lot 7"/'
    bad_step 'id: want at most 40 octets, have 41' "s/\"lot-7\"/\"$(printf '%041d' 0)\"/"
    bad_step 'sku: want at most 64 octets, have 65' "s/\"Sensor S1\"/\"$(printf '%065d' 0)\"/"
    bad_step "sku: want 1 to 64 octets of text, have ''" 's/"Sensor S1"/""/'
    bad_step 'count: want 1 to 1000000000, have 0' 's/count = 2/count = 0/'
    bad_step 'ids: want FIRST..LAST *' 's/SN-000009/SN-9/'
    bad_step 'days: want 1 to 36525, have 0' 's/days = 30/days = 0/'
    bad_step "not-before: want a time like 2026-11-21T00:00:00Z, have 'today'" 's/days/not-before = "today"; days/'
    bad_step 'days: the ticket has ended before it is signed' 's/days/not-before = "2020-01-01T00:00:00Z"; days/'
    bad_step "'../lot.ticket': want a file in the PKI home" 's|"lot.ticket"|"../lot.ticket"|'
    script "{ $sign_ticket }"
    touch home/lot.ticket.p7s
    refused 3 'p11ca: script.conf:3: sign-ticket: home/lot.ticket.p7s: exists, nothing is overwritten' p11ca -C home ceremony check script.conf
    [[ ! -e calls ]] || fail 'want no token touched'
}

@test "sign-ticket: the plan is the same before and after, and names every value" {
    local value
    by_root
    script "{ $sign_ticket }"
    succeeds p11ca -q -C home ceremony check script.conf --plan plan.txt
    [[ $(sed -n 3p plan.txt) =~ ^step\ 1\ sign-ticket\ ticket\ [0-9a-f]{64}$ ]] || fail 'want the ticket in the plan'
    for value in 's/lot-7/lot-8/' 's/S1/S2/' 's/count = 2/count = 3/' 's/000009/000008/' 's/days = 30/days = 31/' \
        's/"device"/"client"/' 's/days/not-before = "2026-11-21T00:00:00Z"; days/'; do
        script "{ $(sed "$value" <<<"$sign_ticket") }"
        rm -f other.txt
        succeeds p11ca -q -C home ceremony check script.conf --plan other.txt
        refute equal "$(sed -n 3p plan.txt)" "$(sed -n 3p other.txt)"
    done
}

@test "sign-ticket: for an authority elsewhere its certificate is enough; not-before is kept" {
    by_root
    sed -i -E 's/^( *factory *= \{.*)token = "factory"; key = "[^"]*"; /\1/' home/p11ca.conf
    script "{ ${sign_ticket/days/not-before = \"2098-01-01T00:00:00Z\"; days} }"
    succeeds run_it
    equal "$(grep ^not- home/lot.ticket)" $'not-before 2098-01-01T00:00:00Z\nnot-after 2098-01-30T23:59:59Z'
    succeeds openssl cms -verify -binary -inform DER -in home/lot.ticket.p7s -content home/lot.ticket -noverify -out /dev/null
}

@test "a ceremony needs no ticket for what it signs" {
    by_root
    sed -i 's/issues = \[ "server", "client", "device" \]/issues = [ "server", "client", "device", "ocsp-signer" ]/' home/p11ca.conf
    cp dev.csr home/ocsp.csr
    script '{ do = "ocsp-signer"; authority = "factory"; request = "ocsp.csr"; subject = "CN=OCSP"; certificate = "ocsp.crt"; }'
    succeeds run_it
    refused 4 "p11ca: authority 'factory': profile 'ocsp-signer': want a lot ticket signed by 'root' (--ticket)" \
        p11ca -C home issue -a factory -p ocsp-signer --csr dev.csr -o o.crt
}

@test "a station: the devices of the ticket and no others; without a ticket it is not served" {
    local n
    for n in 1 2 3 4; do
        jq -nc --arg csr "$(openssl req -in "lot/SN-00000$n.csr" -outform DER | base64 -w0)" '{csr: $csr}'
    done >requests
    refused 4 "p11ca: authority 'factory': profile 'device': want a lot ticket signed by 'signer' (--ticket)" p11ca -C home batch -a factory -p device - <requests
    ticket
    run --separate-stderr p11ca -C home batch -a factory -p device --ticket lot.ticket - <requests
    equal "$status" 1
    equal "$(jq -r '"\(.status) \(.code // "-")"' <<<"$output" | paste -sd,)" 'ISSUED -,ISSUED -,ISSUED -,REJECTED TICKET_SPENT'
    equal "$(counted)" '3 of 3, 3 rows'
    # The same again: nothing is counted twice.
    run --separate-stderr p11ca -C home batch -a factory -p device --ticket lot.ticket - <requests
    equal "$(jq -r .status <<<"$output" | paste -sd,)" 'REUSED,REUSED,REUSED,REJECTED'
    equal "$(counted)" '3 of 3, 3 rows'
    # Expired while it runs would be told by each row; expired before, of all.
    ticket 's/not-after .*/not-after 2026-01-02T00:00:00Z/'
    refused 4 "p11ca: ticket 'lot-1': not-after: want it at 2026-01-02T00:00:00Z or earlier, have *" p11ca -C home batch -a factory -p device --ticket lot.ticket - <requests
    sound
}
