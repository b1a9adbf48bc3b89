#!/usr/bin/env bats
# OCSP responses made beforehand: what is in them, what OpenSSL, GnuTLS, nginx and a web server do with them, what has
# none, what is refused, what a kill leaves.

load common
load servers

# Binds the responder factory-ocsp, and makes its key.
add_responder() {
    sed -i -e 's|^authorities = {|authorities = {\
  factory-ocsp = { token = "factory"; key = "factory-ocsp-1"; subject = "CN=Acme Factory OCSP 1,O=Acme";\
                   profile = "ocsp-signer"; issuer = "factory"; };|' \
        -e 's|issues = \[ "server"|issues = [ "ocsp-signer", "server"|' home/p11ca.conf
    printf '%s\n' 'title = "OCSP responder"; purpose = "Its key"; policy = "CP 6.1.1"; place = "CI";' \
        'roles = { ADM = "Administrator"; };' \
        'steps = ( { do = "generate-key"; authority = "factory-ocsp"; algorithm = "P-256"; } );' >key.conf
    p11ca -q -C home ceremony run --yes key.conf
    p11ca -q -C home request factory-ocsp -o ocsp.csr
    p11ca -q -C home issue -a factory -p ocsp-signer --csr ocsp.csr -o ocsp.crt >/dev/null
}

setup_file() {
    prepare_home
    cd "$BATS_FILE_TMPDIR"
    add_responder
    p11ca -q -C home issue -a factory -p server --new-key server.key --dns localhost -o server.crt >/dev/null
    ec_request device /CN=leaf-7
    p11ca -q -C home issue -a factory -p device --id leaf-7 --csr device.csr -o device.crt >/dev/null
    cat server.crt home/factory.crt >server-chain.crt
} >/dev/null

setup() {
    use_home
    cp "$BATS_FILE_TMPDIR"/{server.crt,server.key,server-chain.crt,device.crt,ocsp.crt} .
}

teardown() {
    stop_servers
}

serial_of() {
    openssl x509 -in "$1" -noout -serial | cut -d= -f2
}

# revoke FILE [REASON]
revoke() {
    p11ca -q -C home revoke --reason "${2:-keyCompromise}" "$1" >/dev/null
}

# ask HASH CERT: what OpenSSL, as a client, makes of the response for it.
ask() {
    openssl ocsp -respin "out/$(serial_of "$2").$1.ors" -issuer home/factory.crt "-$1" -cert "$2" -CAfile home/root.crt \
        -verify_other home/factory.crt -no_nonce 2>&1
}

# Every file of the folder, by its content.
files_of() {
    (cd "$1" && find . -type f -exec sha256sum {} + | sort -k2)
}

