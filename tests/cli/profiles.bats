#!/usr/bin/env bats
# Every built-in profile from a real token, judged by others; profiles of one's own; p11ca profile.

load common

eternal_conf() {
    sed -i -e 's|^authorities = {|authorities = {\
  eternal = { token = "ids"; key = "eternal"; subject = "CN=Acme Device Root,O=Acme"; profile = "eternal-root";\
              issues = [ "id-ca", "intermediate-ca", "cross-ca" ]; };\
  mid = { token = "ids"; key = "mid"; subject = "CN=Acme Intermediate CA"; profile = "intermediate-ca"; issuer = "eternal";\
          issues = [ "issuing-ca" ]; };\
  low = { token = "ids"; key = "low"; subject = "CN=Acme Server CA"; profile = "issuing-ca"; issuer = "mid"; issues = [ "server" ]; };\
  ids = { token = "ids"; key = "ids"; subject = "CN=Acme Device Identity CA"; profile = "id-ca"; issuer = "eternal";\
          issues = [ "idevid", "ldevid", "piv-auth", "sensor", "tiny" ]; crl-url = "http://pki.acme.example/ids.crl";\
          ocsp-url = "http://ocsp.acme.example/"; ca-issuers-url = "http://pki.acme.example/ids.crt"; };\
  paa = { token = "ids"; key = "paa"; subject = "CN=Acme PAA,MatterVID=FFF1"; profile = "matter-paa"; issues = [ "matter-pai" ]; };\
  pai = { token = "ids"; key = "pai"; subject = "CN=Acme PAI,MatterVID=FFF1"; profile = "matter-pai"; issuer = "paa";\
          issues = [ "matter-dac" ]; };|' \
        -e 's|^tokens = {|tokens = {\
  ids = { kind = "softhsm2"; uri = "pkcs11:token=acme-ids"; pin = "file:pins/factory"; so-pin = "file:pins/factory-so";\
          store = "softhsm"; };|' \
        -e 's|issues = \[ "server", "client", "device" \]|issues = [ "server", "client", "device", "spiffe", "user", "ocsp-signer", "sensor" ]|' \
        "$1/p11ca.conf"
    echo '@include "profiles.conf"' >>"$1/p11ca.conf"
    cat >"$1/profiles.conf" <<'EOF'
profiles = {
  eternal-root = { base = "root-ca"; no-expiry = true; };
  # What it issues has usages of several kinds: none is forbidden here.
  id-ca = { base = "issuing-ca"; no-expiry = true; extended-key-usage = []; };
  sensor = {
    base = "ldevid";
    days = 30;
    max-size = 1024;
    san-allowed = [ "hw", "URI" ];
    subject = ( { attribute = "O"; from = "fixed"; value = "Acme"; },
                { attribute = "CN"; from = "csr"; },
                { attribute = "serialNumber"; from = "manifest"; value = "{id}"; } );
    sans = ( { kind = "hw"; from = "manifest"; value = "1.3.6.1.4.1.32473.1.1:{id}"; },
             { kind = "URI"; from = "manifest"; value = "spiffe://acme.example/line/{line}"; optional = true; } );
    policies = ( { oid = "1.3.6.1.4.1.32473.1.3"; } );
    extensions = ( { oid = "1.3.6.1.4.1.32473.2.1"; type = "UTF8String"; max = 16; from = "manifest"; value = "{firmware}";
                     optional = true; } );
  };
  tiny = { base = "sensor"; max-size = 300; };
};
EOF
}

