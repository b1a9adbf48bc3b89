# Manifests and bundles: what they may say, and what refuses a lot before anything is signed. The numbers are stable names
# of kinds of bad input.

load common

setup_file() {
    local n
    prepare_home
    mkdir "$BATS_FILE_TMPDIR/in" "$BATS_FILE_TMPDIR/in/requests"
    cd "$BATS_FILE_TMPDIR/in"
    for n in 1 2 3 4; do
        ec_request "SN-$n" "/CN=SN-$n"
        openssl pkey -in "SN-$n.key" -pubout -out "SN-$n.pub"
        openssl pkey -in "SN-$n.key" -pubout -outform DER | base64 -w0 >"SN-$n.b64"
        mv "SN-$n.csr" requests
    done
}

setup() {
    use_home
    cp -r "$BATS_FILE_TMPDIR"/in/* .
    use_fault_module
}

batch() { # INPUT [options]
    p11ca -C home batch -a factory -p device -o out "$@"
}

# manifest FILE LINE...
manifest() {
    local file=$1
    shift
    printf '%s\n' "$@" >"$file"
}

# A row for each request, so that none is without one.
all_rows() {
    printf 'SN-%s,requests/SN-%s.csr\n' 1 1 2 2 3 3 4 4
}

# Nothing written, not one call of the token, the refusal in the ledger. refused_lot PATTERN INPUT [options]
refused_lot() {
    local pattern=$1 code
    shift
    code=${pattern%% *}
    rm -f calls
    refused 4 "p11ca: ${pattern#* }" batch "$@"
    [[ ! -e calls ]] || fail "want no token call, have: $(sort calls | uniq -c | tr '\n' ',')"
    [[ ! -e out ]] || fail 'want no output directory'
    equal "$(sql "SELECT detail FROM event WHERE kind = 'reject' ORDER BY seq DESC LIMIT 1")" \
        "${stderr#p11ca: }"
    run --separate-stderr batch "$@" --json
    equal "$(jq -r .error.code <<<"$output")" "$code"
}

# How often somebody has to look.
alarms() {
    sql "SELECT count(*) FROM event WHERE kind = 'alarm'"
}

# "NUMBER STATUS CODE" of each row.
verdicts() {
    jq -r 'select(.row) | "\(.row) \(.status) \(.code // "-")"' <<<"$output" | paste -sd, -
}

judge() {
    local n
    for n in "$@"; do
        succeeds openssl verify -x509_strict -CAfile home/root.crt -untrusted home/factory.crt -purpose sslclient "out/$n.crt"
    done
}

# --- what they may say ---

@test "CSV: requests and keys, by path and inline, each its certificate" {
    manifest lot.csv id,csr-file,spki-file,spki,csr \
        "SN-1,requests/SN-1.csr,,," "SN-2,,SN-2.pub,," "SN-3,,,$(cat SN-3.b64)," \
        "SN-4,,,,$(openssl req -in requests/SN-4.csr -outform DER | base64 -w0)"
    rm requests/SN-[234].csr
    succeeds batch lot.csv --json
    equal "$(verdicts)" '1 ISSUED -,2 ISSUED -,3 ISSUED -,4 ISSUED -'
    equal "$(jq -r .input <<<"$output" | paste -sd' ')" 'lot.csv:2 lot.csv:3 lot.csv:4 lot.csv:5'
    equal "$(jq -r .device <<<"$output" | paste -sd' ')" 'SN-1 SN-2 SN-3 SN-4'
    equal "$(cd out && echo *)" 'SN-1.crt SN-2.crt SN-3.crt SN-4.crt chain.pem'
    judge SN-1 SN-2 SN-3 SN-4
    equal "$(openssl x509 -in out/SN-3.crt -noout -pubkey)" "$(cat SN-3.pub)"
    sound
    succeeds batch lot.csv --json
    equal "$(verdicts)" '1 REUSED -,2 REUSED -,3 REUSED -,4 REUSED -'
}

@test "NDJSON: requests and keys, by path and inline, PEM and base64" {
    jq -cn --rawfile pem requests/SN-1.csr --rawfile pub SN-2.pub --rawfile b64 SN-3.b64 \
        '{id: "SN-1", csr: $pem}, {id: "SN-2", spki: $pub, csr: null}, {id: "SN-3", spki: $b64},
         {"csr-file": "requests/SN-4.csr"}' >lot.ndjson
    rm requests/SN-[123].csr
    succeeds batch lot.ndjson --json
    equal "$(verdicts)" '1 ISSUED -,2 ISSUED -,3 ISSUED -,4 ISSUED -'
    judge SN-1 SN-2 SN-3 SN-4
    sound
}

@test "names, subject, days and profile of a row" {
    manifest lot.csv id,spki-file,dns,dns,ip,uri,email,san,subject,days,profile \
        'SN-1,SN-1.pub,,,,urn:acme:1,,,"CN=SN-1,O=\""Acme\""\, Inc",10,' \
        ',SN-2.pub,a.example,b.example,192.0.2.1,,,,,20,server' \
        ',SN-3.pub,,,,,ann@host.example,,CN=Ann,,client'
    succeeds batch lot.csv --json
    equal "$(verdicts)" '1 ISSUED -,2 ISSUED -,3 ISSUED -'
    equal "$(jq -r .profile <<<"$output" | paste -sd' ')" 'device server client'
    equal "$(openssl x509 -in out/SN-1.crt -noout -subject -nameopt RFC2253)" 'subject=CN=SN-1,O=\"Acme\"\, Inc'
    equal "$(openssl x509 -in out/SN-1.crt -noout -ext subjectAltName | tail -n 1 | tr -d ' ')" URI:urn:acme:1
    equal "$(openssl x509 -in out/row-2.crt -noout -ext subjectAltName | tail -n 1 | sed 's/^ *//')" \
        'DNS:a.example, DNS:b.example, IP Address:192.0.2.1'
    # Both ends of the validity count: 19 whole days and 86,399 seconds, plus what notBefore lies before now.
    succeeds openssl x509 -in out/row-2.crt -noout -checkend $((18 * 86400))
    refute openssl x509 -in out/row-2.crt -noout -checkend $((21 * 86400))
    equal "$(openssl x509 -in out/row-3.crt -noout -ext subjectAltName | tail -n 1 | tr -d ' ')" email:ann@host.example
    sound
}

