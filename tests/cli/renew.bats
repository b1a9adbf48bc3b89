#!/usr/bin/env bats
# p11ca renew: the next certificate, with names and profile of the old one, which becomes superseded; what is not renewed; kills
# and races leave one that is valid.

load common

setup_file() {
    prepare_home
    cd "$BATS_FILE_TMPDIR"
    ec_request device /CN=leaf-7
    ec_request other /CN=other
    ec_request next "/CN=someone else" -addext 'subjectAltName=DNS:evil.example'
    p11ca -q -C home issue -a factory -p device --id leaf-7 --csr device.csr -o device.crt >/dev/null
    p11ca -q -C home issue -a factory -p server --new-key server.key --dns www.acme.example --dns acme.example \
        --subject 'CN=www.acme.example,O=Acme' -o server.crt >/dev/null
} >/dev/null

setup() {
    use_home
    cp "$BATS_FILE_TMPDIR"/{device.crt,device.csr,device.key,next.csr,next.key,other.csr,server.crt,server.key} .
}

serial_of() {
    openssl x509 -in "$1" -noout -serial | cut -d= -f2
}

status_of() {
    p11ca -q --json -C home show "$1" | jq -r .status
}

# What must be as it was: all but serial, times, key and signature.
plain() {
    openssl x509 -in "$1" -noout -subject -issuer -ext subjectAltName,keyUsage,extendedKeyUsage,basicConstraints
}

@test "a device with a new request: its names stay, the request's are not looked at" {
    succeeds p11ca --json -C home renew device.crt --csr next.csr -o new.crt
    equal "$(jq -r '[.status, .device, .profile, .authority, .outcome] | join(" ")' <<<"$output")" "issued leaf-7 device factory new"
    equal "$(plain new.crt)" "$(plain device.crt)"
    equal "$(openssl x509 -in new.crt -noout -pubkey)" "$(openssl req -in next.csr -noout -pubkey)"
    equal "$(status_of device.crt)" superseded
    equal "$(status_of new.crt)" issued
    equal "$(sql "SELECT detail FROM event WHERE kind = 'issue' AND serial = x'$(serial_of new.crt)'")" "supersedes $(serial_of device.crt)"
    openssl verify -CAfile home/root.crt -untrusted home/factory.crt new.crt
    sound
}

@test "the same key: where the profile allows it, by serial; again and again" {
    succeeds p11ca -q -C home renew "$(serial_of device.crt)" --same-key -o new.crt
    equal "$(openssl x509 -in new.crt -noout -pubkey)" "$(openssl x509 -in device.crt -noout -pubkey)"
    [[ $(serial_of new.crt) != "$(serial_of device.crt)" ]]
    equal "$(plain new.crt)" "$(plain device.crt)"
    succeeds p11ca -q -C home renew new.crt --same-key -o third.crt
    equal "$(sql "SELECT group_concat(status, ' ') FROM (SELECT status FROM certificate WHERE device = 'leaf-7' ORDER BY id)")" '2 2 1'
    sound
}

@test "the same key: a server's is refused, as --same-key and in a request" {
    refused 4 "p11ca: profile 'server': want a new key (renew-same-key is false)" p11ca -C home renew server.crt --same-key -o new.crt
    openssl req -new -key server.key -subj /CN=www.acme.example -out same.csr
    refused 4 "p11ca: same.csr: profile 'server': public key: want a new one (renew-same-key is false), have the one of before" \
        p11ca -C home renew server.crt --csr same.csr -o new.crt
    sed -i 's|^authorities = {|profiles = { long = { base = "server"; about = "x"; renew-same-key = true; }; };\nauthorities = {|; s|"server", "client"|"server", "long", "client"|' home/p11ca.conf
    p11ca -q -C home issue -a factory -p long --csr same.csr --dns long.example -o long.crt
    succeeds p11ca -q -C home renew long.crt --same-key -o new.crt
    equal "$(status_of long.crt)" superseded
}

@test "a server with a new key: names, and the key in its file" {
    succeeds p11ca -q -C home renew server.crt --new-key new.key --days 30 -o new.crt
    equal "$(plain new.crt)" "$(plain server.crt)"
    equal "$(openssl x509 -in new.crt -noout -pubkey)" "$(openssl pkey -in new.key -pubout)"
    equal "$(stat -c %a new.key)" 600
    equal "$(status_of server.crt)" superseded
    sound
}

