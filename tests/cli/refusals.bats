#!/usr/bin/env bats
# What is refused: one line, the right exit code, nothing written, the token not touched, the refusal in
# the ledger. The numbers are stable names of kinds of bad input.

load common

setup_file() {
    prepare_home
    cd "$BATS_FILE_TMPDIR"
    mkdir in
    cd in
    ec_request good /CN=leaf-1
    openssl req -in good.csr -outform DER -out good.der
    openssl pkey -in good.key -pubout -out good.pub
    ec_request named /CN=www.example -addext 'subjectAltName=DNS:www.example'
}

setup() {
    use_home
    cp "$BATS_FILE_TMPDIR"/in/* .
    use_fault_module
}

# refused_order PATTERN [options of issue]: exit 4 and all that goes with it.
refused_order() {
    local pattern=$1
    shift
    refused 4 "p11ca: $pattern" p11ca -C home issue -a factory -o out.crt "$@"
    reject_noted
    untouched
}

# Not one call reached the module.
untouched() {
    [[ ! -e calls ]] || fail "want no token call, have: $(sort calls | uniq -c | tr '\n' ',')"
}

request_with() {
    openssl req -new -key "$1" -subj /CN=leaf-1 -out "$2"
}

@test "this very order is good" {
    succeeds p11ca -C home issue -a factory -p device --csr good.csr -o out.crt
    [[ $(calls C_Sign) -ge 1 ]] || fail 'want token calls in the log, or the tests here prove nothing'
}

@test "1: a signature that does not verify" {
    local size
    size=$(stat -c %s good.der)
    # The last octets are the signature's s.
    (head -c $((size - 3)) good.der && printf '\x5a\x5a\x5a') >bad.der
    refused_order "bad.der: request: RFC 2986 4.2: signature: want proof that the key's owner asked, have a signature that does not verify" \
        -p device --csr bad.der
}

@test "1: a subject that was changed after signing" {
    sed 's/leaf-1/leaf-2/' good.der >bad.der
    refused_order "bad.der: request: RFC 2986 4.2: signature: *" -p device --csr bad.der
}

# With e = 1 the signature is the padded hash itself: anyone can make it for any modulus, and OpenSSL 3.0
# says that it verifies.
rsa_e1_request() {
    local n hash
    n=$(openssl genrsa 2048 2>/dev/null | openssl rsa -noout -modulus 2>/dev/null | cut -d= -f2)
    cat >e1.cnf <<END
asn1 = SEQUENCE:outer
[outer]
tbs = SEQUENCE:tbs
alg = SEQUENCE:sha256
sig = FORMAT:HEX,BITSTRING:SIGNATURE
[tbs]
version = INTEGER:0
subject = SEQUENCE:rdns
spki = SEQUENCE:spki
attributes = IMPLICIT:0C,SET:none
[none]
[rdns]
rdn = SET:cn
[cn]
cn = SEQUENCE:atv
[atv]
type = OID:2.5.4.3
value = UTF8:leaf-1
[spki]
alg = SEQUENCE:rsa
key = BITWRAP,SEQUENCE:pub
[rsa]
oid = OID:1.2.840.113549.1.1.1
null = NULL
[pub]
n = INTEGER:0x$n
e = INTEGER:1
[sha256]
oid = OID:1.2.840.113549.1.1.11
null = NULL
END
    sed 's/^asn1 = .*/asn1 = SEQUENCE:tbs/' e1.cnf >tbs.cnf
    openssl asn1parse -genconf tbs.cnf -noout -out tbs.der
    hash=$(sha256sum tbs.der | cut -d' ' -f1)
    sed -i "s/SIGNATURE/0001$(printf 'ff%.0s' {1..202})003031300d060960864801650304020105000420$hash/" e1.cnf
    openssl asn1parse -genconf e1.cnf -noout -out e1.der
}