@test "names in arrays, other keys are fields" {
    jq -cn --rawfile pub SN-1.pub '{id: "SN-1", spki: $pub, uri: ["urn:acme:1", "urn:acme:2"], san: ["URI:urn:acme:3"],
        "batch-code": "b7", days: 3}' >lot.jsonl
    succeeds batch lot.jsonl
    equal "$(openssl x509 -in out/SN-1.crt -noout -ext subjectAltName | tail -n 1 | sed 's/^ *//')" \
        'URI:urn:acme:1, URI:urn:acme:2, URI:urn:acme:3'
}

@test "columns that a profile's template uses; a row without one of them" {
    sed -i 's/"device" \]/"device", "sensor" ]/' home/p11ca.conf
    cat >>home/p11ca.conf <<'END'
profiles = {
  sensor = { base = "device"; subject = ( { attribute = "O"; from = "fixed"; value = "Acme"; },
                                          { attribute = "CN"; from = "manifest"; value = "{id}"; } );
             sans = ( { kind = "URI"; from = "manifest"; value = "urn:acme:{line}:{id}"; } ); };
};
END
    manifest lot.csv id,spki-file,line,profile SN-1,SN-1.pub,7,sensor SN-2,SN-2.pub,,sensor SN-3,SN-3.pub,,
    run --separate-stderr batch lot.csv --json
    equal "$status" 1
    equal "$(jq -r 'select(.row) | "\(.row) \(.status)"' <<<"$output" | paste -sd,)" '1 ISSUED,2 REJECTED,3 ISSUED'
    equal "$(openssl x509 -in out/SN-1.crt -noout -subject -nameopt RFC2253)" 'subject=CN=SN-1,O=Acme'
    equal "$(openssl x509 -in out/SN-1.crt -noout -ext subjectAltName | tail -n 1 | tr -d ' ')" URI:urn:acme:7:SN-1
    sound
}

@test "a bundle: text between blocks, a block of another kind" {
    (openssl req -text -in requests/SN-1.csr && cat home/factory.crt && sed 's/$/\r/' requests/SN-2.csr) >lot.pem
    run --separate-stderr batch lot.pem --json
    equal "$status" 1
    equal "$(verdicts)" '1 ISSUED -,2 REJECTED INPUT_TYPE,3 ISSUED -'
    equal "$(jq -r 'select(.row) | .input' <<<"$output" | paste -sd' ')" 'lot.pem#1 lot.pem#2 lot.pem#3'
    judge SN-1 SN-2
    sound
}

@test "a byte order mark and CR LF are passed over; a last line without an end" {
    (printf '\xef\xbb\xbfid,spki-file\r\nSN-1,SN-1.pub\r\nSN-2,SN-2.pub') >lot.csv
    succeeds batch lot.csv --json
    equal "$(verdicts)" '1 ISSUED -,2 ISSUED -'
    (printf '\xef\xbb\xbf{"id": "SN-3", "spki-file": "SN-3.pub"}\r\n') >lot.ndjson
    succeeds batch lot.ndjson
}

@test "a key may be said in a row: its proof of possession is the station's affair" {
    manifest lot.csv spki-file SN-1.pub
    run --separate-stderr batch lot.csv --json
    equal "$status" 1
    # A device without an ID and without a request that says one.
    equal "$(verdicts)" '1 REJECTED DEVICE_ID_SYNTAX'
}

# --- 40: formulas ---

@test "40: formulas are data, and harmless in the report" {
    manifest lot.csv id,spki-file,subject '=1+1,SN-1.pub,' 'SN-2,SN-2.pub,"=cmd|x!A"' '@x,SN-3.pub,'
    run --separate-stderr batch lot.csv --report report.csv
    equal "$status" 1
    equal "$(head -n 1 report.csv)" $'row,input,device,profile,status,serial,file,code,reason,time\r'
    equal "$(sed -n 2p report.csv | cut -d, -f1-5,8)" "1,lot.csv:2,\"'=1+1\",device,REJECTED,DEVICE_ID_SYNTAX"
    equal "$(sed -n 4p report.csv | cut -d, -f1-5,8)" "3,lot.csv:4,\"'@x\",device,REJECTED,DEVICE_ID_SYNTAX"
    refute grep -qE '(^|,)"?[=+@-]' report.csv
    run --separate-stderr batch lot.csv --report report.ndjson
    equal "$(jq -r '"\(.row) \(.device) \(.status) \(.code)"' report.ndjson | head -n 1)" '1 =1+1 REJECTED DEVICE_ID_SYNTAX'
}

