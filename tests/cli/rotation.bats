#!/usr/bin/env bats
# The exercise of a root rollover: two services and their client, each of which knows the other by certificate, go from the
# old root to the next. Every state is asserted by handshakes in which both sides verify.

load common
load ready
load servers

# A person who has to do this does these steps: the ready ceremonies, and a factory below the next root.
setup_file() {
    local base=$BATS_FILE_TMPDIR who
    cd "$base"
    p11ca -q init home --name Acme --softhsm
    extend_conf home
    sed -i -E -e 's| ticket-from = "root";||' -e '/factory-next = \{ token/,/\};/ s|issuer = "root"|issuer = "root-next"|' home/p11ca.conf
    p11ca -q -C home ceremony run --yes "$scripts/root-rollover.conf"
    sed 's|authority = "root"; for = "factory-next"|authority = "root-next"; for = "factory-next"|' \
        "$scripts/intermediate-replacement.conf" >below-next.conf
    p11ca -q -C home ceremony run --yes below-next.conf
    # Service and client of the old hierarchy, then of the new one; each sends its intermediate.
    for who in factory:old factory-next:new; do
        p11ca -q -C home issue -a "${who%:*}" -p server --new-key "${who#*:}-service.key" --dns localhost -o s.crt
        p11ca -q -C home issue -a "${who%:*}" -p client --new-key "${who#*:}-client.key" --subject CN=client \
            --dns client.acme.example -o c.crt
        cat s.crt "home/${who%:*}.crt" >"${who#*:}-service.pem"
        cat c.crt "home/${who%:*}.crt" >"${who#*:}-client.pem"
        rm s.crt c.crt
    done
    # With the certificate that leads to the other root behind.
    for who in service client; do
        cat old-$who.pem home/old-with-new.crt >old-$who-crossed.pem
        cat new-$who.pem home/new-with-old.crt >new-$who-crossed.pem
        cp old-$who.key old-$who-crossed.key
        cp new-$who.key new-$who-crossed.key
    done
    p11ca -q -C home bundle root root-next --state now -o trust-old.pem
    p11ca -q -C home bundle root root-next --state overlap -o trust-both.pem
    p11ca -q -C home bundle root root-next --state after -o trust-new.pem
} >/dev/null

setup() {
    cd "$BATS_FILE_TMPDIR"
}

teardown() {
    stop_servers
}

# A service with this chain, that trusts these roots for its clients.
service() {
    exec openssl s_server -accept "127.0.0.1:$1" -cert "$chain.pem" -cert_chain "$chain.pem" -key "$chain.key" \
        -CAfile "trust-$trust.pem" -no-CApath -no-CAstore -Verify 4 -verify_return_error -www -quiet
}

# up NAME CHAIN TRUST: starts it; its port is in ${port_of[NAME]}.
declare -gA port_of=()
up() {
    chain=$2 trust=$3
    start_server service
    port_of[$1]=$port
}

# call NAME CHAIN TRUST: one request by a client with this chain and trust.
call() {
    curl --silent --show-error --max-time 20 --noproxy '*' --cacert "trust-$3.pem" --cert "$2.pem" --key "$2.key" --output page \
        --write-out '%{http_code}' "https://localhost:${port_of[$1]}/"
}

works() {
    during="$1 called with $2, trusting $3"
    succeeds call "$@"
    equal "$output" 200
}

# breaks STATUS NAME CHAIN TRUST: 60 the client does not know the service; 56 or 35 the service does not know the client.
breaks() {
    during="$2 called with $3, trusting $4"
    run --separate-stderr call "${@:2}"
    case $1 in
    client) [[ $status == 60 ]] || fail 'want the client to refuse it' ;;
    service)
        [[ $status == 56 || $status == 35 ]] || fail 'want the service to refuse it'
        [[ $stderr == *'alert unknown ca'* ]] || fail 'want unknown ca'
        ;;
    esac
}

@test "before: both services and the client are of the old root" {
    up one old-service old
    up two old-service old
    works one old-client old
    works two old-client old
}

@test "the break: a service is moved at once, while the others still trust the old root" {
    up one new-service new
    up two old-service old
    works two old-client old
    breaks client one old-client old
    # The client hears of the new root, and the service does not know its certificate.
    breaks service one old-client both
    works one new-client new
    # Nor does the service that was left behind know a client that has moved.
    breaks service two new-client both
    breaks client two old-client new
}

@test "cross certificates: those who know one root only accept what comes from the other" {
    up one new-service-crossed new
    up two old-service-crossed old
    # New with old: for a client that was never told.
    works one new-client old
    works two new-client-crossed old
    # Old with new: for one who has only the next root.
    works two old-client new
    works one old-client-crossed new
    # And without them the break is there again.
    breaks service one old-client new
    breaks service two new-client new
}

@test "the overlap: with both roots everywhere, either side moves when it wants, in any order" {
    local service client trust
    up one old-service both
    up two new-service both
    for service in one two; do
        for client in old-client new-client old-client-crossed new-client-crossed; do
            works $service $client both
        done
    done
    # Whoever has not moved the bundle yet is served by the service of its own root.
    works one old-client old
    works two old-client new
    breaks client two old-client old
    breaks client one new-client new
}

@test "the end: the old root is dropped, its chains are refused, cross certificate or not" {
    up one new-service new
    up two new-service new
    works one new-client new
    works two new-client new
    breaks service one old-client new
    breaks client one new-client old
    # A service that was forgotten.
    up three old-service both
    breaks client three new-client new
    # The cross certificate would still let it in: it ends on its day, or is revoked by the next root.
    up four old-service-crossed both
    works four new-client new
    refute openssl x509 -in home/old-with-new.crt -noout -checkend $((1826 * 86400)) >/dev/null
    p11ca -q -C home revoke --reason superseded home/old-with-new.crt >/dev/null
    p11ca -q -C home crl root-next -o next.crl --days 30
    run openssl verify -crl_check -CAfile trust-new.pem -CRLfile next.crl home/old-with-new.crt
    [[ $output == *'certificate revoked'* ]] || fail 'want it revoked'
}