@test "2: RSA with e = 1, its forged signature good for OpenSSL" {
    rsa_e1_request
    # What makes it dangerous; if this changes, the request was made wrong.
    succeeds openssl req -in e1.der -inform DER -noout -verify
    [[ $output$stderr == *'verify OK'* ]] || fail 'want a request that OpenSSL lets through'
    refused_order 'e1.der: request: public key: BR 6.1.6: want an RSA exponent of at least 65537, have 1' -p device --csr e1.der
}

@test "3: RSA with e = 3" {
    openssl genrsa -3 -out e3.key 2048 2>/dev/null
    request_with e3.key e3.csr
    refused_order 'e3.csr: request: public key: BR 6.1.6: want an RSA exponent of at least 65537, have 3' -p device --csr e3.csr
}

@test "4: RSA-1024" {
    openssl genrsa -out small.key 1024 2>/dev/null
    request_with small.key small.csr
    refused_order 'small.csr: request: public key: BR 6.1.5: want an RSA modulus of at least 2048 bits, have 1024' \
        -p device --csr small.csr
    openssl pkey -in small.key -pubout -out small.pub
    refused_order 'small.pub: public key: BR 6.1.5: want an RSA modulus of at least 2048 bits, have 1024' \
        -p device --id leaf-1 --pubkey small.pub
}

@test "7: secp256k1, P-224, brainpool, Ed25519" {
    local curve
    declare -A names=([secp256k1]=secp256k1 [secp224r1]=P-224 [brainpoolP256r1]='*')
    for curve in "${!names[@]}"; do
        openssl ecparam -name "$curve" -genkey -noout -out curve.key
        request_with curve.key curve.csr
        refused_order "curve.csr: request: public key: BR 6.1.5: want curve P-256, P-384 or P-521, have ${names[$curve]}" \
            -p device --csr curve.csr
    done
    openssl genpkey -algorithm ed25519 -out ed.key
    request_with ed.key ed.csr
    refused_order 'ed.csr: request: public key: BR 6.1.5: want an EC or RSA key, have *' -p device --csr ed.csr
}

@test "8: explicit parameters that equal P-256" {
    openssl ecparam -name prime256v1 -param_enc explicit -genkey -noout -out explicit.key
    request_with explicit.key explicit.csr
    refused_order 'explicit.csr: request: public key: RFC 5480 2.1.1: want a named curve, have explicit parameters' \
        -p device --csr explicit.csr
    # Not a matter of possession: the same without a request.
    openssl ec -in explicit.key -param_enc explicit -pubout -out explicit.pub 2>/dev/null
    refused_order 'explicit.pub: public key: RFC 5480 2.1.1: want a named curve, have explicit parameters' \
        -p device --id leaf-1 --pubkey explicit.pub
}

@test "9: a point that is not on the curve" {
    openssl pkey -in good.key -pubout -outform DER -out point.der
    (head -c $(($(stat -c %s point.der) - 4)) point.der && printf '\x01\x02\x03\x04') >off.der
    refused_order 'off.der: public key: SP 800-56A 5.6.2.3: want a point on P-256, have another' -p device --id leaf-1 --pubkey off.der
}

@test "11: a compressed point" {
    openssl ec -in good.key -conv_form compressed -out compressed.key 2>/dev/null
    request_with compressed.key compressed.csr
    refused_order 'compressed.csr: request: public key: RFC 5480 2.2: want an uncompressed point, have a compressed one' \
        -p device --csr compressed.csr
}

@test "13: the key of another device" {
    succeeds p11ca -C home issue -a factory -p device --csr good.csr -o first.crt
    rm calls
    openssl req -new -key good.key -subj /CN=leaf-2 -out second.csr
    refused_order "second.csr: public key: device 'leaf-1' has it already" -p device --csr second.csr
}

@test "14: a CA's own key" {
    succeeds p11ca -C home request factory -o ca.csr
    rm calls
    refused_order "ca.csr: public key: it is the key of authority 'factory'" -p device --csr ca.csr --id leaf-1 --subject CN=leaf-1
    openssl x509 -in home/root.crt -noout -pubkey >root.pub
    refused_order "root.pub: public key: it is the key of authority 'root'" -p server --pubkey root.pub --dns a.example
}