# --- 41: CSV ---

@test "41: cells: too few, too many, none" {
    manifest lot.csv id,spki-file SN-1,SN-1.pub SN-2
    refused_lot 'MANIFEST_SYNTAX lot.csv:3: RFC 4180 2.4: want 2 cells, as the header has, have 1' lot.csv
    manifest lot.csv id,spki-file SN-1,SN-1.pub SN-2,SN-2.pub,
    refused_lot 'MANIFEST_SYNTAX lot.csv:3: RFC 4180 2.4: want 2 cells, as the header has, have 3' lot.csv
    manifest lot.csv id,spki-file SN-1,SN-1.pub ''
    refused_lot 'MANIFEST_SYNTAX lot.csv:3: RFC 4180 2.4: want 2 cells, as the header has, have 1' lot.csv
}

@test "41: quotes: not closed, a line break inside, text behind, one inside" {
    manifest lot.csv id,spki-file SN-1,SN-1.pub '"SN-2,SN-2.pub' 'SN-3,SN-3.pub'
    refused_lot 'MANIFEST_SYNTAX lot.csv:3: RFC 4180 2.6: want a quoted cell to end on its line (a quote that is not closed, or a line break in a cell)' lot.csv
    manifest lot.csv id,spki-file SN-1,SN-1.pub '"SN' '-2",SN-2.pub'
    refused_lot 'MANIFEST_SYNTAX lot.csv:3: RFC 4180 2.6: *' lot.csv
    manifest lot.csv id,spki-file '"SN-1"x,SN-1.pub'
    refused_lot 'MANIFEST_SYNTAX lot.csv:2: RFC 4180 2.5: want a comma behind a quoted cell, have more text' lot.csv
    manifest lot.csv id,spki-file 'SN"1,SN-1.pub'
    refused_lot 'MANIFEST_SYNTAX lot.csv:2: RFC 4180 2.5: want no quote in a cell that does not begin with one' lot.csv
    printf 'id,spki-file\nSN-1,SN-1.pub\rSN-2,SN-2.pub\n' >lot.csv
    refused_lot 'MANIFEST_SYNTAX lot.csv:2: want no line break in a cell, have a carriage return' lot.csv
}

@test "41: the header: missing, without a key, twice the same, an empty file" {
    manifest lot.csv SN-1,SN-1.pub SN-2,SN-2.pub
    refused_lot "MANIFEST_SYNTAX lot.csv:1: 'SN-1': want a name of 1 to 32 of a-z 0-9 _ -, a letter first (is the header missing?)" lot.csv
    manifest lot.csv id,dns SN-1,a.example
    refused_lot 'MANIFEST_SYNTAX lot.csv:1: want a header with a column csr, csr-file, spki or spki-file (is the header missing?)' lot.csv
    manifest lot.csv id,spki-file,id SN-1,SN-1.pub,SN-1
    refused_lot "MANIFEST_SYNTAX lot.csv:1: 'id': want it once, have it twice" lot.csv
    : >lot.csv
    refused_lot 'MANIFEST_SYNTAX lot.csv:1: want a header, have an empty file' lot.csv
    manifest lot.csv id,spki-file
    refused 2 'p11ca: lot.csv: no row in it' batch lot.csv
}

@test "41: encodings: not UTF-8, UTF-16, NUL; a line that is too long" {
    printf 'id,spki-file,note\nSN-1,SN-1.pub,\xe4\n' >lot.csv
    refused_lot 'MANIFEST_SYNTAX lot.csv:2: octet 15: want UTF-8, have another encoding' lot.csv
    manifest plain id,spki-file SN-1,SN-1.pub
    iconv -f UTF-8 -t UTF-16 plain >lot.csv
    refused_lot 'MANIFEST_SYNTAX lot.csv:1: octet 1: want UTF-8, have another encoding' lot.csv
    printf 'id,spki-file\nSN-1,SN-1.pub\0\n' >lot.csv
    refused_lot 'MANIFEST_SYNTAX lot.csv:2: octet 14: want text, have NUL' lot.csv
    printf 'id,spki-file,note\nSN-1,SN-1.pub,%s\n' "$(head -c 20000 /dev/zero | tr '\0' x)" >lot.csv
    refused_lot 'MANIFEST_SYNTAX lot.csv:2: want at most 16384 octets in a line, have more' lot.csv
}

@test "41: the last row decides, too: nothing of what comes before is issued" {
    (echo id,spki-file && for _ in {1..600}; do echo "SN-1,SN-1.pub"; done && echo 'SN-2') >lot.csv
    refused_lot 'MANIFEST_SYNTAX lot.csv:602: RFC 4180 2.4: *' lot.csv
}

# --- 42: JSON ---

