#!/usr/bin/env bats
# Requests that others make: by programs in use, on the spot, and those that other projects keep. Each is issued, and
# OpenSSL verifies the certificate, or refused with a reason that is right.

load common

data=$BATS_TEST_DIRNAME/../data/requests

setup_file() {
    prepare_home
}

setup() {
    use_home
}

need() {
    command -v "$1" >/dev/null || skip "$1 is not installed"
}

# issued PROFILE FILE [options]: the certificate in FILE.crt is good, and for the key of the request.
issued() {
    local profile=$1 file=$2 purpose=sslclient
    shift 2
    [[ $profile != server ]] || purpose=sslserver
    succeeds p11ca -C home issue -a factory -p "$profile" --csr "$file" -o "$file.crt" "$@"
    succeeds openssl verify -x509_strict -purpose $purpose -CAfile home/root.crt -untrusted home/factory.crt "$file.crt"
    equal "$(openssl x509 -in "$file.crt" -noout -pubkey)" "$(openssl req -in "$file" -inform "${form:-PEM}" -noout -pubkey)"
}

# says FILE TEXT: the certificate does.
says() {
    [[ $(openssl x509 -in "$1.crt" -noout -text -nameopt RFC2253,utf8,-esc_msb) == *"$2"* ]] || fail "want '$2' in the certificate"
}

# refused_csr CODE FILE [options]
refused_csr() {
    local code=$1 file=$2
    shift 2
    run --separate-stderr p11ca --json -C home issue -a factory -p device --csr "$file" -o "$file.crt" "$@"
    [[ $status == 4 && $output == '{"error":{"code":"'"$code"'",'* && ! -e $file.crt ]] || fail "want $code"
}

# --- OpenSSL ---

@test "openssl: EC and RSA keys, every digest that is taken" {
    local curve digest
    for curve in P-256 P-384 P-521; do
        for digest in sha256 sha384 sha512; do
            openssl req -new -newkey ec -pkeyopt "ec_paramgen_curve:$curve" -nodes -keyout key -$digest \
                -subj "/C=US/O=Acme/CN=$curve-$digest" -out "$curve-$digest.csr" 2>/dev/null
            issued device "$curve-$digest.csr"
            says "$curve-$digest.csr" "Subject: CN=$curve-$digest,O=Acme,C=US"
        done
    done
    openssl req -new -newkey rsa:2048 -nodes -keyout rsa.key -sha512 -subj /CN=rsa-2048 -out rsa.csr 2>/dev/null
    issued device rsa.csr
    openssl req -new -newkey rsa:3072 -nodes -keyout key -subj /CN=rsa-3072 -out rsa-3072.csr 2>/dev/null
    issued device rsa-3072.csr
}

@test "openssl: extensions asked for" {
    ec_request names /CN=www.example \
        -addext 'subjectAltName=DNS:www.example,DNS:*.api.example,IP:192.0.2.7,IP:2001:db8::7' -addext extendedKeyUsage=serverAuth
    issued server names.csr
    says names.csr 'DNS:www.example, DNS:*.api.example, IP Address:192.0.2.7, IP Address:2001:DB8:0:0:0:0:0:7'
    ec_request mail /CN=Alice -addext subjectAltName=email:alice@example.com,URI:https://alice.example/
    issued client mail.csr
    says mail.csr 'email:alice@example.com, URI:https://alice.example/'
    ec_request other /CN=other -addext 'subjectAltName=otherName:1.3.6.1.5.5.7.8.9;UTF8:ältere@example.com'
    refused_csr SAN_KIND other.csr
}

@test "openssl: names in other letters, a request in DER, a challenge password" {
    ec_request utf8 '/C=DE/O=Müller & Söhne, GmbH/CN=gerät-1' -utf8
    issued client utf8.csr --uri urn:example:1
    says utf8.csr 'Subject: CN=gerät-1,O=Müller & Söhne\, GmbH,C=DE'
    equal "$(sql "SELECT subject FROM certificate WHERE subject LIKE '%Söhne%'")" 'CN=gerät-1,O=Müller & Söhne\, GmbH,C=DE'
    # Without -utf8 OpenSSL takes the bytes for Latin-1.
    ec_request latin1 /CN=gerät-2
    issued client latin1.csr --uri urn:example:2
    openssl req -in utf8.csr -outform DER -out der.csr
    form=DER issued client der.csr --uri urn:example:1 --days 3
    printf '[req]\nprompt = no\ndistinguished_name = dn\nattributes = attrs\n[dn]\nCN = leaf-3\n[attrs]\nchallengePassword = secret\nunstructuredName = leaf\n' >req.cnf
    openssl req -new -key utf8.key -config req.cnf -out challenge.csr
    issued client challenge.csr --uri urn:example:3
    equal "$stderr" ''
}

