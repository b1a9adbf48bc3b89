#!/usr/bin/env bats
# p11ca authorize, policy check, policy export; what nginx says to the same requests.

load common

setup_file() {
    prepare_home
    cd "$BATS_FILE_TMPDIR"
    sed -i 's/issues = \[/issues = [ "spiffe",/' home/p11ca.conf
    local issue=(p11ca -q -C home issue -a factory)
    "${issue[@]}" -p spiffe --new-key s.key --uri spiffe://acme.example/ns/prod/web -o s.crt
    "${issue[@]}" -p client --new-key c.key --subject CN=svc --email svc@acme.example -o c.crt
    "${issue[@]}" -p client --new-key d.key --subject 'CN=SVC,O=Acme' --email svc@acme.example -o d.crt
    "${issue[@]}" -p client --new-key e.key --subject 'CN=eve,O=x CN\=svc' --email eve@acme.example -o e.crt
    "${issue[@]}" -p client --new-key f.key --subject 'CN=eve,O=x\,CN\=svc' --email eve@acme.example -o f.crt
    "${issue[@]}" -p server --new-key server.key --dns localhost -o server.crt
    cat server.crt home/factory.crt >server-chain.crt
    ca ca
    ca other
    openssl ca -config ca.conf -keyfile ca.key -cert ca.crt -gencrl -out good.crl 2>/dev/null
    openssl ca -config ca.conf -keyfile ca.key -cert ca.crt -revoke ca-client.crt -crl_reason keyCompromise 2>/dev/null
    openssl ca -config ca.conf -keyfile ca.key -cert ca.crt -gencrl -out revoked.crl 2>/dev/null
} >/dev/null

# ca NAME: a CA of OpenSSL's named /CN=CA with a client NAME-client.crt, and what its CRLs want in NAME.conf.
ca() {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$1.key" -subj /CN=CA -days 9 -out "$1.crt" \
        -addext 'keyUsage=critical,keyCertSign,cRLSign' 2>/dev/null
    ec_request "$1-client" /CN=svc
    printf '%s\n' 'extendedKeyUsage=clientAuth' 'keyUsage=critical,digitalSignature' >exts
    openssl x509 -req -in "$1-client.csr" -CA "$1.crt" -CAkey "$1.key" -days 9 -set_serial 0x0fee -extfile exts \
        -out "$1-client.crt" 2>/dev/null
    : >"$1.index"
    echo 1000 >"$1.number"
    printf '%s\n' '[ca]' 'default_ca=a' '[a]' "database=$1.index" "crlnumber=$1.number" 'default_md=sha256' \
        'default_crl_days=3' >"$1.conf"
}