@test "good and revoked, by both hashes: OpenSSL verifies them and finds the reason; lint finds nothing" {
    succeeds p11ca -C home ocsp factory -o out
    [[ $output == $'3 certificates: 3 good, 0 revoked\n6 responses made by \'factory-ocsp\', good until '????-??-??T??:??:??Z'; 0 left as they were' ]] ||
        fail 'want what was made'
    equal "$stderr" ''
    equal "$(stat -c %a out/"$(serial_of device.crt)".sha1.ors)" 644
    for hash in sha1 sha256; do
        during=$hash
        succeeds ask $hash device.crt
        [[ $output == *'Response verify OK'*'device.crt: good'* ]] || fail 'want good'
    done
    revoke device.crt
    succeeds p11ca --json -C home ocsp factory -o out
    equal "$(jq -c '[.certificates, .good, .revoked, .made, .fresh, .signer]' <<<"$output")" '[3,2,1,2,4,"factory-ocsp"]'
    for hash in sha1 sha256; do
        during=$hash
        succeeds ask $hash device.crt
        [[ $output == *'Response verify OK'*'device.crt: revoked'*'Reason: keyCompromise'* ]] || fail 'want revoked'
        succeeds ask $hash server.crt
        [[ $output == *'server.crt: good'* ]] || fail 'want good'
    done
    # Unspecified is said by saying nothing.
    revoke server.crt unspecified
    succeeds p11ca -q -C home ocsp factory -o out
    succeeds ask sha256 server.crt
    [[ $output == *'server.crt: revoked'* && $output != *Reason* ]] || fail 'want no reason'
    for file in out/*.ors; do
        succeeds p11ca lint --issuer home/factory.crt "$file"
        equal "$output" $'OCSP response 1: CN=Acme Factory OCSP 1,O=Acme\n1 object, 0 errors, 0 warnings, 0 notices'
    done
    equal "$(sql "SELECT detail FROM event WHERE kind = 'ocsp' AND authority = 'factory'" | sed -E 's/until [^,]*,/until T,/')" \
        "6 responses, 0 revoked, until T, by 'factory-ocsp'
2 responses, 2 revoked, until T, by 'factory-ocsp'
2 responses, 2 revoked, until T, by 'factory-ocsp'"
    sound
}

@test "the event's digest is that of the responses" {
    p11ca -q -C home ocsp factory -o out "$(serial_of device.crt)"
    equal "$(sql "SELECT hex(digest) FROM event WHERE kind = 'ocsp'")" \
        "$(cat out/*.sha1.ors out/*.sha256.ors | sha256sum | cut -d' ' -f1 | tr a-f A-F)"
}

@test "GnuTLS reads and verifies it" {
    p11ca -q -C home ocsp factory -o out
    revoke device.crt
    p11ca -q -C home ocsp factory -o out
    cat home/factory.crt home/root.crt >cas.pem
    succeeds ocsptool --verify-response --load-trust cas.pem --load-response "out/$(serial_of server.crt).sha1.ors"
    [[ $output == *'Verifying OCSP Response: Success'* ]] || fail 'want it to verify'
    succeeds ocsptool --response-info --load-response "out/$(serial_of device.crt).sha256.ors"
    [[ $output == *'Certificate Status: revoked'*'Revocation time:'* ]] || fail 'want revoked'
    [[ $output == *'Hash Algorithm: SHA256'* ]] || fail 'want SHA-256'
}

@test "which have none: unknown, reserved, expired, another authority's; no file is a file" {
    sql "INSERT INTO certificate (authority, serial, status, profile, subject, sig_alg, spki_sha256, request_sha256, tbs_sha256,
            not_before, not_after, reserved_at)
         SELECT authority, x'7100000000000001', 0, profile, subject, sig_alg, zeroblob(32), zeroblob(32), zeroblob(32),
            not_before, not_after, reserved_at FROM certificate WHERE serial = x'$(serial_of device.crt)'"
    refused 4 "p11ca: 7100000000000001: no response: it is reserved, and was never issued" \
        p11ca -C home ocsp factory -o out 7100000000000001
    refused 1 "p11ca: 7100000000000002: authority 'factory' has issued no such certificate: no response" \
        p11ca -C home ocsp factory -o out "$(serial_of device.crt)" 7100000000000002
    refused 1 "p11ca: home/factory.crt: authority 'factory' has issued no such certificate: no response" \
        p11ca -C home ocsp factory -o out home/factory.crt
    refused 2 "p11ca: 'nothing.crt': want a serial in hex, or a certificate file" p11ca -C home ocsp factory -o out nothing.crt
    # Its own issuer's name and serial, and another key: the ledger knows certificates, not names.
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout /dev/null -out forged.crt \
        -set_serial "0x$(serial_of device.crt)" -subj /CN=leaf-7 2>/dev/null
    refused 1 "p11ca: forged.crt: authority 'factory' has issued no such certificate: no response" \
        p11ca -C home ocsp factory -o out forged.crt

    sql "DROP TRIGGER certificate_content;
         UPDATE certificate SET not_after = strftime('%s') WHERE serial = x'$(serial_of server.crt)'"
    refused 4 "p11ca: server.crt: no response: it has expired" p11ca -C home ocsp factory -o out server.crt
    succeeds p11ca -q -C home ocsp factory -o out device.crt device.crt "$(serial_of device.crt)"
    equal "$(ls out)" "$(serial_of device.crt).sha1.ors"$'\n'"$(serial_of device.crt).sha256.ors"
    succeeds p11ca -q -C home ocsp factory -o all
    refute ls all/7100000000000001.* all/"$(serial_of server.crt)".*
}

@test "fresh ones are left; changed, half over, by another certificate or forced ones are made anew" {
    p11ca -q -C home ocsp factory -o out
    before=$(files_of out)
    use_fault_module
    succeeds p11ca --json -C home ocsp factory -o out
    equal "$(jq -c '[.made, .fresh]' <<<"$output")" '[0,6]'
    equal "$(files_of out)" "$before"
    equal "$(calls C_Login)" 0
    # A week is less than half of what is asked for.
    succeeds p11ca --json -C home ocsp factory -o out --days 15
    equal "$(jq -c '[.made, .fresh]' <<<"$output")" '[6,0]'
    succeeds p11ca --json -C home ocsp factory -o out --hours 12
    equal "$(jq -c '[.made, .fresh]' <<<"$output")" '[0,6]'
    succeeds p11ca --json -C home ocsp factory -o out --force
    equal "$(jq -c '[.made, .fresh]' <<<"$output")" '[6,0]'
    # The responder's next certificate, for the same key.
    p11ca -q -C home request factory-ocsp -o again.csr
    p11ca -q -C home issue -a factory -p ocsp-signer --csr again.csr --days 60 -o again.crt
    succeeds p11ca --json -C home ocsp factory -o out
    equal "$(jq -c '[.made, .fresh]' <<<"$output")" '[8,0]'
    succeeds ask sha1 device.crt
    [[ $output == *'device.crt: good'* ]] || fail 'want good'
}

@test "stale ones are stale to OpenSSL and to GnuTLS; the next run makes them anew" {
    # faketime preloads a library; a sanitizer's runtime wants to be first.
    [[ ${SAN:-} == '' ]] || skip "faketime and sanitizers do not mix"
    p11ca -q -C home ocsp factory -o out --hours 2
    file=out/$(serial_of device.crt).sha1.ors
    client=(openssl ocsp -respin "$file" -issuer home/factory.crt -cert device.crt -CAfile home/root.crt -verify_other
        home/factory.crt -no_nonce)
    run faketime -f +1h "${client[@]}"
    [[ $output == *'device.crt: good'* && $output != *WARNING* ]] || fail 'want it good for two hours'
    run faketime -f +3h "${client[@]}"
    [[ $output == *'Status times invalid'*'status expired'* ]] || fail 'want it stale'
    succeeds timeout 60 faketime -f +3h "$BUILD/bin/p11ca" --json -C home ocsp factory -o out --hours 2
    equal "$(jq -c '[.made, .fresh]' <<<"$output")" '[6,0]'
    run faketime -f +4h "${client[@]}"
    [[ $output == *'device.crt: good'* && $output != *WARNING* ]] || fail 'want it good again'
    # Back at the true time, the ledger knows of a later one.
    refused 7 "p11ca: *clock*" p11ca -C home ocsp factory -o out
}

@test "nothing is overwritten that is not an older response for the certificate" {
    mkdir out
    name=$(serial_of device.crt).sha1.ors
    echo hello >"out/$name"
    refused 8 "p11ca: authority 'factory': out/$name: exists, and is no OCSP response for this certificate (--force replaces it)" \
        p11ca -C home ocsp factory -o out
    rm "out/$name"
    p11ca -q -C home ocsp factory -o out
    # Another certificate's, and another hash's.
    cp "out/$(serial_of server.crt).sha1.ors" "out/$name"
    refused 8 "*exists, and is no OCSP response for this certificate*" p11ca -C home ocsp factory -o out
    cp "out/$(serial_of device.crt).sha256.ors" "out/$name"
    refused 8 "*exists, and is no OCSP response for this certificate*" p11ca -C home ocsp factory -o out
    ln -sf "$PWD/server.crt" "out/$name"
    refused 8 "*exists, and is no OCSP response for this certificate*" p11ca -C home ocsp factory -o out
    succeeds p11ca -q -C home ocsp factory -o out --force
    [[ ! -L out/$name ]]
    succeeds ask sha1 device.crt
    cmp server.crt "$BATS_FILE_TMPDIR/server.crt"
}

@test "refusals before the token is touched" {
    use_fault_module
    refused 2 "p11ca: no authority 'nobody' in home/p11ca.conf" p11ca -C home ocsp nobody -o out
    refused 2 "p11ca: authority 'factory-ocsp': is an OCSP responder: want the CA it answers for" p11ca -C home ocsp factory-ocsp -o out
    refused 2 "p11ca: authority 'factory': is no OCSP responder of 'root' in p11ca.conf" p11ca -C home ocsp root -o out --signer factory
    refused 3 "p11ca: authority 'root': want an OCSP responder in p11ca.conf (profile = \"ocsp-signer\"; issuer = \"root\"), or --by-ca" \
        p11ca -C home ocsp root -o out
    refused 2 "p11ca: want --signer or --by-ca, not both" p11ca -C home ocsp factory -o out --signer factory-ocsp --by-ca
    refused 2 "p11ca: ocsp: want --days or --hours, not both" p11ca -C home ocsp factory -o out --days 1 --hours 2
    refused 2 "p11ca: ocsp: want at least an hour" p11ca -C home ocsp factory -o out --hours 0
    refused 4 "p11ca: authority 'factory': OCSP signer's certificate: RFC 5280 4.2.1.3: keyUsage: want digitalSignature in a CA that signs its own responses, have it not" \
        p11ca -C home ocsp factory -o out --by-ca
    run --separate-stderr p11ca -C home ocsp factory -o out --days 31
    equal "$status" 4
    [[ $stderr == "p11ca: authority 'factory': serial "*": OCSP response: RFC 6960 4.2.2.1: nextUpdate: want a time up to the signer's notAfter, "* ]] ||
        fail 'want the signer to live longer'
    refute ls out/*
    rmdir out
    echo >file
    refused 8 "p11ca: file: *" p11ca -C home ocsp factory -o file
    # A revocation of tomorrow: the clock was set back, and good is no answer.
    sql "UPDATE certificate SET status = 3, revoked_at = strftime('%s') + 86400 WHERE serial = x'$(serial_of device.crt)'"
    run --separate-stderr p11ca -C home ocsp factory -o out
    equal "$status" 4
    [[ $stderr == *"RFC 6960 2.2: revocationTime: want a time up to thisUpdate, "* ]] || fail 'want it refused'
    refute ls out/*
    equal "$(calls C_Login)" 0
}

@test "the responder's certificate: none, revoked; the responder in p11ca.conf" {
    # Its key is for that certificate only.
    p11ca -q -C home request factory-ocsp -o o.csr
    refused 4 "p11ca: o.csr: public key: it is the key of authority 'factory-ocsp'" \
        p11ca -C home issue -a factory -p device --id x --subject CN=x --csr o.csr -o o.crt
    revoke ocsp.crt
    want="p11ca: authority 'factory-ocsp': want a valid certificate of profile 'ocsp-signer' by 'factory' for its key, have none (p11ca request factory-ocsp, p11ca issue -a factory -p ocsp-signer)"
    refused 3 "$want" p11ca -C home ocsp factory -o out

    cp home/p11ca.conf conf
    sed -i 's|profile = "ocsp-signer"; issuer = "factory"; }|profile = "ocsp-signer"; }|' home/p11ca.conf
    refused 3 "p11ca: home/p11ca.conf:*: authorities.factory-ocsp: issuer: profile 'ocsp-signer' is for an OCSP responder: want the authority it answers for" \
        p11ca -C home ocsp factory -o out
    sed 's|profile = "ocsp-signer"; issuer = "factory"; }|profile = "ocsp-signer"; issuer = "factory"; issues = [ "server" ]; }|' conf >home/p11ca.conf
    refused 3 "p11ca: home/p11ca.conf:*: authorities.factory-ocsp: want token, key, subject, profile and issuer only: an OCSP responder issues nothing" \
        p11ca -C home ocsp factory -o out
    sed 's|profile = "issuing-ca"; issuer = "root"|profile = "issuing-ca"; issuer = "factory-ocsp"|' conf >home/p11ca.conf
    refused 3 "p11ca: home/p11ca.conf:*: authorities.factory: issuer: 'factory-ocsp' is an OCSP responder" p11ca -C home ocsp factory -o out
    cp conf home/p11ca.conf
    refused 4 "p11ca: authority 'factory-ocsp': may not issue profile 'server' (issues in p11ca.conf)" \
        p11ca -C home issue -a factory-ocsp -p server --csr "$BATS_FILE_TMPDIR/device.csr" -o o.crt
}

@test "a wrong signer: a client refuses it, and so does lint" {
    p11ca -q -C home ocsp factory -o out
    name=$(serial_of device.crt)
    # A server's certificate of the same CA signs "good".
    printf 'V\t351231235959Z\t\t%s\tunknown\t/CN=leaf-7\n' "$name" >index.txt
    openssl ocsp -index index.txt -rsigner server.crt -rkey server.key -CA home/factory.crt -issuer home/factory.crt \
        -cert device.crt -no_nonce -respout "out/$name.sha1.ors" -ndays 3 >/dev/null 2>&1
    run ask sha1 device.crt
    [[ $output == *'Response Verify Failure'* ]] || fail 'want it refused'
    run --separate-stderr p11ca lint --issuer home/factory.crt "out/$name.sha1.ors"
    equal "$status" 1
    has_finding="OCSP_SIGNER: OCSP signer's certificate: RFC 6960 4.2.2.2: extKeyUsage: want OCSPSigning, have it not"
    [[ $output == *"$has_finding"* ]] || fail "want $has_finding"
    # It is none of ours, so it stays.
    refused 8 "*exists, and is no OCSP response for this certificate*" p11ca -C home ocsp factory -o out
    # An octet of ours, changed: the signature.
    file=out/$(serial_of server.crt).sha1.ors
    flip "$file" -500
    run --separate-stderr p11ca lint --issuer home/factory.crt "$file"
    equal "$status" 1
}

nginx_stapling() {
    local dir=$BATS_TEST_TMPDIR/nginx
    mkdir -p "$dir"
    nginx_head "$dir" >"$dir/nginx.conf"
    cat >>"$dir/nginx.conf" <<END
    server {
        listen 127.0.0.1:$1 ssl;
        ssl_certificate $PWD/server-chain.crt;
        ssl_certificate_key $PWD/server.key;
        ssl_stapling on;
        ssl_stapling_file $PWD/out/$(serial_of server.crt).sha1.ors;
        location / {
            root $PWD/out/get;
            index index.ors;
            default_type application/ocsp-response;
        }
    }
}
END
    PATH=$PATH:/usr/sbin exec nginx -p "$dir" -c "$dir/nginx.conf" -e "$dir/error.log"
}

staple() {
    openssl s_client -connect "127.0.0.1:$port" -servername localhost -CAfile home/root.crt -verify_return_error -status \
        </dev/null 2>&1
}

@test "nginx staples them, and serves GET from the folder as it is" {
    p11ca -q -C home ocsp factory -o out --get
    start_server nginx_stapling
    succeeds staple
    [[ $output == *'OCSP Response Status: successful'*'Cert Status: good'*'Verify return code: 0'* ]] || fail 'want it stapled'
    # curl refuses what is not stapled as good.
    succeeds curl --silent --show-error --max-time 20 --noproxy '*' --cacert home/root.crt --cert-status --output page \
        --write-out '%{http_code}' "https://localhost:$port/get"

    # As clients ask: RFC 6960 A.1, the request's base64 with its special octets escaped.
    for cert in server.crt device.crt ocsp.crt; do
        for hash in sha1 sha256; do
            during="$cert $hash"
            openssl ocsp -issuer home/factory.crt -$hash -cert $cert -no_nonce -reqout request
            url=$(base64 -w0 request | sed 's|/|%2F|g; s|+|%2B|g; s|=|%3D|g')
            succeeds curl --silent --show-error --fail --max-time 20 --noproxy '*' --cacert home/root.crt --output got \
                --write-out '%{content_type}' "https://localhost:$port/$url"
            equal "$output" application/ocsp-response
            cmp got "out/$(serial_of $cert).$hash.ors"
        done
    done
    # A request whose base64 ends in a slash: a serial that ends in six ones.
    sql "CREATE TEMP TABLE t AS SELECT * FROM certificate WHERE serial = x'$(serial_of device.crt)';
         UPDATE t SET id = (SELECT max(id) + 1 FROM certificate), serial = x'$(printf '11%.0s' {1..19})3F', device = 'slash';
         INSERT INTO certificate SELECT * FROM t"
    p11ca -q -C home ocsp factory -o out --get
    openssl ocsp -issuer home/factory.crt -serial "0x$(printf '11%.0s' {1..19})3F" -no_nonce -reqout request
    [[ $(base64 -w0 request) == */ ]] || fail 'want a slash at the end'
    succeeds curl --silent --show-error --fail --max-time 20 --noproxy '*' --cacert home/root.crt --output got \
        "https://localhost:$port/$(base64 -w0 request | sed 's|/|%2F|g; s|+|%2B|g')"
    cmp got "out/$(printf '11%.0s' {1..19})3F.sha1.ors"

    before=$(files_of out)
    succeeds p11ca --json -C home ocsp factory -o out --get
    equal "$(jq -c '[.made, .fresh]' <<<"$output")" '[0,8]'
    equal "$(files_of out)" "$before"

    stop_servers
    revoke server.crt
    p11ca -q -C home ocsp factory -o out --get
    start_server nginx_stapling
    run staple
    [[ $output == *'Cert Status: revoked'* ]] || fail 'want it stapled'
    run -91 curl --silent --max-time 20 --noproxy '*' --cacert home/root.crt --cert-status "https://localhost:$port/"
}

