#!/usr/bin/env bats
# Handshakes of clients whose certificates are wrong, with the OpenSSL archive (the service of tests/mesh), openssl
# s_server and nginx. What is wanted of whom stands in the README's table: these tests read it there.

load common

readme=$BATS_TEST_DIRNAME/../../README.md

# --- certificates, of a CA of OpenSSL's: p11ca issues nothing of the kind ---

new_ca() {
    local name=$1 by=$2
    shift 2
    openssl ecparam -name prime256v1 -genkey -noout -out "$name.key"
    openssl req -new -key "$name.key" -subj "/CN=$name" -out "$name.csr"
    printf '%s\n' 'keyUsage=critical,keyCertSign,cRLSign' 'subjectKeyIdentifier=hash' "$@" >"$name.ext"
    if [[ $by == "$name" ]]; then
        openssl x509 -req -in "$name.csr" -signkey "$name.key" -days 99 -extfile "$name.ext" -out "$name.crt"
    else
        openssl x509 -req -in "$name.csr" -CA "$by.crt" -CAkey "$by.key" -days 99 -extfile "$name.ext" -out "$name.crt"
    fi
}

number=100
# leaf NAME [KEY=VALUE of an extension; KEY= leaves it out | @VARIABLE=VALUE]...: by is its issuer, key its key.
leaf() {
    local name=$1 by=inter key=leaf at='' md=sha256 each
    local -A ext=([basicConstraints]='critical,CA:FALSE' [keyUsage]='critical,digitalSignature' [extendedKeyUsage]=clientAuth
        [subjectAltName]=DNS:a.example)
    shift
    for each; do
        case $each in
        @by=* | @key=* | @at=* | @md=*) printf -v "$(cut -d= -f1 <<<"${each#@}")" %s "${each#*=}" ;;
        *) ext[${each%%=*}]=${each#*=} ;;
        esac
    done
    : >leaf.ext
    for each in "${!ext[@]}"; do
        [[ -z ${ext[$each]} ]] || echo "$each=${ext[$each]}" >>leaf.ext
    done
    openssl req -new -key "$key.key" -subj "/CN=$name" -out leaf.csr
    number=$((number + 1))
    ${at:+faketime "$at"} openssl x509 -req -in leaf.csr -CA "$by.crt" -CAkey "$by.key" -set_serial "$number" -days 9 \
        "-$md" -extfile leaf.ext -out "$name.crt"
}

# The same with the signature's last octet changed.
bad_signature() {
    openssl x509 -in "$1.crt" -outform DER -out bad.der
    flip bad.der -1
    openssl x509 -inform DER -in bad.der -out "$2.crt"
}

# crl CA FILE [openssl ca options]
crl() {
    openssl ca -config ca.conf -keyfile "$1.key" -cert "$1.crt" -gencrl -out "$2" "${@:3}"
}

make_crls() {
    : >index
    echo 1000 >crlnumber
    printf '%s\n' '[ca]' 'default_ca=a' '[a]' 'database=index' 'crlnumber=crlnumber' 'default_md=sha256' \
        'default_crl_days=3' >ca.conf
    mkdir crls stale none
    crl root root.crl
    crl inter stale/inter.crl -crl_lastupdate 20200101000000Z -crl_nextupdate 20200102000000Z
    openssl ca -config ca.conf -keyfile inter.key -cert inter.crt -revoke revoked.crt
    crl inter crls/inter.crl
}

# policy CRLS: an authenticator, FOLDER.conf, and the same with a rule for all whom it lets in, FOLDER.policy.
policy() {
    printf '%s\n' 'trust = [ "inter.crt" ];' 'verify-chain = [ "root.crt" ];' 'principal = [ "DNS" ];' \
        'allow = [ "DNS:a.example" ];' 'revocation = "crls";' "crls = [ \"$1\" ];" >"$1.conf"
    {
        echo 'authenticator = {'
        cat "$1.conf"
        echo '}; services = { mesh = { rules = ( { name = "all"; effect = "allow"; who = "any"; } ); }; };'
    } >"$1.policy"
}