@test "the same order again is the same certificate; another one is told the successor" {
    p11ca -q -C home renew device.crt --csr next.csr -o new.crt
    before=$(rows_now)
    succeeds p11ca --json -C home renew device.crt --csr next.csr -o new.crt
    equal "$(jq -r .outcome <<<"$output")" reused
    rm new.crt
    succeeds p11ca -q -C home renew device.crt --csr next.csr -o new.crt
    same "$before" "$(rows_now)"
    refused 4 "p11ca: device.csr: serial $(serial_of device.crt): superseded by serial $(serial_of new.crt): renew that one" \
        p11ca -C home renew device.crt --csr device.csr -o other.crt
    # A server has no device ID: elsewhere it is the same order all the same.
    p11ca -q -C home renew server.crt --csr other.csr -o s1.crt
    succeeds p11ca --json -C home renew server.crt --csr other.csr -o s2.crt
    equal "$(jq -r .outcome <<<"$output")" reused
    cmp s1.crt s2.crt
}

@test "what is not renewed: revoked, expired, reserved, unknown, a CA's; before the token is touched" {
    use_fault_module
    serial=$(serial_of server.crt)
    refused 2 'p11ca: want exactly one of --csr, --same-key and --new-key' p11ca -C home renew server.crt -o new.crt
    refused 2 'p11ca: want exactly one of --csr, --same-key and --new-key' \
        p11ca -C home renew server.crt --same-key --csr next.csr -o new.crt
    refused 1 'p11ca: 7100000000000001: not in the ledger' p11ca -C home renew 7100000000000001 --csr next.csr -o new.crt
    refused 4 "p11ca: profile 'issuing-ca': a CA's certificate is renewed by a ceremony" \
        p11ca -C home renew home/factory.crt --csr next.csr -o new.crt
    refused 8 'p11ca: server.crt: exists, nothing is overwritten' p11ca -C home renew server.crt --csr next.csr -o server.crt
    p11ca -q -C home revoke --reason keyCompromise server.crt >/dev/null
    refused 4 "p11ca: next.csr: serial $serial: revoked at ????-??-??T??:??:??Z: want a new order (p11ca issue)" \
        p11ca -C home renew server.crt --csr next.csr -o new.crt
    sql "DROP TRIGGER certificate_content; DROP TRIGGER certificate_identity; DROP TRIGGER certificate_status;
         UPDATE certificate SET not_after = strftime('%s') WHERE serial = x'$(serial_of device.crt)'"
    refused 4 "p11ca: next.csr: serial $(serial_of device.crt): expired at ????-??-??T??:??:??Z: want a new order (p11ca issue)" \
        p11ca -C home renew device.crt --csr next.csr -o new.crt
    sql "INSERT INTO certificate (authority, serial, status, profile, subject, sig_alg, spki_sha256, request_sha256, tbs_sha256,
            not_before, not_after, reserved_at)
         SELECT authority, x'7100000000000001', 0, profile, subject, sig_alg, zeroblob(32), zeroblob(32), zeroblob(32),
            not_before, not_after, reserved_at FROM certificate WHERE serial = x'$serial'"
    refused 4 "p11ca: serial 7100000000000001: reserved, and never issued" \
        p11ca -C home renew 7100000000000001 --csr next.csr -o new.crt
    equal "$(calls C_Login)" 0
}

@test "a key of another device, or of a CA" {
    p11ca -q -C home issue -a factory -p device --id leaf-8 --subject CN=leaf-8 --csr next.csr -o leaf-8.crt
    refused 4 "p11ca: next.csr: public key: device 'leaf-8' has it already" p11ca -C home renew device.crt --csr next.csr -o new.crt
    p11ca -q -C home request factory -o ca.csr
    refused 4 "p11ca: ca.csr: public key: it is the key of authority 'factory'" p11ca -C home renew server.crt --csr ca.csr -o new.crt
}