setup_file() {
    prepare_home
    cd "$BATS_FILE_TMPDIR"
    eternal_conf home
    cat >ids.conf <<'EOF'
title = "CAs for device identities";
purpose = "Test.";
roles = { ADM = "Administrator"; };
steps = (
  { do = "init-token"; token = "ids"; },
  { do = "generate-key"; authority = "eternal"; algorithm = "P-256"; },
  { do = "self-sign"; authority = "eternal"; },
  { do = "generate-key"; authority = "ids"; algorithm = "P-256"; },
  { do = "request"; authority = "ids"; file = "ids.csr"; },
  { do = "sign-request"; authority = "eternal"; for = "ids"; request = "ids.csr"; certificate = "ids-signed.crt"; },
  { do = "install"; authority = "ids"; certificate = "ids-signed.crt"; },
  { do = "generate-key"; authority = "mid"; algorithm = "P-384"; },
  { do = "request"; authority = "mid"; file = "mid.csr"; },
  { do = "sign-request"; authority = "eternal"; for = "mid"; request = "mid.csr"; certificate = "mid-signed.crt"; },
  { do = "install"; authority = "mid"; certificate = "mid-signed.crt"; },
  { do = "generate-key"; authority = "low"; algorithm = "RSA-3072"; },
  { do = "request"; authority = "low"; file = "low.csr"; },
  { do = "sign-request"; authority = "mid"; for = "low"; request = "low.csr"; certificate = "low-signed.crt"; days = 3000; },
  { do = "install"; authority = "low"; certificate = "low-signed.crt"; },
  { do = "cross-sign"; authority = "eternal"; for = "root"; certificate = "root-under-eternal.crt"; days = 1000; },
  { do = "generate-key"; authority = "paa"; algorithm = "P-256"; },
  { do = "self-sign"; authority = "paa"; },
  { do = "generate-key"; authority = "pai"; algorithm = "P-256"; },
  { do = "request"; authority = "pai"; file = "pai.csr"; },
  { do = "sign-request"; authority = "paa"; for = "pai"; request = "pai.csr"; certificate = "pai-signed.crt"; },
  { do = "install"; authority = "pai"; certificate = "pai-signed.crt"; }
);
EOF
    cp ids.conf home/
    p11ca -q -C home ceremony run --yes home/ids.conf
} >/dev/null

setup() {
    use_home
}

# issue AUTHORITY PROFILE FILE [options]: FILE.key, FILE.crt.
issue() {
    p11ca -q -C home issue -a "$1" -p "$2" --new-key "$3.key" -o "$3.crt" "${@:4}" >/dev/null
}

# judged ROOT ISSUERS FILE PURPOSE: OpenSSL with -x509_strict, GnuTLS. ISSUERS: the lowest first.
judged() {
    local purpose=() issuer
    case $4 in
    sslserver) purpose=(--verify-purpose 1.3.6.1.5.5.7.3.1) ;;
    sslclient) purpose=(--verify-purpose 1.3.6.1.5.5.7.3.2) ;;
    esac
    cp "$3.crt" "$3.chain"
    for issuer in $2; do
        cat "home/$issuer.crt" >>"$3.chain"
    done
    openssl verify -x509_strict -purpose "$4" -CAfile "home/$1.crt" -untrusted "$3.chain" "$3.crt" >/dev/null ||
        fail "OpenSSL: $3"
    certtool --verify "${purpose[@]}" --infile "$3.chain" --load-ca-certificate "home/$1.crt" >/dev/null 2>&1 ||
        fail "GnuTLS: $3"
}

text_of() {
    openssl x509 -in "$1.crt" -noout -text -certopt ext_parse -nameopt RFC2253
}

has() {
    grep -qF -- "$2" <<<"$1" || fail "want '$2' in: $1"
}

@test "CAs: root, intermediate, without expiry, Matter" {
    local ca
    for ca in eternal paa root; do
        openssl verify -x509_strict -CAfile "home/$ca.crt" "home/$ca.crt"
    done
    openssl verify -x509_strict -CAfile home/eternal.crt home/ids.crt
    openssl verify -x509_strict -CAfile home/paa.crt home/pai.crt
    equal "$(openssl x509 -in home/eternal.crt -noout -enddate)" "notAfter=Dec 31 23:59:59 9999 GMT"
    openssl x509 -in home/pai.crt -outform DER | od -An -v -tx1 | tr -d " \n" | grep -q 180f39393939313233313233353935395a
}