setup_file() {
    cd "$BATS_FILE_TMPDIR"
    new_ca root root basicConstraints=critical,CA:TRUE
    new_ca inter root basicConstraints=critical,CA:TRUE,pathlen:0
    new_ca below inter basicConstraints=critical,CA:TRUE
    new_ca foreign foreign basicConstraints=critical,CA:TRUE
    openssl ecparam -name prime256v1 -genkey -noout -out leaf.key
    openssl genrsa -out rsa.key 1024
    leaf server extendedKeyUsage=serverAuth subjectAltName=DNS:localhost
    leaf good
    leaf expired '@at=2020-01-01 00:00:00'
    leaf early '@at=2048-01-01 00:00:00'
    leaf unknown @by=foreign
    openssl req -x509 -new -key leaf.key -subj /CN=self -days 9 -out self.crt -addext extendedKeyUsage=clientAuth \
        -addext subjectAltName=DNS:a.example
    bad_signature good signature
    leaf other-eku extendedKeyUsage=serverAuth
    leaf no-eku extendedKeyUsage=
    leaf agreement keyUsage=critical,keyAgreement
    leaf critical 1.3.6.1.4.1.32473.9=critical,ASN1:NULL
    leaf long @by=below
    leaf revoked
    leaf rsa @key=rsa
    leaf sha1 @md=sha1
    leaf stranger subjectAltName=DNS:b.example
    leaf two-uris subjectAltName=URI:spiffe://mesh.example/svc/a,URI:spiffe://mesh.example/svc/b
    leaf two-names subjectAltName=DNS:a.example,DNS:b.example
    leaf other-kind subjectAltName=email:a@a.example
    cat below.crt inter.crt >long.chain
    make_crls
    cat server.crt inter.crt >server.pem
    cat root.crl crls/inter.crl >good.crls
    cat root.crl stale/inter.crl >stale.crls
    local each
    for each in crls stale none; do
        policy "$each"
    done
} >/dev/null 2>&1

# A copy of it all: what a test writes must not meet the one that runs beside it.
setup() {
    cp -R "$BATS_FILE_TMPDIR" "$BATS_TEST_TMPDIR/own"
    cd "$BATS_TEST_TMPDIR/own"
    pids=()
}

teardown() {
    local pid
    for pid in "${pids[@]}"; do
        kill "$pid" 2>/dev/null || true
        wait "$pid" 2>/dev/null || true
    done
}

# --- servers: each sets $where to what s_client connects to ---

# until_there COMMAND...: for twenty seconds at most.
until_there() {
    local i
    for i in {1..400}; do
        ! "$@" 2>/dev/null || return 0
        sleep 0.05
    done
    fail "not there: $*"
}

# For servers of ours. In the foreground, timeout sends it no SIGCONT behind SIGTERM: LeakSanitizer stops the process with
# SIGSTOP when it ends, and waits for ever when that is undone.
ours=(timeout --foreground --kill-after=5 120)

mesh() {
    log=$BATS_TEST_TMPDIR/mesh-$1.log
    "${ours[@]}" "$BUILD/tests/mesh" mesh 0 server.pem leaf.key "$1.policy" >"$log" 2>&1 3>&- &
    pids+=($!)
    until_there grep -q 'listens on' "$log"
    where=(-connect "127.0.0.1:$(sed -n 's/.*listens on //p' "$log")")
}

s_server() {
    local name=$1
    shift
    timeout 120 openssl s_server -accept 127.0.0.1:0 -cert server.crt -cert_chain inter.crt -key leaf.key -CAfile root.crt \
        -Verify 4 -verify_return_error -www "$@" >"$BATS_TEST_TMPDIR/$name.log" 2>&1 3>&- &
    pids+=($!)
    until_there grep -q '^ACCEPT .*:' "$BATS_TEST_TMPDIR/$name.log"
    where=(-connect "127.0.0.1:$(sed -n 's/^ACCEPT .*://p' "$BATS_TEST_TMPDIR/$name.log")")
}

# server_block NAME CRLS: a server of nginx's that says what it thinks of the client.
server_block() {
    cat <<END
    server {
        listen unix:$BATS_TEST_TMPDIR/nginx-$1 ssl;
        ssl_certificate server.pem;
        ssl_certificate_key leaf.key;
        ssl_client_certificate $BATS_FILE_TMPDIR/root.crt;
        ssl_crl $BATS_FILE_TMPDIR/$2;
        ssl_protocols TLSv1.2 TLSv1.3;
        ssl_verify_client on;
        ssl_verify_depth 4;
        add_header X-Verify "\$ssl_client_verify" always;
        location / { return 200 ok; }
    }
END
}