@test "42: a key twice, nested values, a number for a string and a string for a number" {
    manifest lot.ndjson '{"id": "SN-1", "spki-file": "SN-1.pub"}' '{"id": "SN-2", "id": "SN-3", "spki-file": "SN-2.pub"}'
    refused_lot 'MANIFEST_SYNTAX lot.ndjson:2: column *: duplicate object key' lot.ndjson
    manifest lot.ndjson '{"id": 7, "spki-file": "SN-1.pub"}'
    refused_lot "MANIFEST_SYNTAX lot.ndjson:1: 'id': want a string, have a number" lot.ndjson
    manifest lot.ndjson '{"id": "SN-1", "days": "7", "spki-file": "SN-1.pub"}'
    refused_lot 'MANIFEST_SYNTAX lot.ndjson:1: days: want a number, have a string' lot.ndjson
    manifest lot.ndjson '{"id": "SN-1", "days": 1.5, "spki-file": "SN-1.pub"}'
    refused_lot "MANIFEST_SYNTAX lot.ndjson:1: 'days': want a string, have a number" lot.ndjson
    manifest lot.ndjson '{"id": ["SN-1"], "spki-file": "SN-1.pub"}'
    refused_lot "MANIFEST_SYNTAX lot.ndjson:1: 'id': want a string, have an array" lot.ndjson
    manifest lot.ndjson '{"id": "SN-1", "uri": [["urn:a:b"]], "spki-file": "SN-1.pub"}'
    refused_lot "MANIFEST_SYNTAX lot.ndjson:1: 'uri': want an array of strings, have something else in it" lot.ndjson
    manifest lot.ndjson '{"id": "SN-1", "more": {"a": "b"}, "spki-file": "SN-1.pub"}'
    refused_lot "MANIFEST_SYNTAX lot.ndjson:1: 'more': want a string, have an object" lot.ndjson
    manifest lot.ndjson '{"ID": "SN-1", "spki-file": "SN-1.pub"}'
    refused_lot "MANIFEST_SYNTAX lot.ndjson:1: 'ID': want a name of 1 to 32 of a-z 0-9 _ -, a letter first*" lot.ndjson
}

@test "42: a depth bomb, no object, no JSON, an empty line" {
    printf '{"id": "SN-1", "x": %s%s}\n' "$(printf '[%.0s' {1..4000})" "$(printf ']%.0s' {1..4000})" >lot.ndjson
    refused_lot 'MANIFEST_SYNTAX lot.ndjson:1: column *: maximum parsing depth reached' lot.ndjson
    manifest lot.ndjson '["SN-1"]'
    refused_lot 'MANIFEST_SYNTAX lot.ndjson:1: want an object, have an array' lot.ndjson
    manifest lot.ndjson '{"id": "SN-1"'
    refused_lot 'MANIFEST_SYNTAX lot.ndjson:1: column *' lot.ndjson
    manifest lot.ndjson '{"id": "SN-1", "spki-file": "SN-1.pub"} {}'
    refused_lot 'MANIFEST_SYNTAX lot.ndjson:1: column *: end of file expected' lot.ndjson
    manifest lot.ndjson '{"id": "SN-1", "spki-file": "SN-1.pub"}' ''
    refused_lot 'MANIFEST_SYNTAX lot.ndjson:2: column *' lot.ndjson
}

@test "days: none, words, too many digits" {
    manifest lot.csv id,spki-file,days SN-1,SN-1.pub,0
    refused_lot 'MANIFEST_SYNTAX lot.csv:2: days: want at least 1, have 0' lot.csv
    manifest lot.csv id,spki-file,days SN-1,SN-1.pub,-5
    refused_lot "MANIFEST_SYNTAX lot.csv:2: days: want a whole number of at most 6 digits, have '-5'" lot.csv
    manifest lot.csv id,spki-file,days SN-1,SN-1.pub,4294967297
    refused_lot "MANIFEST_SYNTAX lot.csv:2: days: want a whole number of at most 6 digits, have '4294967297'" lot.csv
}

# --- 43, 44: paths and IDs ---

@test "43: paths that lead out of the manifest's directory" {
    local path
    mkdir -p deep
    for path in ../SN-1.pub "$PWD/SN-1.pub" a/../../SN-1.pub ..; do
        manifest deep/lot.csv id,spki-file "SN-1,$path"
        refused_lot "MANIFEST_SYNTAX lot.csv:2: $path: want a relative path without '..'" deep/lot.csv
    done
}

@test "43: device IDs that are no names of files" {
    local id
    for id in ../x a/b .hidden -x 'a b' "$(printf 'x%.0s' {1..65})"; do
        manifest lot.csv id,spki-file "$id,SN-1.pub" SN-2,SN-2.pub
        run --separate-stderr batch lot.csv --json
        equal "$status" 1
        equal "$(jq -r 'select(.row == 1) | "\(.status) \(.code)"' <<<"$output")" 'REJECTED DEVICE_ID_SYNTAX'
        equal "$(find out -name '*.crt')" out/SN-2.crt
    done
}

@test "44: a link, a directory, a FIFO, a link on the way" {
    ln -s SN-1.pub link.pub
    mkdir dir.pub
    mkfifo fifo.pub
    mkdir real
    cp SN-4.pub real
    ln -s real linked
    manifest lot.csv id,spki-file A,link.pub B,dir.pub C,fifo.pub D,linked/SN-4.pub SN-2,SN-2.pub
    run --separate-stderr batch lot.csv --json
    equal "$status" 1
    equal "$(verdicts)" \
        '1 REJECTED INPUT_NOT_FILE,2 REJECTED INPUT_NOT_FILE,3 REJECTED INPUT_NOT_FILE,4 REJECTED INPUT_NOT_FILE,5 ISSUED -'
    ln -s lot.csv link.csv
    refused 8 'p11ca: link.csv: want a regular file, have a symbolic link' batch link.csv
}

