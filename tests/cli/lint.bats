#!/usr/bin/env bats
# p11ca lint: what others' tools made, what this one made, bundles, requests, CRLs; the rules as a list; rules that a profile skips.

load common

setup_file() {
    prepare_home
    cd "$BATS_FILE_TMPDIR"
    # Certificates of others, with nothing and with something wrong.
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout other.key -out other.pem -days 30 \
        -subj '/C=US/O=Other/CN=Other Root' -addext 'keyUsage=critical,keyCertSign,cRLSign' 2>/dev/null
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout bad.key -out bad.pem -days 30 \
        -subj '/C=US/O=Other/OU=Plant/CN=Bad Root' -addext 'keyUsage=keyCertSign,cRLSign' -set_serial 0 2>/dev/null
    openssl req -new -key other.key -subj /CN=leaf -addext 'subjectAltName=DNS:leaf.example' -out leaf.csr
    p11ca -q -C home issue -a factory -p server --new-key s.key --dns www.acme.example -o s.crt >/dev/null
} >/dev/null

setup() {
    use_home
    cp "$BATS_FILE_TMPDIR"/{other.pem,bad.pem,leaf.csr,s.crt,other.key} .
}

# The ids of all findings, in order.
ids() {
    jq -r '[.objects[].findings[].id] | join(" ")' <<<"$output"
}

# finds IDS ARGUMENT...: exit status 1, and these rules.
finds() {
    local want=$1
    shift
    run --separate-stderr p11ca --json lint "$@"
    [[ $status == 1 ]] || fail "want exit status 1: $*"
    equal "$(ids)" "$want"
}

@test "a good certificate: nothing, exit 0; without a home" {
    rm -r home
    succeeds p11ca lint other.pem
    equal "$output" 'certificate 1: CN=Other Root,O=Other,C=US
1 object, 0 errors, 0 warnings, 0 notices'
    equal "$stderr" ''
    succeeds p11ca --json lint other.pem
    equal "$(jq -c '[.good, .errors, .warnings, .notices, (.objects | length)]' <<<"$output")" '[true,0,0,0,1]'
}

@test "a bad one: severity, id, source, field, what was wanted and found; exit 1" {
    run --separate-stderr p11ca lint bad.pem
    equal "$status" 1
    equal "$output" 'certificate 1: CN=Bad Root,OU=Plant,O=Other,C=US
  error   LINT_SERIAL_SIGN: RFC 5280 4.1.2.2: serial: want a positive number, have zero
  warning LINT_KU_CRITICAL: RFC 5280 4.2.1.3: keyUsage: want it critical, have it not
1 object, 1 error, 1 warning, 0 notices'
    equal "$stderr" 'p11ca: bad.pem: 1 error in 1 object'
    run --separate-stderr p11ca --json lint bad.pem
    equal "$status" 1
    equal "$(jq -c '.objects[0].findings[0]' <<<"$output")" \
        '{"severity":"error","id":"LINT_SERIAL_SIGN","code":"LINT_SERIAL_SIGN","source":"RFC 5280 4.1.2.2","field":"serial","wanted":"a positive number","found":"zero","message":"RFC 5280 4.1.2.2: serial: want a positive number, have zero"}'
}

@test "warnings alone: exit 0" {
    openssl req -x509 -key other.key -out warn.pem -days 30 -subj /CN=Warn -addext 'keyUsage=keyCertSign,cRLSign'
    succeeds p11ca --json lint warn.pem
    equal "$(ids)" LINT_KU_CRITICAL
}

@test "families of rules" {
    finds 'LINT_SERIAL_SIGN LINT_KU_CRITICAL LINT_BR_SERIAL LINT_BR_OU' --rules br bad.pem
    succeeds p11ca lint --rules br other.pem
    finds 'LINT_OCSP_CA' --rules ocsp,idevid other.pem
    refused 2 "p11ca: rules: want br, idevid, ldevid, matter, spiffe, ocsp, piv, with commas between, have 'brr'" \
        p11ca lint --rules br,brr other.pem
}