@test "two at once on one folder: the second one is told" {
    mkdir out
    exec 9<out
    flock 9
    refused 8 'p11ca: out/.: another process has locked its directory' p11ca -C home ocsp factory -o out
    exec 9<&-
    succeeds p11ca -q -C home ocsp factory -o out
}

@test "killed at any step: whole files, each with its event, and the next run makes the rest" {
    cp -a home begun
    LD_PRELOAD=$killat P11CA_KILL_LOG=$PWD/kills p11ca -q -C home ocsp factory -o out --get device.crt
    n=$(wc -l <kills)
    [[ $n -gt 10 ]] || fail "want more than $n steps"
    want=$(cd out && find . | sort)
    # Before the first change to the ledger itself there is nothing to see.
    while read -r step; do
        during="killed at $step of $n"
        rm -rf home out
        cp -a begun home
        run env LD_PRELOAD="$killat" P11CA_KILL_AT="$step" "$BUILD/bin/p11ca" -q -C home ocsp factory -o out --get device.crt
        equal "$status" 137
        for file in out/*.ors; do
            [[ -e $file ]] || continue
            openssl ocsp -respin "$file" -noverify -resp_text >/dev/null 2>&1 || fail "$file is not whole"
            equal "$(sql "SELECT count(*) FROM event WHERE kind = 'ocsp'")" 1
        done
        succeeds p11ca -q -C home ocsp factory -o out --get device.crt
        equal "$(cd out && find . -not -name '*.ors.*' | sort)" "$want"
    done < <(awk '!/db-shm/ { print $1 }' kills)
    sound
}

@test "a token that fails: nothing is published, the ledger says why" {
    use_fault_module
    P11CA_FAULT=C_Sign:3=0x30 answers 6 "p11ca: *CKR_DEVICE_ERROR*" p11ca -C home ocsp factory -o out
    refute ls out/*
    equal "$(sql "SELECT count(*) FROM event WHERE kind = 'fail' AND detail LIKE '%CKR_DEVICE_ERROR%'")" 1
    equal "$(sql "SELECT count(*) FROM event WHERE kind = 'ocsp'")" 0
    unset P11CA_FAULT
    succeeds p11ca -q -C home ocsp factory -o out
    equal "$(find out -type f | wc -l)" 6
}
