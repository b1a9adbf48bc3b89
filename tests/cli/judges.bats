#!/usr/bin/env bats
# What others say to our certificates: OpenSSL, GnuTLS, nginx with curl.

load common
load servers

setup_file() {
    prepare_home
    cd "$BATS_FILE_TMPDIR"
    local issue=(p11ca -q -C home issue -a factory)

    "${issue[@]}" -p server --new-key server.key --dns localhost --dns pki.example --ip 127.0.0.1 -o server.crt
    "${issue[@]}" -p device --new-key device.key --id leaf-7 -o device.crt
    "${issue[@]}" -p client --new-key client.key --subject 'CN=Alice,O=Acme' --email alice@acme.example -o client.crt
    openssl req -new -newkey rsa:2048 -nodes -keyout rsa.key -subj /CN=rsa.example -out rsa.csr 2>/dev/null
    "${issue[@]}" -p server --csr rsa.csr --dns rsa.example -o rsa.crt
    # Another CA of the same name, for what must not be let in.
    p11ca -q init foreign --name Acme --softhsm
    p11ca -q -C foreign issue -a factory -p device --new-key foreign.key --id leaf-7 -o foreign.crt
    cat server.crt home/factory.crt >server-chain.crt
    cat device.crt home/factory.crt >device-chain.crt
    cat foreign.crt foreign/factory.crt >foreign-chain.crt
} >/dev/null

setup() {
    cd "$BATS_FILE_TMPDIR"
    descriptors=()
}

teardown() {
    stop_servers
}

openssl_verify() {
    openssl verify -x509_strict -CAfile home/root.crt -untrusted home/factory.crt "$@"
}

@test "openssl verify -x509_strict: the CA chain" {
    succeeds openssl verify -x509_strict -CAfile home/root.crt home/root.crt
    succeeds openssl verify -x509_strict -CAfile home/root.crt home/factory.crt
    succeeds openssl verify -x509_strict -CAfile home/root.crt -untrusted home/factory-chain.pem server.crt
    refute openssl verify -x509_strict -CAfile foreign/root.crt home/factory.crt
}

@test "openssl verify -x509_strict: server, EC and RSA" {
    succeeds openssl_verify -purpose sslserver -verify_hostname localhost server.crt
    succeeds openssl_verify -purpose sslserver -verify_hostname pki.example server.crt
    succeeds openssl_verify -purpose sslserver -verify_ip 127.0.0.1 server.crt
    succeeds openssl_verify -purpose sslserver -verify_hostname rsa.example rsa.crt
    refute openssl_verify -purpose sslserver -verify_hostname other.example server.crt
    refute openssl_verify -purpose sslclient server.crt
    refute openssl_verify -purpose sslserver foreign.crt
}

@test "openssl verify -x509_strict: device and client" {
    succeeds openssl_verify -purpose sslclient device.crt
    succeeds openssl_verify -purpose sslclient client.crt
    refute openssl_verify -purpose sslserver device.crt
    refute openssl_verify -purpose sslclient foreign.crt
}

@test "host names in other scripts: A-labels, as OpenSSL looks for them" {
    succeeds p11ca -q -C home issue -a factory -p server --new-key idn.key --dns 'Bücher.example' --dns '*.straße.example' -o idn.crt
    equal "$(openssl x509 -in idn.crt -noout -ext subjectAltName | sed -n 2p)" \
        '    DNS:xn--bcher-kva.example, DNS:*.xn--strae-oqa.example'
    [[ $(openssl x509 -in idn.crt -noout -subject) == *'CN = xn--bcher-kva.example' ]]
    succeeds openssl_verify -purpose sslserver -verify_hostname xn--bcher-kva.example idn.crt
    succeeds openssl_verify -purpose sslserver -verify_hostname a.xn--strae-oqa.example idn.crt
    refute openssl_verify -purpose sslserver -verify_hostname strasse.example idn.crt
}

@test "extensions: exactly the profile's" {
    local want=$'X509v3 Basic Constraints: critical\nX509v3 Key Usage: critical\nX509v3 Extended Key Usage: '
    want+=$'\nX509v3 Subject Alternative Name: \nX509v3 Authority Key Identifier: '
    for cert in server rsa device client; do
        equal "$(openssl x509 -in $cert.crt -noout -text | sed -nE 's/^ {12}(X509v3 .*)/\1/p' | sort)" "$(sort <<<"$want")"
    done
    [[ $(openssl x509 -in device.crt -noout -ext extendedKeyUsage) == *'TLS Web Client Authentication' ]]
    [[ $(openssl x509 -in server.crt -noout -ext extendedKeyUsage) == *'TLS Web Server Authentication' ]]
    # NSS refuses an RSA server certificate without keyEncipherment; an EC key cannot encipher.
    [[ $(openssl x509 -in rsa.crt -noout -ext keyUsage) == *'Digital Signature, Key Encipherment' ]]
    [[ $(openssl x509 -in server.crt -noout -ext keyUsage) == *'Digital Signature' ]]
    [[ $(openssl x509 -in home/factory.crt -noout -ext basicConstraints) == *'CA:TRUE, pathlen:0' ]]
}

@test "serials: 20 octets, positive, all different" {
    local cert serials=()
    for cert in home/root.crt home/factory.crt server.crt rsa.crt device.crt client.crt; do
        serials+=("$(openssl x509 -in "$cert" -noout -serial)")
        [[ ${serials[-1]} =~ ^serial=[0-7][0-9A-F]{39}$ ]] || fail "$cert: ${serials[-1]}"
    done
    equal "$(printf '%s\n' "${serials[@]}" | sort -u | wc -l)" 6
}