@test "names that the profile would make otherwise now" {
    sed -i 's|^authorities = {|profiles = { card = { base = "client"; about = "x"; subject = ( { attribute = "CN"; from = "manifest"; value = "{who}"; } ); }; };\nauthorities = {|; s|"server", "client"|"server", "card", "client"|' home/p11ca.conf
    ec_request card /O=card
    ec_request new /O=card
    run --separate-stderr p11ca -q -C home issue -a factory -p card --csr card.csr --dns a.example --field who=ann -o card.crt
    [[ $status == 0 ]] || fail 'want the card'
    refused 4 "p11ca: new.csr: subject: want 'CN=ann', as before, have 'CN=bob'" \
        p11ca -C home renew card.crt --csr new.csr --field who=bob -o new.crt
    succeeds p11ca -q -C home renew card.crt --csr new.csr --field who=ann -o new.crt
}

@test "killed at any step: never two that are valid, and the same order finishes" {
    cp -a home begun
    LD_PRELOAD=$killat P11CA_KILL_LOG=$PWD/kills p11ca -q -C home renew device.crt --new-key new.key -o new.crt
    while read -r step; do
        during="killed at $step"
        rm -rf home new.key new.crt
        cp -a begun home
        run env LD_PRELOAD="$killat" P11CA_KILL_AT="$step" "$BUILD/bin/p11ca" -q -C home renew device.crt --new-key new.key -o new.crt
        equal "$status" 137
        equal "$(sql "SELECT count(*) FROM certificate WHERE device = 'leaf-7' AND status = 1")" 1
        [[ ! -e new.crt || $(status_of device.crt) == superseded ]] || fail 'want the old one superseded before the new one is out'
        succeeds p11ca -q -C home renew device.crt --new-key new.key -o new.crt
        equal "$(sql "SELECT group_concat(status, ' ') FROM (SELECT status FROM certificate WHERE device = 'leaf-7' AND status > 0 ORDER BY id)")" '2 1'
        equal "$(openssl x509 -in new.crt -noout -pubkey)" "$(openssl pkey -in new.key -pubout)"
    done < <(awk '!/db-shm/ { print $1 }' kills)
    sound
}

@test "two at once: one of them is told" {
    p11ca -q -C home renew device.crt --csr next.csr -o a.crt >/dev/null &
    one=$!
    p11ca -q -C home renew device.crt --same-key -o b.crt >/dev/null 2>why &
    two=$!
    codes=0
    wait $one || codes=$((codes + 1))
    wait $two || codes=$((codes + 1))
    equal "$codes" 1
    equal "$(sql "SELECT count(*) FROM certificate WHERE device = 'leaf-7' AND status = 1")" 1
    [[ -e a.crt && ! -e b.crt || -e b.crt && ! -e a.crt ]] || fail 'want one file'
    succeeds p11ca -C home audit
}

@test "revoked or renewed by another process while this one signs: no second one, and none for what is revoked" {
    use_fault_module
    for how in renew revoke; do
        during=$how
        cp -a home while-$how
        rm -f calls new.crt
        P11CA_FAULT='C_Sign:*=sleep:4000' answers 4 "p11ca: serial $(serial_of server.crt): *" \
            race "$how"
        refute ls new.crt
        sound while-$how
        equal "$(sql "SELECT count(*) FROM certificate WHERE profile = 'server' AND status = 1" while-$how)" \
            "$([[ $how == renew ]] && echo 1 || echo 0)"
    done
}

# A renewal that takes its time in the token, and what the other process does as soon as its serial is reserved.
race() {
    local slow rc=0
    p11ca -q -C "while-$1" renew server.crt --csr next.csr -o new.crt >/dev/null &
    slow=$!
    until [[ $(sql "SELECT count(*) FROM certificate WHERE profile = 'server' AND status = 0" "while-$1") == 1 ]]; do
        kill -0 $slow || return 99
        sleep 0.02
    done
    unset P11CA_FAULT
    case $1 in
    renew) p11ca -q -C while-renew renew server.crt --csr other.csr -o other.crt >/dev/null || return 98 ;;
    revoke) p11ca -q -C while-revoke revoke --reason keyCompromise server.crt >/dev/null || return 97 ;;
    esac
    wait $slow || rc=$?
    return $rc
}