@test "openssl: what is refused" {
    openssl req -new -newkey rsa:2048 -nodes -keyout key -sigopt rsa_padding_mode:pss -subj /CN=pss -out pss.csr 2>/dev/null
    refused_csr CSR_ALG pss.csr
    openssl genpkey -algorithm rsa-pss -pkeyopt rsa_keygen_bits:2048 -out pss.key 2>/dev/null
    openssl req -new -key pss.key -subj /CN=pss -out pss-key.csr
    refused_csr KEY_TYPE pss-key.csr
    openssl genpkey -algorithm ed448 -out ed.key
    openssl req -new -key ed.key -subj /CN=ed -out ed.csr
    refused_csr KEY_TYPE ed.csr
    ec_request ca /CN=ca -addext basicConstraints=critical,CA:TRUE
    refused_csr CSR_WANTS_CA ca.csr
}

# --- GnuTLS ---

gnutls_request() {
    certtool --generate-request --load-privkey "$1.key" --template "$1.tmpl" --outfile "$1.csr" 2>/dev/null
}

@test "certtool: EC and RSA, with and without extensions" {
    need certtool
    certtool --generate-privkey --key-type ecdsa --curve secp256r1 --outfile ec.key 2>/dev/null
    printf 'cn = "gnutls-ec"\norganization = "Acme"\ncountry = US\n' >ec.tmpl
    gnutls_request ec
    issued device ec.csr
    says ec.csr 'Subject: CN=gnutls-ec,O=Acme,C=US'
    certtool --generate-privkey --key-type rsa --bits 2048 --outfile rsa.key 2>/dev/null
    printf 'cn = "tls.example"\ndns_name = tls.example\nip_address = 192.0.2.8\ntls_www_server\nsigning_key\nencryption_key\nhonor_crq_extensions\n' >rsa.tmpl
    gnutls_request rsa
    issued server rsa.csr
    says rsa.csr 'DNS:tls.example, IP Address:192.0.2.8'
    certtool --generate-privkey --key-type ecdsa --curve secp384r1 --outfile ca.key 2>/dev/null
    printf 'cn = "ca"\nca\ncert_signing_key\n' >ca.tmpl
    gnutls_request ca
    refused_csr CSR_WANTS_CA ca.csr
    certtool --generate-privkey --key-type ed25519 --outfile ed.key 2>/dev/null
    printf 'cn = "ed"\n' >ed.tmpl
    gnutls_request ed
    refused_csr KEY_TYPE ed.csr
}

# --- Java ---

# java_request NAME KEY-OPTIONS REQUEST-OPTIONS
java_request() {
    # Both are words.
    # shellcheck disable=SC2086
    keytool -genkeypair -alias "$1" $2 -dname "CN=$1, O=Acme, C=US" -keystore store -storepass changeit >/dev/null 2>&1
    # shellcheck disable=SC2086
    keytool -certreq -alias "$1" $3 -keystore store -storepass changeit -file "$1.csr" >/dev/null 2>&1
}

@test "keytool: EC and RSA, with and without extensions" {
    need keytool
    java_request java-ec '-keyalg EC -groupname secp256r1' ''
    grep -q 'NEW CERTIFICATE REQUEST' java-ec.csr
    issued device java-ec.csr
    says java-ec.csr 'Subject: CN=java-ec,O=Acme,C=US'
    java_request java-rsa '-keyalg RSA -keysize 2048' '-ext san=dns:java.example,ip:192.0.2.9 -ext eku=serverAuth'
    issued server java-rsa.csr
    says java-rsa.csr 'DNS:java.example, IP Address:192.0.2.9'
    java_request java-ca '-keyalg EC -groupname secp384r1' '-ext bc=ca:true'
    refused_csr CSR_WANTS_CA java-ca.csr
}

# --- Go ---

@test "go: EC and RSA, with and without extensions" {
    need go
    mkdir make
    cat >make/main.go <<'END'
package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"net"
	"net/url"
	"os"
)

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func write(name string, key crypto.Signer, t *x509.CertificateRequest) {
	der, err := x509.CreateCertificateRequest(rand.Reader, t, key)
	must(err)
	must(os.WriteFile(name, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der}), 0o600))
}

func main() {
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(err)
	ec384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	must(err)
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	must(err)
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	must(err)
	uri, err := url.Parse("spiffe://example/go")
	must(err)
	name := pkix.Name{CommonName: "go-ec", Organization: []string{"Acme"}, Country: []string{"US"}}
	write("go-ec.csr", ec, &x509.CertificateRequest{Subject: name})
	write("go-uri.csr", ec384, &x509.CertificateRequest{URIs: []*url.URL{uri}})
	write("go-rsa.csr", key, &x509.CertificateRequest{
		Subject:     pkix.Name{CommonName: "go.example"},
		DNSNames:    []string{"go.example", "*.go.example"},
		IPAddresses: []net.IP{net.ParseIP("192.0.2.10"), net.ParseIP("2001:db8::a")},
	})
	write("go-pss.csr", key, &x509.CertificateRequest{Subject: name, SignatureAlgorithm: x509.SHA256WithRSAPSS})
	write("go-ed.csr", ed, &x509.CertificateRequest{Subject: name})
}
END
    # What has to be compiled stays with the user's own cache, when there is one.
    GOFLAGS=-mod=mod GO111MODULE=off GOTOOLCHAIN=local go build -o make/make ./make/main.go >log 2>&1 || fail "$(cat log)"
    make/make
    issued device go-ec.csr
    says go-ec.csr 'Subject: CN=go-ec,O=Acme,C=US'
    issued client go-uri.csr
    says go-uri.csr 'URI:spiffe://example/go'
    issued server go-rsa.csr
    says go-rsa.csr 'DNS:go.example, DNS:*.go.example, IP Address:192.0.2.10, IP Address:2001:DB8:0:0:0:0:0:A'
    refused_csr CSR_ALG go-pss.csr
    refused_csr KEY_TYPE go-ed.csr
}