@test "a profile, an issuer" {
    succeeds p11ca lint --profile server s.crt
    succeeds p11ca lint --profile server --issuer home/factory.crt s.crt
    finds 'LINT_ISSUER LINT_AKI LINT_REVOCATION' --issuer home/root.crt s.crt
    finds 'LINT_EKU LINT_SAN LINT_REVOCATION' --profile user s.crt
    refused 2 "p11ca: no profile 'nobody'" p11ca lint --profile nobody s.crt
    refused 4 "p11ca: s.crt: issuer's certificate: *" p11ca lint --issuer s.crt s.crt
    refused 8 'p11ca: none.crt: No such file or directory' p11ca lint --issuer none.crt s.crt
}

@test "a profile of the home's own" {
    printf 'profiles = { long = { base = "server"; days-max = 10; days = 5; }; };\n' >>home/p11ca.conf
    run --separate-stderr p11ca -C home --json lint --profile long s.crt
    equal "$status $(ids)" '1 VALIDITY_TOO_LONG LINT_REVOCATION'
}

@test "PEM, DER, a bundle of mixed objects, the standard input" {
    openssl x509 -in other.pem -outform DER -out other.der
    succeeds p11ca lint other.der
    openssl_crl
    cat bad.pem f.crl leaf.csr other.pem >bundle.pem
    run --separate-stderr p11ca --json lint - <bundle.pem
    equal "$status" 1
    equal "$(jq -r '[.objects[].kind] | join(" ")' <<<"$output")" 'certificate CRL request certificate'
    equal "$(jq -r '[.objects[].number] | join(" ")' <<<"$output")" '1 2 3 4'
    succeeds p11ca lint - <other.der
}

# A list by OpenSSL.
openssl_crl() {
    mkdir -p ca && : >ca/index && echo 01 >ca/number
    printf '[ca]\ndefault_ca=d\n[d]\ndatabase=ca/index\ncrlnumber=ca/number\ndefault_md=sha256\ncrl_extensions=e\n[e]\nauthorityKeyIdentifier=keyid\n' >ca.cnf
    openssl ca -config ca.cnf -gencrl -crldays 30 -cert other.pem -keyfile other.key -out f.crl 2>/dev/null
}

@test "CRLs" {
    openssl_crl
    succeeds p11ca lint f.crl
    succeeds p11ca lint --issuer other.pem f.crl
    finds 'CRL_ISSUER CRL_AKI' --issuer home/factory.crt f.crl
    printf '[ca]\ndefault_ca=d\n[d]\ndatabase=ca/index\ndefault_md=sha256\n' >ca.cnf
    openssl ca -config ca.cnf -gencrl -crldays 30 -cert other.pem -keyfile other.key -out v1.crl 2>/dev/null
    finds 'CRL_VERSION CRL_AKI CRL_NUMBER' v1.crl
}

@test "requests: the reader's codes, and what is ignored" {
    succeeds p11ca lint leaf.csr
    openssl req -new -key other.key -subj /CN=leaf -addext 'keyUsage=digitalSignature' -out ku.csr
    succeeds p11ca --json lint ku.csr
    equal "$(ids)" LINT_CSR_IGNORED
    openssl req -new -key other.key -subj /CN=leaf -addext 'basicConstraints=critical,CA:true' -out ca.csr
    succeeds p11ca --json lint ca.csr
    equal "$(ids)" LINT_CSR_CA
    run --separate-stderr p11ca --json lint --profile server ca.csr
    equal "$status $(jq -r '.objects[0].findings[0] | .id + " " + .code' <<<"$output")" '1 LINT_CSR CSR_WANTS_CA'
    openssl req -in leaf.csr -outform DER -out sig.der
    flip sig.der -1
    run --separate-stderr p11ca --json lint sig.der
    equal "$status $(jq -r '.objects[0].findings[0].code' <<<"$output")" '1 CSR_SIG_BAD'
}