@test "three tiers, and a root under another one" {
    issue low server t --dns www.acme.example
    judged eternal "low mid" t sslserver
    issue factory server s --dns www.acme.example
    cp home/root-under-eternal.crt home/crossed.crt
    judged eternal "factory crossed" s sslserver
    refute judged eternal factory s sslserver
}

@test "server, client, device, user, ocsp-signer" {
    issue factory server s --dns www.acme.example
    judged root factory s sslserver
    issue factory client c --subject CN=svc --uri urn:acme:svc
    judged root factory c sslclient
    issue factory device d --id SN1
    judged root factory d sslclient
    issue factory user u --subject CN=Alice --email alice@acme.example --san UPN:alice@acme.example
    judged root factory u sslclient
    issue factory ocsp-signer o --subject 'CN=Acme OCSP'
    judged root factory o ocsphelper
}

@test "idevid: no expiry, serialNumber, HardwareModuleName; refused under a CA that ends" {
    issue ids idevid i --id SN000001 --san hw:1.3.6.1.4.1.32473.1.1:SN000001
    judged eternal ids i any
    openssl x509 -in i.crt -outform DER | od -An -v -tx1 | tr -d " \n" >i.hex
    grep -q 180f39393939313233313233353935395a i.hex
    grep -q a02406082b06010505070804a0183016060a2b0601040181fd5901010408534e303030303031 i.hex
    sed -i 's/"ocsp-signer", "sensor"/"idevid"/' home/p11ca.conf
    refused 4 "p11ca: x.key: profile 'idevid': RFC 5280 6.1.3: validity: want an end within the issuer's, *, have 9999-12-31T23:59:59Z (no expiry: give days, or the issuer none either)" \
        p11ca -q -C home issue -a factory -p idevid --new-key x.key --id SN2 -o x.crt
    issue factory idevid y --id SN2 --days 30
}

@test "ldevid: a HardwareModuleName; a request without any name is refused" {
    openssl ecparam -name prime256v1 -genkey -noout -out l.key
    openssl req -new -key l.key -subj / -out l.csr
    refused 4 "p11ca: l.csr: request: subject: RFC 5280 4.1.2.6: want a name or an alternative name, have neither" \
        p11ca -q -C home issue -a ids -p ldevid --csr l.csr -o l.crt
    p11ca -q -C home issue -a ids -p ldevid --csr l.csr --id SN7 --san hw:1.3.6.1.4.1.32473.1.1:SN7 -o l.crt >/dev/null
    judged eternal ids l sslclient
    has "$(text_of l)" "OCSP - URI:http://ocsp.acme.example/"
    has "$(text_of l)" "CA Issuers - URI:http://pki.acme.example/ids.crt"
}

@test "spiffe: one URI, both usages" {
    issue factory spiffe w --uri spiffe://acme.example/ns/press/sa/one
    judged root factory w sslserver
    judged root factory w sslclient
    has "$(text_of w)" "X509v3 Subject Alternative Name: critical"
    refused 4 "p11ca: *SPIFFE*" p11ca -q -C home issue -a factory -p spiffe --new-key x.key --uri https://a.example/ -o x.crt
    refused 4 "p11ca: x.key: profile 'spiffe': X509-SVID 5.2: subjectAltName: want exactly one URI, have 2" \
        p11ca -q -C home issue -a factory -p spiffe --new-key x.key --uri spiffe://a.example/a \
        --uri spiffe://a.example/b -o x.crt
    refused 4 "p11ca: x.key: profile 'spiffe': X509-SVID 5.2: subjectAltName: want a path, have a trust domain alone" \
        p11ca -q -C home issue -a factory -p spiffe --new-key x.key --uri spiffe://a.example -o x.crt
}

