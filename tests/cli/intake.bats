#!/usr/bin/env bats
# Every kind of bad request, in one table: what comes in, what OpenSSL says of it, what p11ca answers. The requests are
# made by tests/intake/requests.c; each has one thing wrong, and a good signature wherever there can be one.
#
# A refusal is an exit status, a code in the JSON, one line on stderr and the event "reject" in the ledger - and nothing
# else: no file, no serial reserved, not one call of the token's module.

load common

# row | file | changes first | options of issue | exit | code | OpenSSL | line on stderr
#
# row      number in the list of kinds of bad input; lots and their manifests have the others (batch.bats)
# file     below in/, or made by the changes
# changes  a function of this file, in a home of the row's own; -: none
# options  besides -a factory and, unless given, -p device
# exit, code  0, -: issued
# OpenSSL  what `openssl req -verify` says: ok, bad, parse (it is no request to it); -: not asked
# line     a pattern; behind "p11ca: FILE: ", or all of it after a ^
table() {
    cat <<'END'
1|01-signature.der|-||4|CSR_SIG_BAD|bad|request: RFC 2986 4.2: signature: want proof that the key's owner asked, have a signature that does not verify
1|01-signature-rsa.der|-||4|CSR_SIG_BAD|bad|request: RFC 2986 4.2: signature: *
1|01-subject-changed.der|-||4|CSR_SIG_BAD|bad|request: RFC 2986 4.2: signature: *
2|02-exponent-1.der|-||4|KEY_EXPONENT|ok|request: public key: BR 6.1.6: want an RSA exponent of at least 65537, have 1
3|03-exponent-3.der|-||4|KEY_EXPONENT|ok|request: public key: BR 6.1.6: want an RSA exponent of at least 65537, have 3
3|03-exponent-even.der|-||4|KEY_EXPONENT|bad|request: public key: BR 6.1.6: want an odd RSA exponent, have an even one
3|03-exponent-huge.der|-||4|KEY_EXPONENT|ok|request: public key: BR 6.1.6: want an RSA exponent below 2^256, have 257 bits
4|04-rsa-1024.der|-||4|KEY_TOO_SMALL|ok|request: public key: BR 6.1.5: want an RSA modulus of at least 2048 bits, have 1024
5|05-bits.der|-||4|KEY_SHAPE|ok|request: public key: BR 6.1.5: want an RSA modulus of a multiple of 8 bits, have 2049
5|05-even.der|-||4|KEY_SHAPE|bad|request: public key: BR 6.1.6: want an odd RSA modulus, have an even one
5|05-large.der|-||4|KEY_SHAPE|bad|request: public key: BR 6.1.5: want an RSA modulus of at most 8192 bits, have 8200
6|06-roca.der|-||4|KEY_ROCA|ok|request: public key: BR 6.1.1.3: want an RSA key of a sound generator, have the mark of ROCA (CVE-2017-15361)
6|06-close-primes.der|-||4|KEY_CLOSE_PRIMES|ok|request: public key: BR 6.1.1.3: want primes far apart, have a modulus that Fermat's method factors
6|06-small-factor.der|-||4|KEY_SMALL_FACTOR|ok|request: public key: BR 6.1.6: want a modulus of two large primes, have the factor 751
6|good-rsa.der|weak_keys_listed||4|KEY_DEBIAN|ok|public key: BR 6.1.1.3: want an RSA key of a sound generator, have one of a list of weak keys (CVE-2008-0166)
7|07-secp256k1.der|-||4|KEY_CURVE|ok|request: public key: BR 6.1.5: want curve P-256, P-384 or P-521, have secp256k1
7|07-p224.der|-||4|KEY_CURVE|ok|request: public key: BR 6.1.5: want curve P-256, P-384 or P-521, have P-224
7|07-brainpool.der|-||4|KEY_CURVE|ok|request: public key: BR 6.1.5: want curve P-256, P-384 or P-521, have brainpoolP256r1
7|07-ed25519.der|-||4|KEY_TYPE|ok|request: public key: BR 6.1.5: want an EC or RSA key, have Ed25519
7|good-p384.der|profile_of_p256|-p small|4|KEY_CURVE|ok|profile 'small': public key: want a kind of key it allows, have EC P-384
8|08-explicit.der|-||4|KEY_EXPLICIT_PARAMS|ok|request: public key: RFC 5480 2.1.1: want a named curve, have explicit parameters
9|09-off-curve.der|-||4|KEY_INVALID|bad|request: public key: SP 800-56A 5.6.2.3: want a point on P-256, have another
10|10-infinity.der|-||4|KEY_INVALID|bad|request: public key: SP 800-56A 5.6.2.3: want a point, have the point at infinity
11|11-compressed.der|-||4|KEY_COMPRESSED|ok|request: public key: RFC 5480 2.2: want an uncompressed point, have a compressed one
11|11-hybrid.der|-||4|KEY_INVALID|ok|request: public key: RFC 5480 2.2: want an uncompressed point, 04 X Y, have one that begins with 0[67]
13|13-same-key.der|leaf_issued||4|DUP_KEY_LEDGER|ok|public key: device 'leaf-1' has it already
14|factory.csr|ca_request_made|--id leaf-1 --subject CN=leaf-1|4|KEY_IS_CA|ok|public key: it is the key of authority 'factory'
14|root.csr|ca_request_made|--id leaf-1 --subject CN=leaf-1|4|KEY_IS_CA|ok|public key: it is the key of authority 'root'
16|16-other-key.der|leaf_issued||4|DEVICE_ISSUED|ok|device 'leaf-1': profile 'device' was issued to it before, with another key or other names
16|good.der|leaf_issued|--days 3|4|DEVICE_ISSUED|ok|device 'leaf-1': profile 'device' was issued to it before, with another key or other names
16|good.der|leaf_issued||0|-|ok|^this order was issued before: the same certificate again
17|17-second.der|random_broken||70|SERIAL_COLLISION|ok|^p11ca: 3 serials drawn were all in use: the random generator is broken
18|18-ca.der|-||4|CSR_WANTS_CA|ok|request: RFC 5280 4.2.1.9: want a request for an end entity, have basicConstraints cA TRUE
18|18-path-length.der|-||4|CSR_WANTS_CA|ok|request: RFC 5280 4.2.1.9: want a request for an end entity, have basicConstraints with a path length
18|18-cert-sign.der|-||4|CSR_WANTS_CA|ok|request: RFC 5280 4.2.1.9: want a request for an end entity, have keyUsage keyCertSign
18|18-crl-sign.der|-||4|CSR_WANTS_CA|ok|request: RFC 5280 4.2.1.9: want a request for an end entity, have keyUsage cRLSign
19|19-ca-false.der|own_home||0|-|ok|^in/*: asked for and not given: basicConstraints
19|19-ignored.der|own_home||0|-|ok|^in/*: asked for and not given: keyUsage, TLS feature
20|20-two-sans.der|-||4|CSR_DUP_EXT|ok|request: RFC 5280 4.2: want each extension once, have subjectAltName twice
20|20-two-constraints.der|-||4|CSR_DUP_EXT|ok|request: RFC 5280 4.2: want each extension once, have basicConstraints twice
21|21-two-requests.der|-||4|CSR_DUP_ATTR|ok|request: RFC 2986 4.1: want each attribute once, have extensionRequest twice
22|22-microsoft.der|-||4|CSR_ATTR|ok|request: want extensionRequest and attributes known to ask for nothing, have Microsoft extension request
23|23-san.der|-||4|CSR_EXT_BAD|ok|request: extension subjectAltName: RFC 5280 4.2: want one value of its type, have something else
23|23-constraints.der|-||4|CSR_EXT_BAD|ok|request: extension basicConstraints: RFC 5280 4.2: want one value of its type, have something else
23|23-unknown.der|-||4|CSR_EXT_BAD|ok|request: extension TLS feature: RFC 5280 4.2: want one value of its type, have something else
24|24-trailing.der|-||4|DER_TRAILING|ok|request: want nothing after * octets, have 7 more
24|24-short.der|-||4|DER_SYNTAX|parse|request: X.690 8.1: want a complete value, have one that ends early, at octet 0
24|24-empty.der|-||4|INPUT_TYPE|parse|want a certificate request, have nothing
25|25-padded-modulus.der|-||4|DER_NOT_CANONICAL|bad|request: public key: X.690 11: want the one DER form of the value, have another, at octet 4
25|25-indefinite.der|-||4|DER_NOT_CANONICAL|ok|request: X.690 10.1: want a definite length, have an indefinite one, at octet 0
25|25-long-length.der|-||4|DER_NOT_CANONICAL|ok|request: X.690 10.1: want the shortest length, have a longer one, at octet 0
26|26-version-1.der|-||4|CSR_VERSION|ok|request: RFC 2986 4.1: version: want 0, have another
27|27-null.der|-||4|CSR_ALG_PARAMS|ok|request: signature algorithm: RFC 5758 3.2: want no parameters with ECDSA, have others
27|27-none.der|-||4|CSR_ALG_PARAMS|ok|request: signature algorithm: RFC 4055 5: want NULL parameters with RSA, have none
28|28-sha1.der|-||4|CSR_SIG_WEAK|ok|request: signature algorithm: SP 800-57 5.6.1: want SHA-256, SHA-384 or SHA-512, have ecdsa-with-SHA1
28|28-sha1-rsa.der|-||4|CSR_SIG_WEAK|ok|request: signature algorithm: SP 800-57 5.6.1: want SHA-256, SHA-384 or SHA-512, have sha1WithRSAEncryption
28|28-md5.der|-||4|CSR_SIG_WEAK|ok|request: signature algorithm: SP 800-57 5.6.1: want SHA-256, SHA-384 or SHA-512, have md5WithRSAEncryption
29|29-nul.der|-||4|NAME_NUL|ok|request: subject: CN: RFC 5280 4.1.2.4: want text, have a NUL character in it
30|30-escape.der|-||4|NAME_CONTROL|ok|request: subject: CN: RFC 5280 4.1.2.4: want visible text, have the control character U+001B
30|30-newline.der|-||4|NAME_CONTROL|ok|request: subject: CN: RFC 5280 4.1.2.4: want visible text, have the control character U+000D
30|30-bidi.der|-||4|NAME_CONTROL|ok|request: subject: CN: RFC 5280 4.1.2.4: want visible text, have the control character U+202E
30|30-c1.der|-||4|NAME_CONTROL|ok|request: subject: CN: RFC 5280 4.1.2.4: want visible text, have the control character U+009B
31|31-utf8.der|-||4|NAME_UTF8|parse|request: subject: CN: RFC 3629 3: want UTF-8, have other octets
31|31-surrogate.der|-||4|NAME_UTF8|parse|request: subject: CN: RFC 3629 3: want UTF-8, have other octets
32|32-upn.der|-||4|SAN_UTF8|ok|request: SAN UPN: RFC 3629 3: want UTF-8, have other octets
33|33-65.der|-||4|NAME_TOO_LONG|ok|request: subject: CN: RFC 5280 A.1: want at most 64 characters, have 65
33|33-60000.der|-||4|NAME_TOO_LONG|ok|request: subject: want at most 16384 octets, have 60*
33|33-million.der|-||4|INPUT_TOO_LARGE|ok|want at most 65536 bytes, have 1000*
34|34-empty-cn.der|-||4|NAME_EMPTY|ok|request: subject: CN: RFC 5280 A.1: want at least one character, have none
34|34-nameless.der|-||4|NAME_EMPTY|ok|request: subject: RFC 5280 4.1.2.6: want a name or an alternative name, have neither
35|35-two-cns.der|-||4|NAME_AMBIGUOUS|ok|request: subject: want one CN, have two
35|35-one-part.der|-||4|NAME_AMBIGUOUS|ok|request: subject: RFC 5280 4.1.2.4: want one attribute in each part, have a part with more
36|36-at.der|-||4|NAME_CHARSET|ok|request: subject: CN: X.680 41.4: want PrintableString characters *, have U+0040
36|36-underscore.der|-||4|NAME_CHARSET|ok|request: subject: CN: X.680 41.4: want PrintableString characters *, have U+005F
36|36-star.der|-||4|NAME_CHARSET|ok|request: subject: CN: X.680 41.4: want PrintableString characters *, have U+002A
37|37-t61.der|-||4|NAME_STRING_TYPE|ok|request: subject: CN: RFC 5280 4.1.2.4: want UTF8String or PrintableString, have T61String
37|37-bmp.der|-||4|NAME_STRING_TYPE|ok|request: subject: CN: RFC 5280 4.1.2.4: want UTF8String or PrintableString, have BMPString
37|37-bmp-odd.der|-||4|NAME_STRING_TYPE|parse|request: subject: CN: RFC 5280 4.1.2.4: want UTF8String or PrintableString, have BMPString
37|37-universal.der|-||4|NAME_STRING_TYPE|ok|request: subject: CN: RFC 5280 4.1.2.4: want UTF8String or PrintableString, have UniversalString
38|38-three.der|-||4|NAME_COUNTRY|ok|request: subject: C: RFC 5280 A.1: want 2 letters, have 3
38|38-digits.der|-||4|NAME_COUNTRY|ok|request: subject: C: RFC 5280 A.1: want two letters, have another character
39|39-nul.der|-||4|SAN_BAD|ok|request: SAN DNS: RFC 5280 4.2.1.6: want text, have a NUL character in it
39|39-ip-5.der|-||4|SAN_BAD|ok|request: SAN IP: RFC 5280 4.2.1.6: want 4 or 16 octets, have 5
39|39-empty.der|-||4|SAN_BAD|ok|request: SAN: RFC 5280 4.2.1.6: want at least one name, have none
39|39-email.der|-||4|SAN_BAD|ok|request: SAN email: RFC 5280 4.2.1.6: want ASCII (host names as A-labels), have other characters
44|link.der|special_files||8|INPUT_NOT_FILE|-|want a regular file, have a symbolic link
44|pipe.der|special_files||8|INPUT_NOT_FILE|-|want a regular file
44|folder.der|special_files||8|INPUT_NOT_FILE|-|want a regular file
44|/dev/zero|-||8|INPUT_NOT_FILE|-|want a regular file
45|100-mb.der|special_files||4|INPUT_TOO_LARGE|-|want at most 65536 bytes, have 104857600
45|45-claims-2-gib.der|-||4|DER_SYNTAX|parse|request: X.690 8.1: want a complete value, have one that ends early, at octet 0
46|46-two.pem|-||4|PEM_MULTI|ok|want one PEM block, have more
46|46-key-behind.pem|-||4|PRIVATE_KEY_SEEN|ok|want no private key in an input file, have one: treat it as disclosed
46|46-key.pem|-||4|PRIVATE_KEY_SEEN|parse|want no private key in an input file, have one: treat it as disclosed
46|46-key.der|-||4|PRIVATE_KEY_SEEN|parse|want no private key in an input file, have one: treat it as disclosed
46|46-text-behind.pem|-||4|PEM_SYNTAX|ok|RFC 7468 3: want nothing after the END line, have something
46|46-text-before.pem|own_home||0|-|ok|^
46|46-new.pem|older_label||0|-|ok|^
47|47-certificate.der|-||4|INPUT_TYPE|parse|want a certificate request, have a certificate
47|47-public-key.der|-||4|INPUT_TYPE|parse|want a certificate request, have a public key
49|good.der|-|--id leaf-9|4|SUBJECT_MISMATCH|ok|device ID 'leaf-9': the request's subject says CN 'leaf-1' (give --subject to decide)
50|good.der|clock_before_issuer||4|CLOCK|ok|clock: want a time in the issuer's validity, from *, have *
50|good.der|clock_before_ledger||7|CLOCK|ok|^p11ca: home/ledger.db: clock was set back: want * (the last event) or later, have *
51|good.der|issuer_expired||4|VALIDITY_NESTING|ok|profile 'device': RFC 5280 6.1.3: validity: want an end within the issuer's, *, have *
51|good.der|-|--days 7300|4|VALIDITY_NESTING|ok|profile 'device': RFC 5280 6.1.3: validity: want an end within the issuer's, *, have *
END
}

world=$BUILD/tests/world.so

setup_file() {
    prepare_home
    mkdir "$BATS_FILE_TMPDIR/in"
    "$BUILD/tests/requests" "$BATS_FILE_TMPDIR/in"
}

setup() {
    use_home
    ln -s "$BATS_FILE_TMPDIR/in" in
    use_fault_module
}

# --- changes: each in a home of the row's own, with the requests beside it ---

# That no other row meets what this one issues.
own_home() {
    :
}

leaf_issued() {
    p11ca -q -C home issue -a factory -p device --csr in/good.der -o first.crt >/dev/null
}

ca_request_made() {
    local authority
    for authority in factory root; do
        p11ca -q -C home request "$authority" -o "$authority.csr" >/dev/null
    done
}

# As openssl-vulnkey wants it.
weak_keys_listed() {
    openssl req -in in/good-rsa.der -inform DER -noout -modulus | sha1sum | cut -c 21-40 >home/blacklist.RSA-2048
    sed -i '1i weak-keys = "blacklist.RSA-2048";' home/p11ca.conf
}

profile_of_p256() {
    sed -i 's/issues = \[ "server"/issues = [ "small", "server"/' home/p11ca.conf
    echo 'profiles = { small = { base = "device"; keys = [ "P-256" ]; }; };' >>home/p11ca.conf
}

# The first serial is drawn as ever; then every one is the same, and in use.
random_broken() {
    export LD_PRELOAD=$world P11CA_RANDOM=42
    leaf_issued
}

special_files() {
    ln -s in/good.der link.der
    mkfifo pipe.der
    mkdir folder.der
    truncate -s 100M 100-mb.der
}

older_label() {
    openssl req -in in/good.der -inform DER | sed 's/ CERTIFICATE REQUEST/ NEW CERTIFICATE REQUEST/' >46-new.pem
}

# A day before: the ledger is brought along, or it would be the first to complain.
clock_before_issuer() {
    local trigger
    trigger=$(sql "SELECT sql FROM sqlite_master WHERE name = 'event_update'")
    sql "DROP TRIGGER event_update; UPDATE event SET time = time - 172800; $trigger"
    export LD_PRELOAD=$world P11CA_CLOCK=-86400
}

clock_before_ledger() {
    export LD_PRELOAD=$world P11CA_CLOCK=-86400
}

# Twenty years on.
issuer_expired() {
    export LD_PRELOAD=$world P11CA_CLOCK=631152000
}

# --- one row ---

# A home as it came from `init`, with the module that writes down its calls.
fresh_home() {
    local place
    place=$(mktemp -d "$BATS_TEST_TMPDIR/row.XXXXXX")
    cd "$place"
    copy_home home
    ln -s "$BATS_FILE_TMPDIR/in" in
    use_fault_module
}

openssl_says() {
    local form=PEM said
    [[ $1 != *.der ]] || form=DER
    said=$(openssl req -in "$1" -inform $form -noout -verify 2>&1 || true)
    case $said in
    *'verify OK'*) echo ok ;;
    *'Unable to load'*) echo parse ;;
    *) echo bad ;;
    esac
}

# Events but for those that note a changed p11ca.conf.
events_now() {
    sql "SELECT kind, detail FROM event WHERE kind <> 'config' ORDER BY seq"
}

# The reason in the words of stderr; alarm: a person has to look at it.
wanted_events() {
    case $code in
    DEVICE_ISSUED | DUP_KEY_LEDGER | KEY_IS_CA | PRIVATE_KEY_SEEN) echo "alarm|$code: ${stderr#p11ca: }" ;;
    esac
    [[ $exit != 4 ]] || echo "reject|${stderr#p11ca: }"
}

refused_row() {
    local files rows events
    files=$(files_now)
    rows=$(rows_now)
    events=$(events_now)
    run --separate-stderr p11ca --json -C home issue -a factory --csr "$path" -o out.crt "${options[@]}"
    [[ $status == "$exit" ]] || fail "want exit status $exit"
    [[ $output == '{"error":{"code":"'"$code"'",'* ]] || fail "want the code $code"
    # The pattern is one on purpose.
    # shellcheck disable=SC2053
    [[ $stderr == $line && ${#stderr_lines[@]} == 1 ]] || fail "want one line on stderr, '$line'"
    same "$files" "$(files_now)"
    same "$rows" "$(rows_now)"
    equal "$(events_now | tail -n "+$(($(wc -l <<<"$events") + 1))")" "$(wanted_events)"
    # The token is opened before a serial is drawn.
    [[ $code == SERIAL_COLLISION || ! -e calls ]] || fail "want no token call, have: $(sort calls | uniq -c | tr '\n' ',')"
}

issued_row() {
    run --separate-stderr p11ca -C home issue -a factory --csr "$path" -o out.crt "${options[@]}"
    [[ $status == 0 ]] || fail 'want it issued'
    # The pattern is one on purpose.
    # shellcheck disable=SC2053
    [[ $stderr == $line ]] || fail "want '$line' on stderr"
    succeeds openssl verify -x509_strict -CAfile home/root.crt -untrusted home/factory.crt out.crt
    [[ $(openssl x509 -in out.crt -noout -ext basicConstraints) == *CA:FALSE* ]] || fail 'want no CA'
}

# check_row ROW FILE CHANGES OPTIONS EXIT CODE OPENSSL LINE
check_row() {
    local file=$2 changes=$3 exit=$5 code=$6 openssl=$7 line=$8 path=in/$2 options=()
    read -ra options <<<"$4"
    [[ $4 == -p* ]] || options+=(-p device)
    if [[ $changes != - ]]; then
        fresh_home
        "$changes"
        rm -f calls
    fi
    [[ $file != /* && ! -e $file && ! -L $file ]] || path=$file
    [[ $openssl == - ]] || equal "OpenSSL: $(openssl_says "$path")" "OpenSSL: $openssl"
    if [[ $line == ^* ]]; then
        line=${line#^}
    else
        line="p11ca: $path: $line"
    fi
    if [[ $exit == 0 ]]; then
        issued_row
    else
        refused_row
    fi
}

# check_rows FIRST LAST: in a subshell each, for the sake of what changes export.
check_rows() {
    local row file changes options exit code openssl line n=0
    while IFS='|' read -r -u 7 row file changes options exit code openssl line; do
        ((row >= $1 && row <= $2)) || continue
        during="row $row, $file${changes:+, $changes}"
        (check_row "$row" "$file" "$changes" "$options" "$exit" "$code" "$openssl" "$line")
        n=$((n + 1))
    done 7< <(table)
    ((n > 0)) || fail 'want rows'
}

@test "the very same order without a fault is issued, and the token's calls are seen" {
    succeeds p11ca -C home issue -a factory -p device --csr in/good.der -o out.crt
    equal "$stderr" ''
    [[ $(calls C_Sign) -ge 1 && $(calls C_Login) -ge 1 ]] || fail 'want token calls in the log, or the tests here prove nothing'
}

@test "good requests of every kind of key" {
    local kind
    for kind in p384 p521 rsa; do
        during=$kind
        fresh_home
        succeeds p11ca -C home issue -a factory -p device --csr "in/good-$kind.der" -o out.crt
        succeeds openssl verify -x509_strict -CAfile home/root.crt -untrusted home/factory.crt out.crt
    done
}

@test "every row of the list, and every request that is made, is in the table" {
    equal "$(table | cut -d'|' -f1 | sort -nu | tr '\n' ' ')" \
        "$(echo {1..11} 13 14 {16..39} {44..47} {49..51}) "
    diff <(table | cut -d'|' -f2 | sort -u | grep -E '^[0-9]+-' | grep -vE '^(100-mb.der|46-new.pem)$') \
        <(cd in && printf '%s\n' [0-9]*) || fail 'want each'
}

# Rows that need nothing changed first, and are a fault of theirs alone.
rows_of_a_lot() {
    table | awk -F'|' '$3 == "-" && $4 == "" && $5 == 4 && $6 !~ /^(PRIVATE_KEY_SEEN|KEY_IS_CA|CLOCK|VALIDITY_NESTING)$/ { print $2 "|" $6 }'
}

@test "all of them in one lot, among good ones: each bad row has its code, each good one its certificate" {
    local file code n=0
    fresh_home
    "$BUILD/tests/lot" mixed 40 G
    : >want
    while IFS='|' read -r file code; do
        [[ -f in/$file && ! -L in/$file ]] || continue
        n=$((n + 1))
        # In between the good ones, and called so that the order is known.
        cp "in/$file" "mixed/G-00000$(printf %02d $((n % 40)))-$(printf %03d $n).der"
        echo "G-00000$(printf %02d $((n % 40)))-$(printf %03d $n).der $code" >>want
    done < <(rows_of_a_lot)
    ((n > 60)) || fail "want most of the table, have $n"
    run --separate-stderr p11ca -C home --json batch -a factory -p device mixed -o out
    [[ $status == 1 ]] || fail 'want exit status 1'
    diff <(jq -r 'select(.status == "REJECTED") | "\(.input) \(.code)"' <<<"$output" | sort) <(sort want) || fail 'want each its code'
    equal "$(jq -r 'select(.status == "ISSUED") | .input' <<<"$output" | wc -l)" 40
    equal "$(find out -name 'G-*.crt' | wc -l)" 40
    for file in out/G-*.crt; do
        succeeds openssl verify -x509_strict -CAfile home/root.crt -untrusted home/factory.crt "$file"
    done
    sound
}

@test "rows 1 to 5: signature, exponent and form of RSA keys" {
    check_rows 1 5
}

@test "row 6: keys of broken generators" {
    check_rows 6 6
}

@test "rows 7 to 11: curves and points" {
    check_rows 7 11
}

@test "rows 13 and 14: the key of another device, of a CA" {
    check_rows 13 14
}

@test "row 16: a device that was issued" {
    check_rows 16 16
}

@test "row 17: the random generator is broken" {
    check_rows 17 17
}

@test "rows 18 to 23: attributes and extensions" {
    check_rows 18 23
}

@test "rows 24 to 28: DER, version, algorithms" {
    check_rows 24 28
}

@test "rows 29 to 33: text of names" {
    check_rows 29 33
}

@test "rows 34 to 39: attributes of names, alternative names" {
    check_rows 34 39
}

@test "rows 44 to 47: files" {
    check_rows 44 47
}

@test "row 49: another subject" {
    check_rows 49 49
}

@test "rows 50 and 51: the clock and the issuer's validity" {
    check_rows 50 51
}

# --- lists of weak keys ---

issue_rsa() {
    p11ca -C home issue -a factory -p device --csr in/good-rsa.der -o out.crt
}

@test "weak-keys: several files; other keys pass" {
    printf '# comment\n\nffffffffffffffffffff\n' >home/one
    printf '00000000000000000000\n' >home/two
    sed -i '1i weak-keys = [ "one", "two" ];' home/p11ca.conf
    succeeds issue_rsa
    fresh_home
    weak_keys_listed
    mv home/blacklist.RSA-2048 two
    printf 'ffffffffffffffffffff\n' >home/one
    sed -i "1s|.*|weak-keys = [ \"one\", \"$PWD/two\" ];|" home/p11ca.conf
    refused 4 'p11ca: in/good-rsa.der: public key: BR 6.1.1.3: *CVE-2008-0166?' issue_rsa
    openssl req -in in/good-rsa.der -inform DER -noout -pubkey >rsa.pub
    refused 4 'p11ca: rsa.pub: public key: BR 6.1.1.3: *CVE-2008-0166?' p11ca -C home issue -a factory -p device --id leaf-1 --pubkey rsa.pub -o out.crt
    [[ ! -e calls ]] || fail 'want no token call'
}

@test "weak-keys: a list that is none lets no RSA key pass, and is no matter of EC keys" {
    sed -i '1i weak-keys = "list";' home/p11ca.conf
    refused 3 'p11ca: home/p11ca.conf:1: weak-keys: home/list: no such file' issue_rsa
    : >home/list
    refused 3 'p11ca: in/good-rsa.der: home/list: openssl-blacklist: want at least one key, have none' issue_rsa
    printf '00000000000000000000\nnot a digest\n' >home/list
    refused 3 "p11ca: in/good-rsa.der: home/list:2: openssl-blacklist: want 20 hexadecimal digits or a comment, have 'not a digest'" issue_rsa
    truncate -s 33M home/list
    refused 3 'p11ca: in/good-rsa.der: weak-keys: home/list: want at most 33554432 bytes, have 34603008' issue_rsa
    rm home/list
    mkfifo home/list
    refused 3 'p11ca: in/good-rsa.der: weak-keys: home/list: want a regular file' issue_rsa
    [[ ! -e calls ]] || fail 'want no token call'
    succeeds p11ca -C home issue -a factory -p device --csr in/good.der -o out.crt
    sed -i '1s/.*/weak-keys = 7;/' home/p11ca.conf
    refused 3 'p11ca: home/p11ca.conf:1: weak-keys: want strings' issue_rsa
}