@test "a changed signature" {
    openssl x509 -in s.crt -outform DER -out s.der
    flip s.der -1
    succeeds p11ca lint s.der
    finds 'LINT_SIGNATURE LINT_REVOCATION' --issuer home/factory.crt s.der
}

@test "what cannot be read: exit 8; a private key: exit 4; no file, too many words: exit 2" {
    refused 8 'p11ca: nothing.pem: No such file or directory' p11ca lint nothing.pem
    echo hello >hello
    refused 8 'p11ca: hello: want a certificate, a CRL, a request or an OCSP response, have none of them' p11ca lint hello
    : >empty
    refused 8 'p11ca: empty: want a certificate, a CRL, a request or an OCSP response, have none of them' p11ca lint empty
    openssl pkey -in other.key -pubout -out pub.pem
    refused 8 'p11ca: pub.pem: block 1: want a certificate, a CRL, a request or an OCSP response, have none of them' p11ca lint pub.pem
    refused 4 'p11ca: other.key: block 1: want no private key in an input file, have one: treat it as disclosed' \
        p11ca lint other.key
    sed '3s/./*/' other.pem >broken.pem
    refused 8 'p11ca: broken.pem: block 1: RFC 7468 3: want base64 in the block, *' p11ca lint broken.pem
    refused 2 'p11ca: lint: want FILE, or --list' p11ca lint
    refused 2 'p11ca: option --list wants no FILE' p11ca lint --list other.pem
    # What is a certificate, but not in its form, is a finding.
    openssl x509 -in other.pem -outform DER | head -c -5 >short.der
    printf 'x' | cat <(openssl x509 -in other.pem -outform DER) - >long.der
    finds LINT_SYNTAX long.der
}

@test "--list: every rule once, with source, severity and where it applies; each is in the man page" {
    local page id
    succeeds p11ca --json lint --list
    equal "$(jq -r 'length > 200' <<<"$output")" true
    equal "$(jq -r '[.[].id] | (length) == (unique | length)' <<<"$output")" true
    equal "$(jq -r '[.[] | select(.source == "" or .field == "" or .applies == "")] | length' <<<"$output")" 0
    equal "$(jq -r '.[] | select(.id == "LINT_BR_ROOT_EKU") | .applies' <<<"$output")" 'certificate, CA, self-issued, br'
    equal "$(jq -r '.[] | select(.id == "LINT_DER") | .skippable' <<<"$output")" false
    page=$BATS_TEST_DIRNAME/../../src/cli/p11ca.1
    for id in $(jq -r '.[].id' <<<"$output"); do
        grep -qE "(^\.It | , )$id( |\$)" "$page" || fail "$id is not in the man page"
    done
    succeeds p11ca lint --list
    grep -qxF 'LINT_SERIAL_SIGN         error    RFC 5280 4.1.2.2: serial: certificate (never skipped)' <<<"$output"
}