@test "matter: PAA, PAI, DAC of the vendor; another vendor's is refused" {
    issue pai matter-dac m --id SN1 --subject 'CN=SN1,MatterVID=FFF1,MatterPID=8000'
    judged paa pai m any
    (($(openssl x509 -in m.crt -outform DER | wc -c) <= 600))
    refused 4 "p11ca: *Matter*" p11ca -q -C home issue -a pai -p matter-dac --new-key x.key --id SN2 -o x.crt
    refused 4 "p11ca: *Matter*" p11ca -q -C home issue -a pai -p matter-dac --new-key x.key --id SN2 \
        --subject 'CN=SN2,MatterVID=FFF2,MatterPID=8000' -o x.crt
    openssl ecparam -name secp384r1 -genkey -noout -out p384.key
    openssl ec -in p384.key -pubout -out p384.pub 2>/dev/null
    refused 4 "p11ca: p384.pub: profile 'matter-dac': public key: want a kind of key it allows, have EC P-384" \
        p11ca -q -C home issue -a pai -p matter-dac --pubkey p384.pub --id SN3 --subject 'CN=SN3,MatterVID=FFF1,MatterPID=8000' -o x.crt
}

@test "piv-auth: FASC-N, UUID, UPN, policy, three usages" {
    issue ids piv-auth p --subject 'CN=DOE.JANE.1234567890' --san FASC-N:9999-9999-999999-0-1-0000000000-3-0000-1 \
        --uri urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6 --san UPN:1234567890@mil
    judged eternal ids p sslclient
    has "$(text_of p)" "Policy: 2.16.840.1.101.3.2.1.3.13"
    has "$(text_of p)" "TLS Web Client Authentication, Microsoft Smartcard Login, PKINIT Client Auth"
    refused 4 "p11ca: *FASC-N*" p11ca -q -C home issue -a ids -p piv-auth --new-key x.key --subject 'CN=DOE.JANE' \
        --uri urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6 -o x.crt
}

@test "a profile of one's own: subject, names and an extension from fields and the request" {
    ec_request leaf "/O=Whoever/CN=press 3"
    p11ca -q -C home issue -a ids -p sensor --csr leaf.csr --id SN1 --field line=4 --field firmware=2.1 -o leaf.crt >/dev/null
    judged eternal ids leaf sslclient
    equal "$(openssl x509 -in leaf.crt -noout -subject -nameopt RFC2253)" 'subject=serialNumber=SN1,CN=press 3,O=Acme'
    has "$(text_of leaf)" "URI:spiffe://acme.example/line/4"
    has "$(text_of leaf)" "Policy: 1.3.6.1.4.1.32473.1.3"
    openssl x509 -in leaf.crt -outform DER | od -An -v -tx1 | tr -d " \n" | grep -q '060a2b0601040181fd5902010405.*0c03322e31'
    # the same order again is the same certificate, and a profile that says something else another order
    p11ca -q --json -C home issue -a ids -p sensor --csr leaf.csr --id SN1 --field line=4 --field firmware=2.1 -o leaf.crt |
        jq -e '.outcome == "reused"'
    sed -i 's/days = 30/days = 31/' home/profiles.conf
    run --separate-stderr p11ca -q --json -C home issue -a ids -p sensor --csr leaf.csr --id SN1 --field line=4 \
        --field firmware=2.1 -o other.crt
    equal "$status" 4
    equal "$(jq -r .error.code <<<"$output")" DEVICE_ISSUED
}