# --- 46: PEM ---

@test "46: two blocks in one cell or file; another label is fine" {
    cat requests/SN-1.csr requests/SN-2.csr >requests/two.csr
    sed 's/CERTIFICATE REQ/NEW CERTIFICATE REQ/' -i requests/SN-3.csr
    manifest lot.csv csr-file requests/two.csr requests/SN-{1,2,3,4}.csr
    run --separate-stderr batch lot.csv --json
    equal "$status" 1
    equal "$(verdicts)" '1 REJECTED PEM_MULTI,2 ISSUED -,3 ISSUED -,4 ISSUED -,5 ISSUED -'
}

@test "46: a private key anywhere refuses the lot, with an alarm" {
    manifest lot.csv csr-file requests/SN-1.csr SN-2.key requests/SN-{2,3,4}.csr
    refused_lot 'PRIVATE_KEY_SEEN lot.csv:3: want no private key in an input file, have one: treat it as disclosed' lot.csv
    equal "$(alarms)" 2
    manifest lot.csv id,spki-file "SN-1,SN-1.pub" "SN-2,\"$(head -n 1 SN-2.key | sed 's/EC //')"
    refused_lot 'PRIVATE_KEY_SEEN lot.csv:3: want no private key in an input file, have one: treat it as disclosed' lot.csv
    manifest lot.csv id,spki "SN-1,$(openssl pkey -in SN-1.key -outform DER | base64 -w0)"
    refused_lot 'PRIVATE_KEY_SEEN lot.csv:2: *' lot.csv
    jq -cn --rawfile key SN-1.key '{id: "SN-1", note: $key, "spki-file": "SN-1.pub"}' >lot.ndjson
    refused_lot 'PRIVATE_KEY_SEEN lot.ndjson:1: *' lot.ndjson
    cat requests/SN-1.csr SN-1.key >lot.pem
    refused_lot 'PRIVATE_KEY_SEEN lot.pem:*' lot.pem
    cp SN-1.key requests/key.pem
    refused_lot 'PRIVATE_KEY_SEEN key.pem: *' requests
}

@test "46: a bundle whose last block is cut off" {
    (cat requests/SN-1.csr && head -n 3 requests/SN-2.csr) >lot.pem
    refused_lot 'MANIFEST_SYNTAX lot.pem:*: RFC 7468 3: want the END line of the block before, have none' lot.pem
    (head -n 3 requests/SN-2.csr && cat requests/SN-1.csr) >lot.pem
    refused_lot 'MANIFEST_SYNTAX lot.pem:4: RFC 7468 3: want the END line of the block before, have none' lot.pem
    echo text >lot.pem
    refused 2 'p11ca: lot.pem: no PEM block in it' batch lot.pem
}

# --- 12, 14, 15: keys and devices ---

@test "12: a key for two devices refuses the lot, with an alarm" {
    manifest lot.csv id,spki-file SN-1,SN-1.pub SN-2,SN-2.pub SN-3,SN-1.pub
    refused_lot 'DUP_KEY lot.csv:4: the public key of lot.csv:2 again, in another order' lot.csv
    equal "$(alarms)" 2
}

@test "12: keys without devices are one each" {
    cp SN-1.pub again.pub
    manifest lot.csv spki-file,dns,profile SN-1.pub,a.example,server again.pub,a.example,server
    refused_lot 'DUP_KEY lot.csv:3: the public key of lot.csv:2 again, in another order' lot.csv
}

@test "12: the same order again is the same certificate, near and far" {
    local n
    manifest lot.csv id,spki-file SN-1,SN-1.pub SN-2,SN-2.pub SN-1,SN-1.pub SN-1,SN-1.pub SN-3,SN-3.pub
    succeeds batch lot.csv --json
    equal "$(verdicts)" '1 ISSUED -,2 ISSUED -,3 REUSED -,4 REUSED -,5 ISSUED -'
    equal "$(jq -r 'select(.device == "SN-1") | .serial' <<<"$output" | sort -u | wc -l)" 1
    equal "$(sql "SELECT count(*) FROM certificate WHERE profile = 'device'")" 3
    sound
}

@test "15: a device twice, with another key, other names, or nothing good about it" {
    manifest lot.csv id,spki-file SN-1,SN-1.pub SN-2,SN-2.pub SN-1,SN-3.pub
    refused_lot 'DUP_DEVICE lot.csv:4: the device of lot.csv:2 again, in another order' lot.csv
    manifest lot.csv id,spki-file,uri SN-1,SN-1.pub,urn:a:1 SN-1,SN-1.pub,urn:a:2
    refused_lot 'DUP_DEVICE lot.csv:3: the device of lot.csv:2 again, in another order' lot.csv
    manifest lot.csv id,spki-file,san SN-1,SN-1.pub, SN-1,SN-1.pub,nonsense
    refused_lot 'DUP_DEVICE lot.csv:3: the device of lot.csv:2 again, in another order' lot.csv
    cp -r requests twice
    openssl req -new -key SN-3.key -subj /CN=SN-1 -out twice/z.csr
    rm twice/SN-3.csr
    refused_lot 'DUP_DEVICE z.csr: the device of SN-1.csr again, in another order' twice
}