@test "16: a device that was issued, with another key" {
    succeeds p11ca -C home issue -a factory -p device --csr good.csr -o first.crt
    rm calls
    ec_request again /CN=leaf-1
    refused_order "again.csr: device 'leaf-1': profile 'device' was issued to it before, with another key or other names" \
        -p device --csr again.csr
}

@test "18: a request for a CA certificate" {
    openssl req -new -key good.key -subj /CN=leaf-1 -addext basicConstraints=critical,CA:TRUE -out ca.csr
    refused_order 'ca.csr: request: RFC 5280 4.2.1.9: want a request for an end entity, have basicConstraints cA TRUE' \
        -p device --csr ca.csr
    openssl req -new -key good.key -subj /CN=leaf-1 -addext keyUsage=keyCertSign -out ca.csr
    refused_order 'ca.csr: request: RFC 5280 4.2.1.9: want a request for an end entity, have keyUsage keyCertSign' \
        -p device --csr ca.csr
}

@test "19: what a request asks for and does not get is told" {
    openssl req -new -key good.key -subj /CN=leaf-1 -addext basicConstraints=CA:FALSE -addext extendedKeyUsage=serverAuth,codeSigning \
        -out wants.csr
    succeeds p11ca -C home issue -a factory -p device --csr wants.csr -o out.crt
    [[ $stderr == 'wants.csr: asked for and not given: '*xtendedKeyUsage* || $stderr == 'wants.csr: asked for and not given: '*extKeyUsage* ]] ||
        fail 'want it told'
    [[ $(openssl x509 -in out.crt -noout -ext extendedKeyUsage) == *'TLS Web Client Authentication' ]]
}

@test "24: bytes behind the request" {
    (cat good.der && printf trailer) >trailing.der
    refused_order "trailing.der: request: want nothing after $(stat -c %s good.der) octets, have 7 more" -p device --csr trailing.der
    (cat good.csr && echo trailer) >trailing.csr
    refused_order 'trailing.csr: RFC 7468 3: want nothing after the END line, have something' -p device --csr trailing.csr
}

@test "24: a request cut short, empty, nonsense" {
    head -c 100 good.der >short.der
    refused_order 'short.der: *' -p device --csr short.der
    : >empty.csr
    refused_order 'empty.csr: want a certificate request, have nothing' -p device --csr empty.csr
    head -c 300 /dev/zero >zero.der
    refused_order 'zero.der: want a certificate request in PEM or DER, have neither' -p device --csr zero.der
    sed '2s/./!/' good.csr >broken.csr
    refused_order 'broken.csr: RFC 7468 3: want base64 in the block, have *' -p device --csr broken.csr
}

@test "28: a SHA-1 signature" {
    openssl req -new -sha1 -key good.key -subj /CN=leaf-1 -out sha1.csr
    refused_order 'sha1.csr: request: *SHA1*' -p device --csr sha1.csr
}