nginx_conf() {
    local each
    echo "daemon off; master_process off; pid $dir/pid; error_log $dir/error.log; events {}"
    echo 'http { access_log off;'
    for each in client_body proxy fastcgi uwsgi scgi; do
        echo "${each}_temp_path $dir/$each;"
    done
    server_block crls good.crls
    server_block stale stale.crls
    server_block none root.crl
    echo '}'
}

nginx() {
    local dir=$BATS_TEST_TMPDIR/nginx
    mkdir "$dir"
    nginx_conf >"$dir/nginx.conf"
    sed -i "s|ssl_certificate |&$PWD/|; s|ssl_certificate_key |&$PWD/|" "$dir/nginx.conf"
    PATH=$PATH:/usr/sbin timeout 120 nginx -p "$dir" -c "$dir/nginx.conf" -e "$dir/error.log" >/dev/null 2>&1 3>&- &
    pids+=($!)
    until_there test -S "$BATS_TEST_TMPDIR/nginx-none"
}

# --- clients ---

# The row's first column, and the certificate that is presented.
declare -gA presents=(
    [good]=good [expired]=expired ['not yet valid']=early ['unknown CA']=unknown [self-signed]=self
    ['bad signature']=signature ['EKU serverAuth alone']=other-eku ['no EKU']=no-eku ['KU keyAgreement alone']=agreement
    ['unknown critical extension']=critical ['pathLen exceeded']=long [revoked]=revoked ['CRL wanted, none there']=good
    ['CRL expired']=good ['RSA of 1,024 bits']=rsa ['signed with SHA-1']=sha1 ['a name that no rule lets in']=stranger
    ['two SPIFFE IDs']=two-uris ['two DNS names']=two-names ['no name of a kind that counts']=other-kind
)

# client ROW: options of s_client.
client() {
    local cert=${presents[$1]:-} key=leaf chain=inter.crt
    case $1 in
    'no certificate') return ;;
    'leaf alone, its issuer missing') cert=good chain= ;;
    'pathLen exceeded') chain=long.chain ;;
    'unknown CA') chain=foreign.crt ;;
    'RSA of 1,024 bits') key=rsa ;;
    esac
    [[ -n $cert ]] || fail "no client for the row '$1'"
    echo "-cert $cert.crt -key $key.key ${chain:+-cert_chain $chain} -cipher DEFAULT:@SECLEVEL=0"
}

# Of which server, since some have other CRLs.
server_of() {
    case $1 in
    'CRL expired') echo stale ;;
    'CRL wanted, none there') echo none ;;
    *) echo crls ;;
    esac
}

# talk WANT TLS [s_client options]: what the client saw, in a few words, is this; $reused tells whether it resumed. It
# reads: in TLS 1.3 a client is done before the server has judged it. Who is to be refused asks nothing: what is sent to a
# connection that was closed may cost the alert that is on its way.
talk() {
    local want=$1 tls=$2 request='' out
    shift 2
    [[ $want != ok && $want != 400* ]] || request=$'GET / HTTP/1.0\r\n\r\n'
    out=$(printf %s "$request" | timeout 20 openssl s_client -ign_eof "-$tls" "${where[@]}" -servername localhost \
        -CAfile root.crt -verify_return_error "$@" 2>&1 3>&-) || true
    reused=no
    [[ $out != *'Reused, '* ]] || reused=yes
    if [[ $out =~ 'SSL alert number '([0-9]+) ]]; then
        saw=${BASH_REMATCH[1]}
    elif [[ $out =~ HTTP/1.[01]\ 400.*X-Verify:\ (FAILED:)?([^$'\r\n']*) ]]; then
        saw="400, ${BASH_REMATCH[2]}"
    elif [[ $out =~ HTTP/1.[01]\ 200 ]]; then
        saw=ok
    else
        saw="nothing: $out"
    fi
    [[ $saw == "$want" ]] || fail "$tls: want '$want', have '$saw'"
}