# Every certificate this system trusts: an answer for each, whatever it is.
@test "the system's trust store" {
    local file n=0 errors=0 status_of
    [[ -d /etc/ssl/certs ]] || skip 'no trust store'
    for file in /etc/ssl/certs/*.pem; do
        status_of=0
        p11ca --json lint - <"$file" >"lint.$n" 2>/dev/null || status_of=$?
        [[ $status_of == 0 || $status_of == 1 ]] || fail "$file: exit status $status_of"
        errors=$((errors + status_of))
        n=$((n + 1))
    done
    [[ $n -gt 0 ]] || skip 'an empty trust store'
    echo "# trust store: $n certificates, $errors with errors" >&3
    jq -rs '[.[].objects[].findings[].id] | group_by(.) | map("# \(length) \(.[0])") | .[]' lint.* >&3
    # Roots are older than some rules, but most of them keep all.
    [[ $((2 * errors)) -lt $n ]] || fail "$errors of $n with errors"
}

# public: the Baseline Requirements are asked for, and an authority without ca-issuers-url breaks one. own: does not ask for that one.
@test "a skipped rule: not asked, and an event says so" {
    sed -i 's|"server", |"server", "public", "own", |' home/p11ca.conf
    cat >>home/p11ca.conf <<'EOF'
profiles = {
  public = { base = "server"; lint = [ "br" ]; days = 10; policies = ( { oid = "2.23.140.1.2.1"; } ); };
  own = { base = "public"; skip-lint = ( { rule = "LINT_BR_AIA"; reason = "nobody's browser will see it"; } ); };
};
EOF
    refused 4 "p11ca: k.key: profile 'public': BR 7.1.2.7.6: authorityInfoAccess: want it, have none" \
        p11ca -q -C home issue -a factory -p public --new-key k.key --dns www.example.org -o k.crt
    equal "$(sql "SELECT count(*) FROM event WHERE kind = 'lint-skip'")" 0
    succeeds p11ca -q -C home issue -a factory -p own --new-key k.key --dns www.example.org -o k.crt
    equal "$(sql "SELECT kind, authority, profile, hex(serial), detail FROM event WHERE kind = 'lint-skip'")" \
        "lint-skip|factory|own|$(openssl x509 -in k.crt -noout -serial | cut -d= -f2)|LINT_BR_AIA: nobody's browser will see it"
    sound
    succeeds p11ca -C home lint --profile own --issuer home/factory.crt k.crt
    run --separate-stderr p11ca -C home --json lint --profile public --issuer home/factory.crt k.crt
    equal "$status $(jq -r '[.objects[].findings[] | select(.severity == "error").id] | join(" ")' <<<"$output")" '1 LINT_BR_AIA'
}

@test "a skip that is none is refused" {
    cp home/p11ca.conf keep.conf
    local row
    for row in 'LINT_DER|because|want a rule that may be skipped, have one that may never be' \
        'LINT_NONE|because|want the id of a rule for certificates (p11ca lint --list)' \
        'LINT_CRL_DP| |want a reason, have none'; do
        IFS='|' read -r rule reason text <<<"$row"
        { cat keep.conf; printf 'profiles = { x = { base = "server"; skip-lint = ( { rule = "%s"; reason = "%s"; } ); }; };\n' "$rule" "$reason"; } >home/p11ca.conf
        refused 3 "*skip '$rule': $text" p11ca -C home profile list
    done
}

@test "a skipped rule in a ceremony: said aloud, in the transcript and in the ledger" {
    sed -i 's|^authorities = {|authorities = {\
  legacy = { token = "factory"; key = "legacy"; subject = "CN=Acme Legacy Root"; profile = "legacy-root"; issues = [ "server" ]; };|' \
        home/p11ca.conf
    printf 'profiles = { legacy-root = { base = "root-ca"; skip-lint = ( { rule = "LINT_NAME_EMAIL"; reason = "as the old root"; } ); }; };\n' \
        >>home/p11ca.conf
    cat >home/legacy.conf <<'EOF'
title = "A legacy root";
purpose = "Test.";
roles = { ADM = "Administrator"; };
steps = (
  { do = "generate-key"; authority = "legacy"; algorithm = "P-256"; },
  { do = "self-sign"; authority = "legacy"; }
);
EOF
    succeeds p11ca -C home ceremony run --yes home/legacy.conf
    [[ $stderr == *"not checked, profile 'legacy-root' says: LINT_NAME_EMAIL: as the old root"* ]] || fail 'want it said'
    grep -qhF '"lint_skips":["LINT_NAME_EMAIL: as the old root"]' home/ceremonies/*/transcript* || fail 'want it in the transcript'
    equal "$(sql "SELECT detail FROM event WHERE kind = 'lint-skip'")" 'LINT_NAME_EMAIL: as the old root'
    succeeds p11ca -C home ceremony verify home/ceremonies/*-legacy
}