@test "30: control characters in names, not echoed" {
    openssl req -new -key good.key -subj "/CN=$(printf 'a\033[31mb')" -out escape.csr
    refused_order 'escape.csr: request: subject: CN: RFC 5280 4.1.2.4: want visible text, have the control character U+001B' \
        -p device --csr escape.csr
    openssl req -new -utf8 -key good.key -subj "/CN=a$(printf '\u202e')b" -out bidi.csr
    refused_order 'bidi.csr: request: subject: CN: * have *U+202E' -p device --csr bidi.csr
    refused_order '*subject: *control character U+001B' -p device --csr good.csr --subject $'CN=a\e[31mb'
    refused 8 'p11ca: no\\x1b\[31mne.csr: No such file or directory' p11ca -C home issue -a factory -p device --csr $'no\e[31mne.csr' -o out.crt
    refused 2 'p11ca: no profile '\''\\x1b\[31mdevice'\' p11ca -C home issue -a factory -p $'\e[31mdevice' --csr good.csr -o out.crt
}

@test "33: a CN of 65 characters" {
    refused_order '*subject: *65*' -p device --csr good.csr --subject "CN=$(printf 'x%.0s' {1..65})"
}

@test "38: a country of three letters" {
    refused_order '*subject: *' -p device --csr good.csr --subject CN=leaf-1,C=USA
}

@test "39: names that are none" {
    local name
    for name in 'a b.example' '-a.example' 'a..example' 'a.example.' '' "$(printf 'a%.0s' {1..64}).example" $'a\nb.example' '127.0.0.1'; do
        refused_order '*' -p server --csr good.csr --dns "$name"
    done
    refused_order '*' -p server --csr good.csr --ip 300.1.1.1
    refused_order '*' -p server --csr good.csr --ip a.example
    refused_order '*' -p client --csr good.csr --email nobody
    refused_order '*' -p client --csr good.csr --uri 'not a uri'
}

@test "39: names of other kinds that are none" {
    refused_order "SAN UPN 'alice': Microsoft UPN: want one @" -p client --csr good.csr --san upn:alice
    refused_order "SAN hw '1.2.3': RFC 4108 5: want TYPE:SERIAL" -p device --csr good.csr --san hw:1.2.3
    refused_order "SAN FASC-N '1': FIPS 201-3 4.2.1: want *" -p client --csr good.csr --san FASC-N:1
    refused_order "SAN dirname: C: RFC 5280 A.1: want 2 letters, have 3" -p client --csr good.csr --san dirname:C=USA
    refused_order "SAN URI 'spiffe://A/b': SPIFFE-ID 2: want *" -p client --csr good.csr --uri spiffe://A/b
    refused_order "good.pub: profile 'client': SAN: want DNS or URI or email, have UPN:alice@corp" \
        -p client --pubkey good.pub --subject CN=Alice --san UPN:alice@corp
    refused 2 "p11ca: 'x500:a': want KIND:NAME, KIND one of DNS, IP, URI, email, hw, permid, UPN, smtputf8, SRV, FASC-N, RID, dirname" \
        p11ca -C home issue -a factory -o out.crt -p client --csr good.csr --san x500:a
    refused 2 "p11ca: 'alice': want KIND:NAME, *" p11ca -C home issue -a factory -o out.crt -p client --csr good.csr --san alice
    untouched
}

@test "39: host names that IDNA2008 does not allow; a request must hold A-labels" {
    refused_order "SAN DNS '☃.example': RFC 5891 5: want a host name that IDNA2008 allows: *" -p server --csr good.csr --dns ☃.example
    refused_order "SAN DNS 'xn--a.example': RFC 5890 2.3.2.1: want xn-- labels that are A-labels" -p server --csr good.csr --dns xn--a.example
    openssl req -new -key good.key -subj /CN=leaf-1 -addext 'subjectAltName=DNS:bücher.example' -out u.csr
    refused_order 'u.csr: request: SAN DNS: RFC 5280 4.2.1.6: want ASCII (host names as A-labels), have other characters' \
        -p server --csr u.csr
    openssl req -new -key good.key -subj /CN=leaf-1 -addext 'subjectAltName=DNS:xn--a.example' -out x.csr
    refused_order "x.csr: request: SAN DNS 'xn--a.example': RFC 5890 2.3.2.1: *" -p server --csr x.csr
}

@test "32 and 39: names in requests that are none, or of no profile" {
    local san
    # asn1 of the request, pattern of the refusal
    while IFS='|' read -r san pattern; do
        openssl req -new -key good.key -subj /CN=leaf-1 -addext "subjectAltName=$san" -out other.csr
        refused_order "other.csr: $pattern" -p client --csr other.csr
    done <<'EOF'
otherName:1.3.6.1.4.1.311.20.2.3;IA5:alice@corp|request: SAN UPN: Microsoft UPN: want a UTF8String
otherName:1.3.6.1.4.1.311.20.2.3;UTF8:alice|request: SAN UPN 'alice': Microsoft UPN: want one @
otherName:1.3.6.1.4.1.311.20.2.3;UTF8:alice@corp|profile 'client': SAN: want DNS or URI or email, have UPN:alice@corp
otherName:1.3.6.1.5.5.7.8.7;IA5:ldap.example|request: SAN SRV 'ldap.example': RFC 4985 2: want _service.name
otherName:1.2.3.4;UTF8:a|request: SAN otherName 1.2.3.4: no profile issues this kind of name
RID:1.2.3.4|profile 'client': SAN: want DNS or URI or email, have RID:1.2.3.4
EOF
}

@test "43: device IDs that are none" {
    local id
    for id in ../x a/b .hidden -dash 'a b' '' "$(printf 'x%.0s' {1..65})" 'ä' $'a\nb'; do
        refused_order "*device ID '*': want 1 to 64 of A-Z a-z 0-9 . _ -, no leading dot or dash" -p device --csr good.csr --id "$id" --subject CN=leaf-1
    done
    openssl req -new -key good.key -subj '/CN=..\/..\/etc\/passwd' -out path.csr
    refused_order "path.csr: subject CN '../../etc/passwd': want *; give a device ID (--id)" -p device --csr path.csr
}

@test "44: links, pipes, folders, nothing" {
    ln -s good.csr link.csr
    mkfifo pipe.csr
    refused 8 'p11ca: link.csr: want a regular file, have a symbolic link' p11ca -C home issue -a factory -p device --csr link.csr -o out.crt
    refused 8 'p11ca: pipe.csr: want a regular file' p11ca -C home issue -a factory -p device --csr pipe.csr -o out.crt
    refused 8 'p11ca: .: want a regular file' p11ca -C home issue -a factory -p device --csr . -o out.crt
    refused 8 'p11ca: /dev/zero: want a regular file' p11ca -C home issue -a factory -p device --csr /dev/zero -o out.crt
    refused 8 'p11ca: none.csr: No such file or directory' p11ca -C home issue -a factory -p device --csr none.csr -o out.crt
    untouched
}

@test "45: a request of 100 KB" {
    (cat good.der && head -c 100000 /dev/zero) >big.der
    refused_order "big.der: want at most 65536 bytes, have $(stat -c %s big.der)" -p device --csr big.der
}

@test "46: two requests in one file, a private key, leading text" {
    cat good.csr named.csr >two.csr
    refused_order 'two.csr: want one PEM block, have more' -p device --csr two.csr
    refused_order 'good.key: want no private key in an input file, have one: treat it as disclosed' -p device --csr good.key
    cat good.csr good.key >both.pem
    refused_order 'both.pem: *private key*' -p device --csr both.pem
    openssl pkey -in good.key -outform DER -out key.der
    refused_order 'key.der: want no private key *' -p device --csr key.der
    refused_order 'good.key: want no private key *' -p device --id leaf-1 --pubkey good.key
}

@test "47: something else than a request" {
    refused_order 'home/root.crt: want a certificate request, have a certificate' -p device --csr home/root.crt
    refused_order 'good.pub: want a certificate request, have a public key' -p device --csr good.pub
    refused_order 'good.csr: want a public key, have a certificate request' -p device --id leaf-1 --pubkey good.csr
}

@test "49: the request names another device" {
    refused_order "good.csr: device ID 'leaf-9': the request's subject says CN 'leaf-1' (give --subject to decide)" -p device --csr good.csr --id leaf-9
}

@test "51: validity beyond the issuer's" {
    refused_order "good.csr: profile 'device': RFC 5280 6.1.3: validity: want an end within the issuer's, *, have *" \
        -p device --csr good.csr --days 7300
}

@test "51: validity beyond the profile's" {
    refused_order "good.csr: profile 'server': *validity: want at most 397 days, have 398" -p server --csr good.csr --dns a.example --days 398
}

@test "a profile that the authority may not issue" {
    refused_order "authority 'factory': may not issue profile 'issuing-ca' (issues in p11ca.conf)" -p issuing-ca --csr good.csr
    refused 4 "p11ca: authority 'root': may not issue profile 'device' (issues in p11ca.conf)" \
        p11ca -C home issue -a root -p device --csr good.csr -o out.crt
    reject_noted
    untouched
}

@test "a profile or authority that is none: exit 2" {
    refused 2 "p11ca: no profile 'frob'" p11ca -C home issue -a factory -p frob --csr good.csr -o out.crt
    refused 2 "p11ca: no authority 'frob' in home/p11ca.conf" p11ca -C home issue -a frob -p device --csr good.csr -o out.crt
    untouched
}

@test "no key, two keys: exit 2" {
    local want='p11ca: want exactly one of --csr, --pubkey and --new-key'
    refused 2 "$want" p11ca -C home issue -a factory -p device --id leaf-1 -o out.crt
    refused 2 "$want" p11ca -C home issue -a factory -p device --csr good.csr --new-key k -o out.crt
    untouched
}

@test "a server without a name" {
    refused_order "good.csr: profile 'server': RFC 5280 4.2.1.6: SAN: want at least one name (DNS or IP), have none" -p server --csr good.csr
}

@test "names that the profile does not allow" {
    refused_order "good.csr: profile 'server': SAN: want *, have *" -p server --csr good.csr --email a@b.example
}

@test "an output that exists: exit 8, and --force replaces it" {
    echo mine >out.crt
    refused 8 'p11ca: out.crt: exists, nothing is overwritten' p11ca -C home issue -a factory -p device --csr good.csr -o out.crt
    untouched
    ln -s nowhere dangling.crt
    refused 8 'p11ca: dangling.crt: exists, nothing is overwritten' p11ca -C home issue -a factory -p device --csr good.csr -o dangling.crt
    refused 8 'p11ca: home: exists, nothing is overwritten' p11ca -C home issue -a factory -p device --csr good.csr -o home
    refused 8 'p11ca: none/out.crt: create: No such file or directory' p11ca -C home issue -a factory -p device --csr good.csr -o none/out.crt
    untouched
    succeeds p11ca -C home issue -a factory -p device --csr good.csr -o out.crt --force
    succeeds openssl verify -x509_strict -CAfile home/root.crt -untrusted home/factory.crt out.crt
    sound
}

@test "a key file that exists is never overwritten" {
    echo mine >key.pem
    refused 8 'p11ca: key.pem: exists, nothing is overwritten' p11ca -C home issue -a factory -p device --new-key key.pem --id leaf-1 -o out.crt
    refused 8 'p11ca: key.pem: exists, nothing is overwritten' p11ca -C home issue -a factory -p device --new-key key.pem --id leaf-1 -o out.crt --force
    # Nor is a good key that belongs to somebody used for an order of ours.
    chmod 600 good.key
    refused 8 'p11ca: good.key: exists, nothing is overwritten' p11ca -C home issue -a factory -p device --new-key good.key --id leaf-1 -o out.crt
    untouched
}

@test "the key and the certificate to one file" {
    run --separate-stderr p11ca -C home issue -a factory -p device --new-key both --id leaf-1 -o both --force
    # The certificate would replace the only copy of its key.
    [[ $status == [28] && ! -e both ]] || fail 'want it refused before anything is made'
    run --separate-stderr p11ca -C home issue -a factory -p device --new-key both --id leaf-1 -o ./both
    [[ $status == [28] && ! -e both ]] || fail 'want it refused before anything is made'
    equal "$(sql "SELECT count(*) FROM certificate WHERE device = 'leaf-1'")" 0
    untouched
}

@test "a request for an authority, over a file that exists" {
    refused 8 'p11ca: home/factory.csr: exists, nothing is overwritten' p11ca -C home request factory -o home/factory.csr
    untouched
    succeeds p11ca -C home request factory -o home/factory.csr --force
    succeeds openssl req -in home/factory.csr -noout -verify
}

@test "an authority without a CA certificate: exit 3" {
    sed -i -E '/^ *factory = \{ token = /i spare = { token = "factory"; key = "spare"; subject = "CN=Spare"; profile = "issuing-ca"; issues = [ "device" ]; };' \
        home/p11ca.conf
    printf 'title = "t"; steps = ( { do = "generate-key"; authority = "spare"; algorithm = "P-256"; } );\n' >spare.conf
    succeeds p11ca -q -C home ceremony run --yes spare.conf
    refused 3 "p11ca: authority 'spare': no CA certificate installed (p11ca install, or a ceremony)" \
        p11ca -C home issue -a spare -p device --csr good.csr -o out.crt
}

# p11ca.conf

# conf_refused PATTERN SED-EXPRESSION: the changed p11ca.conf is refused by a command that needs no token, too.
conf_refused() {
    cp home/p11ca.conf before.conf
    sed -i -E "$2" home/p11ca.conf
    refute cmp -s home/p11ca.conf before.conf
    refused 3 "p11ca: $1" p11ca -C home issue -a factory -p device --csr good.csr -o out.crt
    refused 3 "p11ca: $1" p11ca -C home list
    untouched
    mv before.conf home/p11ca.conf
}

line_of() {
    grep -nE "$1" home/p11ca.conf | head -1 | cut -d: -f1
}

@test "p11ca.conf: keys and values that are none, with file and line" {
    conf_refused "home/p11ca.conf:$(line_of '^ledger'): *'frob'*" 's/^ledger = .*/frob = 1;/'
    conf_refused "home/p11ca.conf:$(line_of '^  factory = . kind'): *'frob'*" '/factory = . kind/s/kind = /frob = 1; kind = /'
    conf_refused "home/p11ca.conf:$(line_of '^  factory = . token'): *'frob'*" '/factory = . token/s/token = /frob = 1; token = /'
    conf_refused "home/p11ca.conf:$(line_of '^  factory = . token'): authorities.factory: no token 'frob' in tokens" \
        '/factory = . token/s/token = "factory"/token = "frob"/'
    conf_refused "home/p11ca.conf:$(line_of '^  factory = . token'): authorities.factory: no profile 'frob'" 's/"issuing-ca"/"frob"/'
    conf_refused "home/p11ca.conf:$(line_of '^  factory = . token'): authorities.factory: issues: no profile 'frob'" 's/"server", /"frob", /'
    conf_refused "home/p11ca.conf:$(line_of '^  factory = . token'): authorities.factory: issuer: no authority 'frob'" 's/issuer = "root"/issuer = "frob"/'
    conf_refused "home/p11ca.conf:$(line_of '^  root *= . token'): authorities.root: subject: *" 's/CN=Acme Root/CNN=Acme Root/'
    conf_refused "home/p11ca.conf:$(line_of '^ledger'): *" 's/^ledger = .*/ledger = 7;/'
    conf_refused "home/p11ca.conf:$(line_of '^ledger'): *" 's/^ledger = .*/ledger = ;/'
}

@test "p11ca.conf: a PIN where its source should be is not repeated" {
    conf_refused "home/p11ca.conf:*: tokens.factory: pin: want \"prompt\", \"file:PATH\", \"fd:N\", \"env:NAME\", \"shares\" or \"shares:PATH\" (never the PIN itself)" \
        's|"file:pins/factory"|"secret4711"|'
    refute grep -q secret4711 <<<"$stderr"
    conf_refused "home/p11ca.conf:*: token 'factory': uri: want no PIN in it; use the key 'pin'" \
        's|pkcs11:token=acme-factory|&?pin-value=secret4711|'
    refute grep -q secret4711 <<<"$stderr"
}

@test "a PIN file that others can read: exit 3" {
    local mode
    for mode in 0640 0604 0644 0660; do
        chmod "$mode" home/pins/factory
        refused 3 "p11ca: token 'factory': PIN file: home/pins/factory: want a file only its owner can read (mode 0600), have mode $mode" \
            p11ca -C home issue -a factory -p device --csr good.csr -o out.crt
        equal "$(calls C_Login)" 0
    done
    chmod 0600 home/pins/factory
    mv home/pins/factory pin
    ln -s ../../pin home/pins/factory
    refused 8 "p11ca: token 'factory': PIN file: home/pins/factory: want a regular file, have a symbolic link" \
        p11ca -C home issue -a factory -p device --csr good.csr -o out.crt
    equal "$(calls C_Login)" 0
}