# --- Node ---

# Its crypto makes keys and signatures, and no requests: these are put together here.
@test "node: EC and RSA" {
    need node
    cat >make.js <<'END'
const crypto = require('crypto'), fs = require('fs');
const tlv = (tag, ...parts) => {
  const c = Buffer.concat(parts), n = c.length;
  const len = n < 128 ? [n] : n < 256 ? [0x81, n] : [0x82, n >> 8, n & 255];
  return Buffer.concat([Buffer.from([tag, ...len]), c]);
};
const hex = (s) => Buffer.from(s, 'hex');
function request(cn, key, alg) {
  const name = tlv(0x30, tlv(0x31, tlv(0x30, hex('0603550403'), tlv(0x0c, Buffer.from(cn)))));
  const spki = key.publicKey.export({ type: 'spki', format: 'der' });
  const info = tlv(0x30, hex('020100'), name, spki, hex('a000'));
  const sig = crypto.sign('sha256', info, key.privateKey);
  const pem = tlv(0x30, info, hex(alg), tlv(0x03, hex('00'), sig)).toString('base64').match(/.{1,64}/g).join('\n');
  fs.writeFileSync(cn + '.csr', `-----BEGIN CERTIFICATE REQUEST-----\n${pem}\n-----END CERTIFICATE REQUEST-----\n`);
}
request('node-ec', crypto.generateKeyPairSync('ec', { namedCurve: 'P-256' }), '300a06082a8648ce3d040302');
request('node-rsa', crypto.generateKeyPairSync('rsa', { modulusLength: 2048 }), '300d06092a864886f70d01010b0500');
END
    node make.js
    issued device node-ec.csr
    issued device node-rsa.csr
    succeeds node -e 'const { X509Certificate } = require("crypto"), fs = require("fs");
        const leaf = new X509Certificate(fs.readFileSync("node-ec.csr.crt")), ca = new X509Certificate(fs.readFileSync("home/factory.crt"));
        process.exit(leaf.verify(ca.publicKey) && leaf.checkIssued(ca) ? 0 : 1)'
}

# --- NSS ---

@test "certutil of NSS: EC and RSA, with and without extensions" {
    need certutil
    mkdir db
    certutil -N -d db --empty-password
    head -c 64 /dev/urandom >noise
    certutil -R -d db -k ec -q nistp256 -s CN=nss-ec,O=Acme,C=US -a -z noise -o ec.csr >/dev/null 2>&1
    issued device ec.csr
    certutil -R -d db -k rsa -g 2048 -s CN=nss.example --extSAN dns:nss.example,ip:192.0.2.11 -a -z noise -o rsa.csr >/dev/null 2>&1
    issued server rsa.csr
    says rsa.csr 'DNS:nss.example, IP Address:192.0.2.11'
}

# --- what other projects keep ---

# The names come with the order: what is in question is the request. What it issues is forgotten, or the next one with
# the same key would be refused for that.
answer_to() {
    run --separate-stderr p11ca --json -C home issue -a factory -p device --id leaf-1 --subject CN=leaf-1 --csr "$data/$1" -o out.crt
    case $status in
    0)
        answer=issued
        openssl verify -x509_strict -CAfile home/root.crt -untrusted home/factory.crt out.crt >/dev/null
        rm out.crt home/ledger.db*
        cp before.db home/ledger.db
        ;;
    4)
        answer=$(jq -r .error.code <<<"$output")
        [[ ! -e out.crt && ${#stderr_lines[@]} == 1 ]] || fail 'want no certificate, and one line'
        ;;
    *) fail 'want it issued or refused' ;;
    esac
}

@test "requests of Mbed TLS and pyca/cryptography: each as INDEX says" {
    local file want n=0
    sqlite3 home/ledger.db '.backup before.db'
    diff <(cd "$data" && printf '%s\n' */* | sort) <(cut -d' ' -f1 "$data/INDEX" | sort) || fail 'want INDEX to name each file'
    while read -r -u 7 file want; do
        during=$file
        answer_to "$file"
        equal "$answer" "$want"
        n=$((n + 1))
    done 7<"$data/INDEX"
    ((n > 70)) || fail "want all of them, have $n"
    # What its own project calls broken is not issued.
    refute grep -E -- '-bad[^ ]* issued$|bad_?version.* issued$|invalid_signature.* issued$' "$data/INDEX"
}