setup() {
    mkdir "$BATS_TEST_TMPDIR/work"
    cd "$BATS_TEST_TMPDIR/work"
    cp "$BATS_FILE_TMPDIR"/*.{crt,crl} "$BATS_FILE_TMPDIR/home/factory.crt" .
    pids=()
}

teardown() {
    local pid
    for pid in "${pids[@]}"; do
        kill "$pid" 2>/dev/null || true
        wait "$pid" 2>/dev/null || true
    done
}

# policy HEAD RULE...: a policy with one service of these rules.
policy() {
    {
        echo "$1"
        echo 'services = { orders = { rules = ('
        local rule first=
        for rule in "${@:2}"; do
            echo "$first{ $rule }"
            first=,
        done
        echo '); }; };'
    } >p.conf
}

web='name = "web"; effect = "allow"; who = [ "SPIFFE:spiffe://acme.example/ns/*/web" ]; methods = [ "GET" ]; paths = [ "/orders/**" ];'
admin='name = "no-admin"; effect = "deny"; who = "any"; paths = [ "/orders/admin/**" ];'
auth='authenticator = { trust = [ "factory.crt" ]; principal = [ "SPIFFE" ]; allow-any = [ "SPIFFE" ]; revocation = "none"; };'

ask() {
    p11ca authorize --policy p.conf --service orders "$@"
}

@test "authorize: allowed, and denied by a rule or by none" {
    policy "$auth" "$web" "$admin"
    succeeds ask --peer s.crt --method GET --path /orders/7
    equal "$output" "allowed: service 'orders': SPIFFE 'spiffe://acme.example/ns/prod/web': rule 'web'"
    refused 1 "p11ca: service 'orders': SPIFFE 'spiffe://acme.example/ns/prod/web' GET /orders/admin/7: denied by rule 'no-admin'" \
        ask --peer s.crt --method GET --path /orders/admin/7
    refused 1 "p11ca: service 'orders': SPIFFE 'spiffe://acme.example/ns/prod/web' PUT /orders/7: want a rule that allows it, have none" \
        ask --peer s.crt --method PUT --path /orders/7
    refused 1 'p11ca: request: path: want no "." or ".." segments, have one' ask --peer s.crt --method GET --path /orders/x/../admin
    refused 1 "p11ca: service 'stock': want one of the policy, have another" ask --service stock --peer s.crt
    refused 1 'p11ca: principal: want a name of kind SPIFFE, have none' ask --peer c.crt --method GET --path /orders/7
    sed -i 's/"SPIFFE"/"CN"/g; s/who = .*web" \]/who = "any"/' p.conf
    refused 1 'p11ca: issuer: want the octets of a trusted name *' ask --peer ca-client.crt --method GET --path /orders/7
}

@test "authorize: --explain and --json" {
    policy "$auth" "$web" "$admin"
    run --separate-stderr ask --peer s.crt --method GET --path /orders/admin --explain
    equal "$status" 1
    equal "$output" '  allow web: p.conf:3: fits
* deny  no-admin: p.conf:4: fits'
    run --separate-stderr ask --json --peer s.crt --method GET --path /orders/admin --explain
    equal "$status" 1
    equal "$(jq -c '[.allowed, .service, .principal, .rule, .code, (.rules | map([.name, .effect, .fits, .decides]))]' <<<"$output")" \
        '[false,"orders",{"kind":"SPIFFE","name":"spiffe://acme.example/ns/prod/web"},"no-admin","RULE_DENIES",[["web","allow",true,false],["no-admin","deny",true,true]]]'
    succeeds ask --json --peer s.crt --method GET --path /orders/7
    equal "$(jq -c '[.allowed, .rule, .code, .rules]' <<<"$output")" '[true,"web",null,null]'
}

@test "authorize: nothing is taken for true that nobody verified" {
    local who='name = "svc"; effect = "allow"; who = "CN:svc";'
    policy 'principal = "CN";' "$who"
    refused 2 'p11ca: authorize: want an authenticator in the policy, --ca, or --unverified when TLS has verified the certificate' \
        ask --peer ca-client.crt
    refused 2 'p11ca: authorize: want one of the policy'"'"'s authenticator, --ca and --unverified, have more' \
        ask --peer ca-client.crt --unverified --ca ca.crt
    refused 2 'p11ca: option --crl: want --ca beside it' ask --peer ca-client.crt --unverified --crl good.crl
    succeeds ask --peer ca-client.crt --unverified
    succeeds ask --peer ca-client.crt --ca ca.crt
    succeeds ask --peer other-client.crt --ca ca.crt --ca other.crt
    # The same name is not the same key.
    refused 1 'p11ca: *ignature*' ask --peer other-client.crt --ca ca.crt
    succeeds ask --peer ca-client.crt --ca ca.crt --crl good.crl
    refused 1 'p11ca: certificate: RFC 5280 5.3: revoked at 20*Z, keyCompromise' ask --peer ca-client.crt --ca ca.crt --crl revoked.crl
    policy "$auth" "$web"
    refused 2 'p11ca: authorize: want one of the policy'"'"'s authenticator, --ca and --unverified, have more' \
        ask --peer s.crt --ca ca.crt
}

@test "authorize: files that are none" {
    refused 3 'p11ca: p.conf: *' ask --peer s.crt --unverified
    policy 'principal = "SPIFFE";' "$web" 'name = "x"; effect = "allow"; paths = "/";'
    refused 3 "p11ca: p.conf:4: the rule: key 'who' is missing" ask --peer s.crt --unverified
    policy 'principal = "SPIFFE";' "$web"
    refused 8 'p11ca: none.crt: *' ask --peer none.crt --unverified
    refused 4 'p11ca: factory.crt: *' ask --peer factory.crt --unverified
    refused 2 'p11ca: authorize: option --peer CERT is missing' ask --unverified
}

@test "policy check: findings with file and line, exit status 1" {
    policy 'principal = "SPIFFE";' "$web" "$admin"
    succeeds p11ca policy check p.conf
    equal "$output" 'p.conf: good'
    policy 'principal = "SPIFFE";' "$web" 'name = "cn"; effect = "allow"; who = "CN:a";' \
        'name = "no"; effect = "deny"; who = "any"; paths = [ "/orders/**" ];'
    run --separate-stderr p11ca policy check p.conf
    equal "$status" 1
    equal "$output" "p.conf:3: SHADOWED: service 'orders': rule 'web': allows nothing that is not denied by rule 'no' (p.conf:5)
p.conf:4: CANNOT_FIT: service 'orders': rule 'cn': 'CN:a' fits nobody: principals are of other kinds
p.conf:2: NOBODY: service 'orders': nobody may call it"
    equal "$stderr" 'p11ca: policy: 3 findings'
    run --separate-stderr p11ca --json policy check p.conf
    equal "$(jq -c 'map([.code, .where])' <<<"$output")" \
        '[["SHADOWED","p.conf:3"],["CANNOT_FIT","p.conf:4"],["NOBODY","p.conf:2"]]'
}

@test "policy export: what cannot be said there is refused with its rule's name, and nothing is overwritten" {
    policy 'principal = [ "SPIFFE" ];' "$web"
    refused 4 'p11ca: principal: want CN alone, or subject alone, for nginx, have others' \
        p11ca policy export p.conf --format nginx
    refused 4 'p11ca: format: want nginx or envoy, have another' p11ca policy export p.conf --format caddy
    policy 'principal = [ "CN", "subject" ];' "$web"
    refused 4 'p11ca: principal: want CN alone, *' p11ca policy export p.conf --format nginx
    policy 'principal = [ "CN" ];' 'name = "odd"; effect = "allow"; who = "CN:a,b";'
    refused 4 "p11ca: p.conf:3: service 'orders': rule 'odd': want CNs of letters, digits and . _ - @ : / for nginx, have another name" \
        p11ca policy export p.conf --format nginx -o out
    policy 'principal = [ "DNS" ];' 'name = "no-a"; effect = "deny"; who = "DNS:a.example";'
    refused 4 "p11ca: p.conf:3: service 'orders': rule 'no-a': want SPIFFE IDs, or \"any\", in what denies for Envoy, have another name" \
        p11ca policy export p.conf --format envoy
    policy 'principal = "CN";' 'name = "a"; effect = "allow"; who = "CN:a";'
    echo mine >out
    refused 8 'p11ca: out: *' p11ca policy export p.conf --format nginx -o out
    succeeds p11ca policy export p.conf --format nginx -o out --force
    succeeds grep -q '^map ' out
}

@test "policy export: Envoy's filters" {
    policy 'principal = "SPIFFE";' "$web" "$admin"
    succeeds p11ca policy export p.conf --format envoy
    local rules='.orders.http_filters[].typed_config.rules'
    equal "$(jq -c "[$rules | [.action, (.policies | keys)]]" <<<"$output")" \
        '[["DENY",["(request)","no-admin"]],["ALLOW",["web"]]]'
    equal "$(jq -r '.orders.http_filters[1].typed_config.rules.policies.web.principals[0].authenticated.principal_name.safe_regex.regex' \
        <<<"$output")" 'spiffe://acme[.]example/ns/[^/?#]+/web'
    equal "$(jq -r '.orders.http_filters[0].typed_config.rules.policies."no-admin".permissions[0].and_rules.rules[0].or_rules.rules[0].url_path.path.safe_regex.regex' \
        <<<"$output")" '/orders/admin(/[^ ]*)?'
    equal "$(jq -r '.orders.http_filters[0].typed_config["@type"]' <<<"$output")" \
        type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC
}

# --- nginx ---

nginx_conf() {
    cat >nginx.conf <<END
daemon off;
master_process off;
pid $PWD/pid;
error_log $PWD/error.log;
events {}
http {
    access_log off;
    client_body_temp_path $PWD/body;
    proxy_temp_path $PWD/proxy;
    fastcgi_temp_path $PWD/fastcgi;
    uwsgi_temp_path $PWD/uwsgi;
    scgi_temp_path $PWD/scgi;
    include $PWD/map.conf;
    server {
        listen unix:$PWD/sock ssl;
        ssl_certificate $BATS_FILE_TMPDIR/server-chain.crt;
        ssl_certificate_key $BATS_FILE_TMPDIR/server.key;
        ssl_client_certificate $BATS_FILE_TMPDIR/home/root.crt;
        ssl_verify_client optional;
        ssl_verify_depth 2;
        location / {
            if (\$p11ca_orders = 0) { return 403; }
            default_type text/plain;
            return 200 "in\n";
        }
    }
}
END
}

start_nginx() {
    nginx_conf
    PATH=$PATH:/usr/sbin nginx -t -p "$PWD" -c "$PWD/nginx.conf" -e "$PWD/error.log" >test.log 2>&1 || fail "$(cat test.log)"
    PATH=$PATH:/usr/sbin nginx -p "$PWD" -c "$PWD/nginx.conf" -e "$PWD/error.log" >server.log 2>&1 3>&- </dev/null &
    pids+=("$!")
    local i
    for ((i = 0; i < 200; i++)); do
        [[ ! -S sock ]] || return 0
        sleep 0.05
    done
    fail 'no server came up'
}

# same_answer NAME METHOD PATH WANT: nginx and p11ca authorize say the same to the client NAME.
same_answer() {
    local said='' want=403
    during="$*"
    [[ $4 == no ]] || want=200
    cat "$1.crt" factory.crt >chain.crt
    said=$(curl --silent --max-time 20 --path-as-is --unix-socket sock --cacert "$BATS_FILE_TMPDIR/home/root.crt" --cert chain.crt \
        --key "$BATS_FILE_TMPDIR/$1.key" --write-out '%{http_code}' --output got -X "$2" "https://localhost$3")
    equal "$said" "$want"
    run --separate-stderr ask --peer "$1.crt" --method "$2" --path "$3" --unverified
    equal "$status" $((want == 200 ? 0 : 1))
    during=
}

@test "nginx with an exported map answers as p11ca authorize does" {
    policy 'principal = "CN";' 'name = "svc"; effect = "allow"; who = "CN:svc"; methods = [ "GET" ]; paths = [ "/orders/*", "/a.b", "/c/**" ];' \
        'name = "no"; effect = "deny"; who = "any"; paths = [ "/c/admin" ];' \
        'name = "eve"; effect = "allow"; who = "CN:eve"; paths = [ "/eve" ];'
    p11ca policy export p.conf --format nginx >map.conf
    start_nginx
    same_answer c GET /orders/7 yes
    same_answer c GET /c yes
    same_answer c GET /c/d/e yes
    same_answer c GET /a.b yes
    same_answer c GET /axb no
    same_answer c GET /ORDERS/7 no
    same_answer c PUT /orders/7 no
    same_answer c GET /orders/7/8 no
    same_answer c GET /orders no
    same_answer c GET /c/admin no
    same_answer c GET /c/admin/ no
    same_answer c GET /c/x/../admin no
    same_answer c GET /c//admin no
    same_answer c GET /c/%61dmin no
    same_answer c GET '/c/admin;x' no
    same_answer c GET /c/%2e%2e/x no
    same_answer d GET /orders/7 no
    same_answer e GET /c/x no
    same_answer e GET /eve yes
    same_answer f GET /c/x no
    # A query is no part of the path; who has no certificate is nobody.
    equal "$(curl --silent --unix-socket sock --cacert "$BATS_FILE_TMPDIR/home/root.crt" --cert c.crt \
        --key "$BATS_FILE_TMPDIR/c.key" --write-out '%{http_code}' --output got https://localhost/orders/7 2>&1)" 400
    equal "$(curl --silent --unix-socket sock --cacert "$BATS_FILE_TMPDIR/home/root.crt" --write-out '%{http_code}' --output got \
        https://localhost/orders/7)" 403
}

@test "nginx with a map of whole subjects: denials hold, case counts" {
    policy 'principal = "subject";' 'name = "all"; effect = "allow"; who = "any";' 'name = "no"; effect = "deny"; who = "subject:CN=svc";'
    p11ca policy export p.conf --format nginx >map.conf
    start_nginx
    same_answer c GET /orders no
    same_answer d GET /orders yes
}