@test "issuer bytes are the CA certificate's subject bytes, key identifiers fit" {
    equal "$(openssl x509 -in device.crt -noout -issuer_hash)" "$(openssl x509 -in home/factory.crt -noout -subject_hash)"
    local ski aki
    ski=$(openssl x509 -in home/factory.crt -noout -ext subjectKeyIdentifier | tail -1 | tr -d ' ')
    aki=$(openssl x509 -in device.crt -noout -ext authorityKeyIdentifier | tail -1 | tr -d ' ')
    equal "$aki" "$ski"
}

@test "certtool --verify: server, RSA server, device, client" {
    for cert in server rsa device client; do
        cat $cert.crt home/factory.crt >"$BATS_TEST_TMPDIR/chain.pem"
        succeeds certtool --verify --load-ca-certificate home/root.crt --infile "$BATS_TEST_TMPDIR/chain.pem"
        [[ $output == *'Verified. The certificate is trusted.'* ]] || fail 'want it trusted'
    done
    refute certtool --verify --load-ca-certificate home/root.crt --infile foreign-chain.crt >/dev/null
}

@test "certtool --verify: purpose and host name" {
    local verify=(certtool --verify --load-ca-certificate home/root.crt --infile)
    succeeds "${verify[@]}" server-chain.crt --verify-purpose 1.3.6.1.5.5.7.3.1 --verify-hostname localhost
    succeeds "${verify[@]}" device-chain.crt --verify-purpose 1.3.6.1.5.5.7.3.2
    refute "${verify[@]}" device-chain.crt --verify-purpose 1.3.6.1.5.5.7.3.1 >/dev/null
    refute "${verify[@]}" server-chain.crt --verify-hostname other.example >/dev/null
}

nginx_server() {
    local dir=$BATS_TEST_TMPDIR/nginx
    mkdir -p "$dir"
    nginx_head "$dir" >"$dir/nginx.conf"
    cat >>"$dir/nginx.conf" <<END
    server {
        listen 127.0.0.1:$1 ssl;
        server_name localhost;
        ssl_certificate $BATS_FILE_TMPDIR/server-chain.crt;
        ssl_certificate_key $BATS_FILE_TMPDIR/server.key;
        ssl_client_certificate $BATS_FILE_TMPDIR/home/root.crt;
        ssl_verify_client on;
        ssl_verify_depth 2;
        location / {
            default_type text/plain;
            return 200 "\$ssl_client_verify \$ssl_client_s_dn \$ssl_client_serial\n";
        }
    }
}
END
    PATH=$PATH:/usr/sbin exec nginx -p "$dir" -c "$dir/nginx.conf" -e "$dir/error.log"
}

ask_nginx() {
    curl --silent --show-error --max-time 20 --noproxy '*' --cacert home/root.crt "$@" "https://localhost:$port/"
}

@test "nginx that requires client certificates: serves a device, refuses none and a foreign one" {
    start_server nginx_server

    succeeds ask_nginx --cert device-chain.crt --key device.key
    # nginx prints RFC 2253, as p11ca does: last component first.
    equal "$output" "SUCCESS CN=leaf-7,serialNumber=leaf-7 $(openssl x509 -in device.crt -noout -serial | cut -d= -f2)"

    # nginx answers 400 inside TLS to both.
    succeeds ask_nginx --write-out '%{http_code}' --output "$BATS_TEST_TMPDIR/body"
    equal "$output" 400
    grep -q 'No required SSL certificate was sent' "$BATS_TEST_TMPDIR/body"
    succeeds ask_nginx --write-out '%{http_code}' --output "$BATS_TEST_TMPDIR/body" --cert foreign-chain.crt --key foreign.key
    equal "$output" 400
    grep -q 'The SSL certificate error' "$BATS_TEST_TMPDIR/body"
    # A server's certificate is not a client's.
    succeeds ask_nginx --write-out '%{http_code}' --output "$BATS_TEST_TMPDIR/body" --cert server-chain.crt --key server.key
    equal "$output" 400

    # And curl is as particular about the server: 60 is "does not verify".
    run -60 curl --silent --max-time 20 --noproxy '*' --cacert foreign/root.crt "https://localhost:$port/"
    run -60 curl --silent --max-time 20 --noproxy '*' --cacert home/root.crt --resolve "other.example:$port:127.0.0.1" \
        "https://other.example:$port/"
}

s_server() {
    exec openssl s_server -accept "127.0.0.1:$1" -cert server.crt -cert_chain home/factory.crt -key server.key \
        -CAfile home/root.crt -Verify 3 -verify_return_error -x509_strict -www
}

ask_s_server() {
    # -ign_eof: in TLS 1.3 the server judges after the client is done; its answer must be read.
    printf 'GET / HTTP/1.0\r\n\r\n' | timeout 20 openssl s_client -connect "127.0.0.1:$port" -CAfile home/root.crt \
        -x509_strict -verify_hostname localhost -verify_return_error -ign_eof "$@"
}

@test "openssl s_server and s_client: mutual TLS 1.3 and 1.2" {
    start_server s_server
    for tls in -tls1_3 -tls1_2; do
        succeeds ask_s_server $tls -cert device.crt -cert_chain home/factory.crt -key device.key
        [[ $output == *'HTTP/1.0 200 ok'* && $output == *'Verify return code: 0 (ok)'* ]] || fail "want $tls to work"
        run ask_s_server $tls
        [[ $output != *'HTTP/1.0 200 ok'* && $output == *alert* ]] || fail "want $tls without a certificate refused"
        run ask_s_server $tls -cert foreign.crt -cert_chain foreign/factory.crt -key foreign.key
        [[ $output != *'HTTP/1.0 200 ok'* && $output == *alert* ]] || fail "want $tls with a foreign one refused"
    done
}