@test "14: the key of an authority refuses the lot, with an alarm" {
    openssl x509 -in home/factory.crt -noout -pubkey >ca.pub
    manifest lot.csv id,spki-file SN-1,SN-1.pub SN-2,ca.pub
    refused_lot "KEY_IS_CA lot.csv:3: public key: it is the key of authority 'factory'" lot.csv
    equal "$(alarms)" 2
}

@test "13: a key of another device in the ledger: the row, with an alarm" {
    succeeds p11ca -q -C home issue -a factory -p device --pubkey SN-1.pub --id other -o other.crt
    manifest lot.csv id,spki-file SN-1,SN-1.pub SN-2,SN-2.pub
    run --separate-stderr batch lot.csv --json
    equal "$status" 1
    equal "$(verdicts)" '1 REJECTED DUP_KEY_LEDGER,2 ISSUED -'
    [[ $stderr == *'alarm: DUP_KEY_LEDGER: 1 row of the lot'* ]]
    equal "$(alarms)" 1
}

# --- RSA ---

# An RSA public key of the primes $1 and $2 (hexadecimal): $3
rsa_public() {
    local n
    n=$(echo "ibase=16; obase=10; $1 * $2" | BC_LINE_LENGTH=0 bc)
    printf 'asn1=SEQUENCE:spki\n[spki]\nalg=SEQUENCE:alg\nkey=BITWRAP,SEQUENCE:key\n[alg]\noid=OID:rsaEncryption\nnull=NULL
[key]\nn=INTEGER:0x%s\ne=INTEGER:65537\n' "$n" >rsa.cnf
    openssl asn1parse -genconf rsa.cnf -noout -out "$3"
}

@test "6: moduli with a prime in common are rejected, with an alarm" {
    local p=() n
    for n in 1 2 3 4 5; do
        p[n]=$(openssl prime -generate -bits 1024 -hex)
    done
    rsa_public "${p[1]}" "${p[2]}" A.pub
    rsa_public "${p[3]}" "${p[4]}" B.pub
    rsa_public "${p[5]}" "${p[1]}" C.pub
    manifest lot.csv id,spki-file,profile,uri A,A.pub,client,urn:a:a B,B.pub,client,urn:a:b C,C.pub,client,urn:a:c
    run --separate-stderr batch lot.csv --json
    equal "$status" 1
    equal "$(verdicts)" '1 REJECTED KEY_SHARED_PRIME,2 ISSUED -,3 REJECTED KEY_SHARED_PRIME'
    [[ $stderr == *'alarm: KEY_SHARED_PRIME: 2 rows of the lot'* ]]
}

# --- 48: rows and files ---

@test "48: a row without anything, with two things, with a file that is not there" {
    manifest lot.csv id,csr,spki-file SN-1,,SN-1.pub SN-2,,
    refused_lot 'MANIFEST_MISMATCH lot.csv:3: want a request or a public key (csr, csr-file, spki, spki-file), have none' lot.csv
    manifest lot.csv id,csr-file,spki-file SN-1,requests/SN-1.csr,SN-1.pub
    refused_lot 'MANIFEST_SYNTAX lot.csv:2: spki-file: want one of csr, csr-file, spki and spki-file, have two' lot.csv
    manifest lot.csv id,spki-file SN-1,SN-1.pub SN-2,absent.pub
    refused_lot 'MANIFEST_MISMATCH lot.csv:3: absent.pub: no such file' lot.csv
}

@test "48: a request without a row, beside those that have one" {
    (echo id,csr-file && all_rows | head -n 3) >lot.csv
    refused_lot 'MANIFEST_MISMATCH requests/SN-4.csr: want a row for every request beside those of the manifest, have none for this one' lot.csv
    # Another spelling of the path is the same file; what is no request is nobody's business.
    (echo id,csr-file && all_rows | sed 's|requests/SN-4|./requests//SN-4|') >lot.csv
    touch requests/notes.txt other.csr
    succeeds batch lot.csv
}

# --- 49 to 51 ---

@test "49: the manifest and the request disagree" {
    manifest lot.csv id,csr-file SN-9,requests/SN-1.csr SN-2,requests/SN-2.csr SN-3,requests/SN-3.csr SN-4,requests/SN-4.csr
    run --separate-stderr batch lot.csv --json
    equal "$status" 1
    equal "$(verdicts)" '1 REJECTED SUBJECT_MISMATCH,2 ISSUED -,3 ISSUED -,4 ISSUED -'
}

@test "50, 51: the clock, and a certificate that would outlive its issuer" {
    # faketime preloads a library; a sanitizer's runtime wants to be first.
    [[ ${SAN:-} == '' ]] || skip "faketime and sanitizers do not mix"
    local end
    (echo id,csr-file && all_rows) >lot.csv
    end=$((($(date -d "$(openssl x509 -in home/factory.crt -noout -enddate | cut -d= -f2)" +%s) - $(date +%s)) / 86400))
    run --separate-stderr timeout 60 faketime -f "+$((end - 2))d" "$BUILD/bin/p11ca" -C home --json batch -a factory -p device lot.csv -o out
    equal "$status" 4
    equal "$(jq -r .error.code <<<"$output")" VALIDITY_NESTING
    [[ $stderr == 'p11ca: lot.csv:2: '* && ! -e out ]]
    run --separate-stderr timeout 60 faketime -f -2d "$BUILD/bin/p11ca" -C home --json batch -a factory -p device lot.csv -o out
    # The ledger has seen a later time.
    equal "$status $(jq -r .error.code <<<"$output")" '7 CLOCK'
    sql "SELECT 'DROP TRIGGER ' || name || ';' FROM sqlite_schema WHERE type = 'trigger'" | sqlite3 -batch home/ledger.db
    sql 'DELETE FROM event'
    run --separate-stderr timeout 60 faketime -f -2d "$BUILD/bin/p11ca" -C home --json batch -a factory -p device lot.csv -o out
    equal "$status $(jq -r .error.code <<<"$output")" '4 CLOCK'
    [[ $stderr == 'p11ca: lot.csv:2: '* && ! -e out ]]
}