@test "what a profile of one's own refuses, before the token is touched" {
    ec_request leaf "/CN=press 3"
    ec_request wrong "/CN=press 3/serialNumber=SN9"
    use_fault_module
    local issue=(p11ca -q -C home issue -a ids -p sensor -o x.crt)
    refused 4 "p11ca: leaf.csr: profile 'sensor': hw: want field 'id', have none" "${issue[@]}" --csr leaf.csr
    refused 4 "p11ca: wrong.csr: profile 'sensor': serialNumber: want 'SN1' in the request, have 'SN9'" "${issue[@]}" --csr wrong.csr --id SN1
    refused 4 "p11ca: profile 'sensor': want fields of its templates, have 'lime'" "${issue[@]}" --csr leaf.csr --id SN1 --field lime=4
    refused 4 "p11ca: leaf.csr: profile 'sensor': URI: field 'line': want A-Z a-z 0-9 _ - . inside other text, have '../root'" \
        "${issue[@]}" --csr leaf.csr --id SN1 --field line=../root
    refused 4 "p11ca: leaf.csr: profile 'sensor': subject: want none from the order, the profile makes it, have 'CN=x'" \
        "${issue[@]}" --csr leaf.csr --id SN1 --subject CN=x
    refused 4 "p11ca: leaf.csr: profile 'sensor': SAN: want no URI from the order, have urn:x:y" "${issue[@]}" --csr leaf.csr --id SN1 --uri urn:x:y
    refused 4 "p11ca: leaf.csr: profile 'sensor': 1.3.6.1.4.1.32473.2.1: *" "${issue[@]}" --csr leaf.csr --id SN1 --field firmware=12345678901234567
    refused 4 "p11ca: leaf.csr: profile 'tiny': the profile: size: want at most 300 octets, have up to *" \
        p11ca -q -C home issue -a ids -p tiny -o x.crt --csr leaf.csr --id SN1
    refused 2 "p11ca: field 'id': want a name of a-z 0-9 _ -, and the device ID as --id" "${issue[@]}" --csr leaf.csr --field id=SN1
    refused 2 "p11ca: option --field: want NAME=TEXT, have 'line'" "${issue[@]}" --csr leaf.csr --field line
    equal "$(calls C_Login)" 0
    equal "$(calls C_Sign)" 0
}

@test "profile list, show and check" {
    run --separate-stderr p11ca profile list
    equal "$status" 0
    equal "${#lines[@]}" 16
    run --separate-stderr p11ca -C home profile list
    equal "${#lines[@]}" 20
    has "$output" "sensor           own"
    run --separate-stderr p11ca -C home profile show tiny
    has "$output" "    max-size = 300; # tiny, "
    has "$output" "profiles.conf:"
    has "$output" "    key-usage = [ \"digitalSignature\" ]; # idevid"
    # what is shown is a profile
    { echo 'profiles = {' && echo "${output/tiny/copy}" && echo '};'; } >copy.conf
    run --separate-stderr p11ca profile check copy.conf
    equal "$status" 0
    equal "${output%% *}" copy
    p11ca --json -C home profile show sensor | jq -e '.values[] | select(.key == "days") | .value == "30" and .profile == "sensor" and .line == 7'
    p11ca --json profile list | jq -e 'map(select(.built_in)) | length == 16'
    p11ca -C home profile check
    refused 2 "p11ca: no profile 'nothing'" p11ca profile show nothing
    echo 'profiles = { x = { base = "device"; dais = 3; }; };' >bad.conf
    refused 3 "p11ca: bad.conf:1: unknown key 'dais' in profiles.x" p11ca profile check bad.conf
    echo 'other = 1;' >bad.conf
    refused 3 "p11ca: bad.conf:1: unknown key 'other' in bad.conf" p11ca profile check bad.conf
    refused 3 "p11ca: missing/p11ca.conf: *" p11ca -C missing profile list
    echo 'profiles = { x = { base = "device"; days = 0; }; };' >home/profiles.conf
    refused 3 "p11ca: profiles.conf:1: *" p11ca -C home profile check
}