# The rows of the README's table, without blanks around the cells: a line each, columns between "|".
table() {
    sed -nE '/^\| client presents/,/^$/p' "$readme" | sed -E '1,2d; /^$/d; s/^\| *//; s/ *\|$//; s/ *\| */|/g'
}

# each_row FUNCTION: calls it with the columns of each row, and wants all the clients that there are.
each_row() {
    local cells n=0
    while IFS='|' read -ra cells <&4; do
        n=$((n + 1))
        during=${cells[0]}
        "$1" "${cells[@]}"
    done 4< <(table)
    during=
    [[ $n == $((${#presents[@]} + 2)) ]] || fail "want a row for each of $((${#presents[@]} + 2)) clients, have $n"
}

# both WANT-1.3 WANT-1.2 ROW
both() {
    # shellcheck disable=SC2046
    talk "$1" tls1_3 $(client "$3")
    # shellcheck disable=SC2046
    talk "$2" tls1_2 $(client "$3")
}

# --- the table ---

# The client may know before the log does.
last_two() {
    [[ $(tail -n 2 "$2" | grep -cF "$1") == 2 ]]
}

mesh_row() {
    local row=$1 server tls3=$2 tls2=$3 code=$4
    server=$(server_of "$row")
    where=("${at[@]:$((2 * ${index[$server]})):2}")
    both "$tls3" "$tls2" "$row"
    [[ $code == - ]] || until_there last_two "refuses in the handshake: $code: TLS client: " "$BATS_TEST_TMPDIR/mesh-$server.log"
}

# Each kind of server three times: with CRLs, with one that is past its time, without.
kinds=(crls stale none)
declare -gA index=([crls]=0 [stale]=1 [none]=2)

@test "handshakes with the OpenSSL archive: the alerts of TLS 1.3 and 1.2, and the reasons in its log" {
    local at=() each
    for each in "${kinds[@]}"; do
        mesh "$each"
        at+=("${where[@]}")
    done
    each_row mesh_row
    # Whom it refused the application never heard of.
    equal "$(grep -c ' answers ' "$BATS_TEST_TMPDIR/mesh-crls.log")" 4
    refute grep -q ' answers ' "$BATS_TEST_TMPDIR/mesh-stale.log"
    refute grep -q ' answers ' "$BATS_TEST_TMPDIR/mesh-none.log"
}

s_server_row() {
    local row=$1
    where=("${at[@]:$((2 * ${index[$(server_of "$row")]})):2}")
    both "$5" "$6" "$row"
}

@test "handshakes with openssl s_server: the alerts of TLS 1.3 and 1.2" {
    local at=()
    s_server crls -crl_check -CRL crls/inter.crl
    at+=("${where[@]}")
    s_server stale -crl_check -CRL stale/inter.crl
    at+=("${where[@]}")
    s_server none -crl_check
    at+=("${where[@]}")
    each_row s_server_row
}

nginx_row() {
    local row=$1
    where=(-unix "$BATS_TEST_TMPDIR/nginx-$(server_of "$row")")
    both "$7" "$7" "$row"
}

@test "handshakes with nginx: all are let through, and answered 400" {
    nginx
    each_row nginx_row
}

# --- sessions ---

good=(-cert good.crt -key leaf.key -cert_chain inter.crt)

# timeout passes a second one on no more.
hang_up() {
    kill -HUP "$(pgrep -P "${pids[-1]}")"
}

revoke_good() {
    openssl ca -config ca.conf -keyfile inter.key -cert inter.crt -revoke good.crt
    crl inter crls/inter.crl
    hang_up
    until_there grep -q 'read its CRLs anew' "$log"
} 2>/dev/null

said_twice() {
    [[ $(grep -cE "$1" "$log") == 2 ]]
}

@test "a client accepted, then revoked and the CRL reloaded, is refused on its resumed connection" {
    mesh crls
    for tls in tls1_3 tls1_2; do
        talk ok $tls "${good[@]}" -sess_out "$tls.session"
        equal "$reused" no
        talk ok $tls "${good[@]}" -sess_in "$tls.session"
        equal "$reused" yes
    done
    heard=$(grep -c ' answers ' "$log")
    revoke_good
    for tls in tls1_3 tls1_2; do
        # Not resumed: the full handshake says why.
        talk 44 $tls "${good[@]}" -sess_in "$tls.session"
        equal "$reused" no
        # Who resumes need not have the certificate at hand; then it is nobody.
        talk "$([[ $tls == tls1_3 ]] && echo 116 || echo 40)" $tls -sess_in "$tls.session"
        equal "$reused" no
    done
    equal "$(grep -c ' answers ' "$log")" "$heard"
    until_there said_twice "refuses in the handshake: REVOKED: TLS client: serial [0-9A-F]+ of 'CN=inter': certificate: RFC 5280 5.3: revoked at"
}

@test "a CRL that is played back leaves those that are loaded in force" {
    mesh crls
    cp crls/inter.crl before.crl
    revoke_good
    cp before.crl crls/inter.crl
    hang_up
    until_there grep -qx 'mesh: keeps the CRLs it has: CRL: RFC 5280 5.2.3: cRLNumber, thisUpdate: want none lower than what is loaded, have one' "$log"
    talk 44 tls1_3 "${good[@]}"
}

@test "TLS 1.1, renegotiation and silent clients get nowhere" {
    mesh crls
    talk 70 tls1_1 "${good[@]}" -cipher DEFAULT:@SECLEVEL=0
    # A connection that says nothing keeps nobody else waiting.
    exec 5<>"/dev/tcp/127.0.0.1/${where[1]#*:}"
    talk ok tls1_3 "${good[@]}"
    exec 5>&-
    # "R" is s_client's word for renegotiation.
    out=$( (echo R; sleep 2) | timeout 20 openssl s_client -tls1_2 "${where[@]}" -CAfile root.crt "${good[@]}" 2>&1) || true
    [[ $out == *RENEGOTIATING*'no renegotiation'* ]] || fail "want no renegotiation: $out"
}

@test "clients are sent the names of those who may have signed theirs" {
    mesh crls
    for tls in tls1_3 tls1_2; do
        out=$(openssl s_client -$tls "${where[@]}" -CAfile root.crt "${good[@]}" </dev/null 2>&1) || true
        [[ $out == *'Acceptable client certificate CA names
CN = root
CN = inter
'* ]] || fail "want both names: $out"
    done
}

# --- the program of the README ---

@test "the README's program: compiled as it stands, with what pkg-config says, it answers who is calling" {
    sed -n '/^\/\* Who is calling/,/^```/p' "$readme" | sed '/^```/d' >calling.c
    [[ $(wc -l <calling.c) -le 40 ]] || fail 'want at most 40 lines'
    flags=()
    [[ -z ${SAN:-} ]] || flags=("-fsanitize=$SAN")
    PKG_CONFIG_PATH=$BUILD/lib/pkgconfig pkg-config --cflags --libs p11ca-auth-openssl >flags
    # shellcheck disable=SC2046
    cc "${flags[@]}" -Wall -Wextra -Werror -o calling calling.c $(<flags)
    # A port that nobody had a moment ago.
    for port in $(shuf -n 20 -i 20000-30000); do
        "${ours[@]}" ./calling crls.conf server.pem leaf.key "127.0.0.1:$port" >calling.log 2>&1 3>&- &
        pids+=($!)
        until_there eval "(: <>/dev/tcp/127.0.0.1/$port) || ! kill -0 $!"
        ! kill -0 $! || break
    done
    out=$(echo hello | timeout 20 openssl s_client -quiet -connect "127.0.0.1:$port" -CAfile root.crt "${good[@]}" 2>/dev/null)
    equal "$out" a.example
    where=(-connect "127.0.0.1:$port")
    talk 116 tls1_3
    talk 42 tls1_3 -cert stranger.crt -key leaf.key
    until_there grep -q ^NOT_ALLOWED calling.log
    equal "$(tail -n 3 calling.log | sed 's/serial [0-9A-F]*/serial N/')" "hears a.example
TLS_NO_CERT TLS client: want a certificate, have none
NOT_ALLOWED TLS client: serial N of 'CN=inter': DNS 'b.example': want a rule that lets it in, have none"
}

@test "make mesh-demo: three services, allowed, forbidden, refused, revoked, resumed" {
    succeeds "$BATS_TEST_DIRNAME/../mesh/demo"
    equal "$(grep -c '^ok ' <<<"$output")" 25
    refute grep -q '^WRONG' <<<"$output"
}