@test "CA certificates are no matter of lots" {
    manifest lot.csv id,spki-file SN-1,SN-1.pub
    sed -i '/^ *root *= { token/,/};/ s/profile = "root-ca"; };/profile = "root-ca"; issues = [ "issuing-ca", "cross-ca" ]; };/' home/p11ca.conf
    for during in lot.csv requests; do
        for profile in cross-ca issuing-ca; do
            refused 4 "p11ca: profile '$profile': want one for end entities: CA certificates are no matter of lots" \
                p11ca -C home batch -a root -p $profile -o out "$during"
        done
    done
    [[ ! -e calls ]] || fail 'want no token call'
}

# --- rows of a lot that is good ---

@test "rows: a profile that is not allowed, or none at all; a bad request among good ones" {
    head -c 60 requests/SN-3.csr >cut.csr
    manifest lot.csv id,spki-file,csr-file,profile SN-1,SN-1.pub,, SN-2,SN-2.pub,,issuing-ca SN-3,SN-3.pub,,nonsense \
        SN-4,,cut.csr, SN-5,SN-4.pub,,
    run --separate-stderr batch lot.csv --json
    equal "$status" 1
    equal "$(verdicts)" \
        '1 ISSUED -,2 REJECTED PROFILE_NOT_ALLOWED,3 REJECTED PROFILE,4 REJECTED PEM_SYNTAX,5 ISSUED -'
    equal "$(sql "SELECT count(*) FROM event WHERE kind = 'reject'")" 3
}

@test "--max-errors: one more than that signs nothing; --on-error stop is none" {
    manifest lot.csv id,spki-file,san SN-1,SN-1.pub, SN-2,SN-2.pub,bad: SN-3,SN-3.pub,bad:
    run --separate-stderr batch lot.csv --json --max-errors 1 --report report.csv
    equal "$status" 1
    equal "$(verdicts)" '1 NOT-TRIED -,2 REJECTED SAN_KIND,3 REJECTED SAN_KIND'
    equal "$(cut -d, -f5 report.csv | paste -sd' ')" 'status NOT-TRIED REJECTED REJECTED TOTAL'
    [[ ! -e out && $stderr == *'p11ca: stopped: 2 of 3 rows rejected' ]]
    equal "$(calls C_Sign)" 0
    run --separate-stderr batch lot.csv --json --on-error stop
    equal "$(verdicts)" '1 NOT-TRIED -,2 REJECTED SAN_KIND,3 REJECTED SAN_KIND'
    run --separate-stderr batch lot.csv --json --max-errors 2
    equal "$(verdicts)" '1 ISSUED -,2 REJECTED SAN_KIND,3 REJECTED SAN_KIND'
    refused 2 'p11ca: want one of --on-error stop and --max-errors, have both' batch lot.csv --on-error stop --max-errors 2
}

@test "--dry-run: the same words, no signature, nothing written" {
    manifest lot.csv id,spki-file SN-1,SN-1.pub .x,SN-2.pub
    run --separate-stderr batch lot.csv --json --dry-run
    equal "$status" 1
    equal "$(verdicts)" '1 GOOD -,2 REJECTED DEVICE_ID_SYNTAX'
    [[ ! -e out ]]
    equal "$(calls C_Sign)" 0
    equal "$(sql "SELECT count(*) FROM certificate WHERE profile = 'device'")" 0
    equal "$(sql "SELECT count(*) FROM event WHERE kind = 'reject'")" 0
}

@test "--report: CSV and NDJSON say the same; nothing is overwritten; another ending" {
    (echo id,csr-file && all_rows) >lot.csv
    succeeds batch lot.csv --report report.csv
    equal "$(sed -n 2p report.csv | cut -d, -f1-5)" '1,lot.csv:2,SN-1,device,ISSUED'
    equal "$(sed -n 2p report.csv | cut -d, -f6)" "$(openssl x509 -in out/SN-1.crt -noout -serial | cut -d= -f2)"
    equal "$(wc -l <report.csv)" 6
    refused 8 'p11ca: report.csv: exists, nothing is overwritten' batch lot.csv --report report.csv
    refused 2 'p11ca: report.txt: want a report called *.csv, *.ndjson or *.jsonl' batch lot.csv --report report.txt
    succeeds batch lot.csv --report report.jsonl
    equal "$(jq -r '[.row, .input, .device, .profile, .status, .serial] | join(",")' report.jsonl | sed 's/REUSED/ISSUED/')" \
        "$(tail -n +2 report.csv | cut -d, -f1-6)"
    # Of a lot that is refused there is none, and nothing of it stays.
    manifest bad.csv id,spki-file SN-1
    refused 4 'p11ca: bad.csv:2: *' batch bad.csv --report bad-report.csv
}