@test "a device's identity: a request for another serialNumber; a leaf called like its issuer" {
    ec_request other "/O=Acme/serialNumber=SN9"
    refused 4 "p11ca: other.csr: device ID 'SN1': the request's subject says serialNumber 'SN9' (give --subject to decide)" \
        p11ca -q -C home issue -a ids -p idevid --csr other.csr --id SN1 --san hw:1.3.6.1.4.1.32473.1.1:SN1 -o x.crt
    p11ca -q -C home issue -a ids -p idevid --csr other.csr --id SN9 -o other.crt >/dev/null
    judged eternal ids other any
    refused 4 "p11ca: x.key: profile 'client': RFC 5280 4.1.2.4: issuer: want another name than the subject's in a leaf, have the same" \
        p11ca -q -C home issue -a factory -p client --new-key x.key --uri urn:acme:x -o x.crt \
        --subject "$(openssl x509 -in home/factory.crt -noout -subject -nameopt RFC2253 | sed 's/^subject=//')"
}

@test "audit: what a profile said then is no fault now, nor what a ceremony's step said instead of it" {
    ec_request leaf "/CN=press 3"
    p11ca -q -C home issue -a ids -p sensor --csr leaf.csr --id SN1 -o leaf.crt >/dev/null
    sound
    equal "$(grep -c 'as the profile is now' <<<"$output" || true)" 0
    sed -i 's/san-allowed = \[ "hw", "URI" \];/& key-usage = [ "digitalSignature", "keyAgreement" ];/' home/profiles.conf
    sound
    has "$output" "as the profile is now: profile 'sensor': RFC 5280 4.2.1.3: keyUsage: want digitalSignature, keyAgreement, have digitalSignature"
    printf '  %s = { token = "ids"; key = "%s"; subject = "CN=%s"; profile = "%s"; };\n' \
        deep deep Deep root-ca >deep.conf
    sed -i '/^authorities = {/r deep.conf' home/p11ca.conf
    cat >home/deep-script.conf <<'EOF'
title = "A root with a path length";
steps = ( { do = "generate-key"; authority = "deep"; algorithm = "P-256"; },
          { do = "self-sign"; authority = "deep"; path-length = 2; } );
EOF
    p11ca -q -C home ceremony run --yes home/deep-script.conf
    has "$(openssl x509 -in home/deep.crt -noout -text)" pathlen:2
    sound
}

@test "a rehearsal knows the home's own profiles" {
    p11ca -q -C home ceremony rehearse --yes home/ids.conf --dir rehearsal 2>err || fail "$(cat err)"
}

@test "a rehearsal has stand-ins for issuers elsewhere, also of one's own profiles and of those that do not end" {
    sed -i 's/^authorities = {/&\n  lone = { token = "ids"; key = "lone"; subject = "CN=Lone"; profile = "id-ca"; };/' home/p11ca.conf
    echo 'title = "A list"; steps = ( { do = "sign-crl"; authority = "lone"; file = "lone.crl"; days = 10; } );' >home/list.conf
    succeeds p11ca -q -C home ceremony rehearse --yes home/list.conf --dir rehearsal
}

@test "a ceremony knows the home's weak keys before it begins, and so does its rehearsal" {
    openssl req -new -newkey rsa:3072 -nodes -keyout sub.key -subj /CN=Sub -out home/sub.csr 2>/dev/null
    openssl req -in home/sub.csr -noout -modulus | sha1sum | cut -c 21-40 >home/weak
    sed -i -e 's/^authorities = {/&\n  sub = { subject = "CN=Sub"; profile = "id-ca"; issuer = "eternal"; };/' \
        -e '1i weak-keys = [ "weak" ];' home/p11ca.conf
    cat >home/sign.conf <<'EOF'
title = "Another CA";
steps = ( { do = "sign-request"; authority = "eternal"; for = "sub"; request = "sub.csr"; certificate = "sub.crt"; } );
EOF
    for during in check 'run --yes' 'rehearse --yes'; do
        # Words on purpose.
        # shellcheck disable=SC2086
        refused 3 "p11ca: *sign.conf:2: sign-request: *CVE-2008-0166?" p11ca -q -C home ceremony $during home/sign.conf
    done
    sed -i 1d home/p11ca.conf
    succeeds p11ca -q -C home ceremony check home/sign.conf
}