@test "the token fails in the middle: the rest was not tried, the next run goes on" {
    (echo id,csr-file && all_rows) >lot.csv
    P11CA_FAULT='C_Sign:3+=CKR_DEVICE_REMOVED' run --separate-stderr batch lot.csv --json -j 1 --report report.csv
    equal "$status" 6
    succeeds batch lot.csv --json
    equal "$(find out -name '*.crt' | wc -l)" 4
    equal "$(p11ca -q -C home list --status issued -p device | grep -c CN=SN-)" 4
    equal "$(wc -l <report.csv)" 6
    sound
}

# While the token is opened, between the check and the first signature, COMMAND is run. changed_by COMMAND [options]
changed_by() {
    local change=$1 pid
    shift
    rm -f calls
    P11CA_FAULT='C_Login:1=sleep:1500' "$BUILD/bin/p11ca" -C home --json batch -a factory -p device -o out "$@" >said 2>stderr &
    pid=$!
    until [[ -e calls ]]; do
        kill -0 $pid || fail "ended too early: $(cat stderr)"
        sleep 0.05
    done
    eval "$change"
    status=0
    wait $pid || status=$?
    output=$(cat said)
}

# As many rows as are not read a second time, all of them bad.
kept_rows() {
    awk 'BEGIN { for (i = 0; i < 16384; i++) printf ".%d,SN-3.pub\n", i }'
}

# refused_by COMMAND: what has changed behind the rows that were kept ends the lot.
refused_by() {
    (echo id,spki-file && kept_rows && printf '%s\n' SN-1,SN-1.pub SN-2,SN-2.pub) >lot.csv
    changed_by "$1" lot.csv
    equal "$status $(jq -r 'select(.error).error.code' <<<"$output")" '4 FILE_CHANGED'
    [[ ! -e out/SN-3.crt && ! -e out/SN-4.crt ]] || fail 'want nothing issued that was not checked'
}

@test "what was checked is what is issued: a small lot that changes in between is issued as it was" {
    (echo id,csr-file && all_rows) >lot.csv
    cp requests/SN-1.csr before.csr
    changed_by 'cp requests/SN-2.csr requests/SN-1.csr' lot.csv
    equal "$status $(verdicts)" '0 1 ISSUED -,2 ISSUED -,3 ISSUED -,4 ISSUED -'
    equal "$(openssl x509 -in out/SN-1.crt -noout -pubkey)" "$(openssl req -in before.csr -noout -pubkey)"
    sound
}

@test "what was checked is what is issued: files, rows and lines of a large lot that change in between" {
    refused_by 'cp SN-3.pub SN-1.pub; cp SN-4.pub SN-2.pub'
    [[ $(cat stderr) == *'p11ca: lot.csv: lot.csv:1638'[67]': is not what was checked' ]]
    equal "$(calls C_Sign)" 0
    refused_by 'echo SN-3,SN-3.pub >>lot.csv'
    refused_by 'printf "id,spki-file\nSN-1,SN-4.pub\n" >lot.csv'
    equal "$(calls C_Sign)" 0
    refused_by 'printf "spki-file,id\nSN-1.pub,SN-1\n" >lot.csv'
    equal "$(calls C_Sign)" 0
}

# --- large ---

# large N: N rows of N devices that have four keys among them.
large() {
    awk -v n="$1" 'BEGIN { print "id,spki-file"; for (i = 0; i < n; i++) printf "D-%d,SN-%d.pub\n", i, i % 4 + 1 }'
}

# Kilobytes that the check of a lot takes; every row is prepared for its signature before the keys are compared.
peak() {
    local status=0
    command time -q -f %M -o peak "$BUILD/bin/p11ca" -q -C home --json batch -a factory -p device -o out "$1" >said 2>&1 || status=$?
    [[ $status == 4 && $(cat said) == *DUP_KEY* ]] || fail "want the keys refused: $(cat said)"
    cat peak
}

@test "rows of many groups: each told once, in order, the good ones issued" {
    local n
    {
        echo id,spki-file
        for n in {1..700}; do
            case $n in
            1) echo SN-1,SN-1.pub ;;
            256) echo SN-2,SN-2.pub ;;
            257) echo SN-3,SN-3.pub ;;
            700) echo SN-4,SN-4.pub ;;
            *) echo ".$n,SN-1.pub" ;;
            esac
        done
    } >lot.csv
    run --separate-stderr batch lot.csv --json --report report.csv
    equal "$status" 1
    equal "$(jq -r 'select(.row) | .row' <<<"$output" | paste -sd,)" "$(seq -s, 700)"
    equal "$(tail -n +2 report.csv | head -n -1 | cut -d, -f1 | paste -sd,)" "$(seq -s, 700)"
    equal "$(jq -r 'select(.status == "ISSUED") | .row' <<<"$output" | paste -sd' ')" '1 256 257 700'
    equal "$(sql "SELECT count(*) FROM event WHERE kind = 'reject'")" 696
    judge SN-1 SN-2 SN-3 SN-4
    sound
}

@test "memory: rows beyond those that are kept take no more than their digests" {
    [[ ${SAN:-} == '' ]] || skip "sanitizers keep what is freed"
    local few many
    large 20000 >few.csv
    large 60000 >many.csv
    few=$(peak few.csv)
    many=$(peak many.csv)
    # 40,000 rows of 80 octets are 3 MiB; whole jobs would be 200.
    ((many < few + 8192)) || fail "want flat memory, have $few and $many KiB"
}
