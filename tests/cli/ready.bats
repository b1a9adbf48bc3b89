#!/usr/bin/env bats
# Every ready ceremony script: checked, printed, rehearsed, run, verified, and the rehearsal compared with the real one.

load common
load ready

setup_file() {
    make_homes
}

setup() {
    mkdir "$BATS_TEST_TMPDIR/work"
    cd "$BATS_TEST_TMPDIR/work"
}

ready() {
    local script=$1 folder rehearsal
    cp -a "$BATS_FILE_TMPDIR/$(home_for "$script")" home
    [[ ! -e home/softhsm ]] ||
        sed -i "s|^directories.tokendir = .*|directories.tokendir = $PWD/home/softhsm/tokens|" home/softhsm/softhsm2.conf
    succeeds p11ca -C home ceremony check "$scripts/$script.conf"
    succeeds p11ca -C home ceremony print "$scripts/$script.conf" -o "$script.html"
    succeeds p11ca -C home ceremony print "$scripts/$script.conf" -o "$script.txt"
    grep -q "$(sha256sum <"$scripts/$script.conf" | cut -c1-8)" "$script.txt" || fail 'want the hash of the script on the paper'
    # A rehearsal leaves the home as it was but for its own folder, and no temporary home behind.
    find home -path home/rehearsals -prune -o -type f -print0 | sort -z | xargs -0 sha256sum >before
    mkdir tmp
    TMPDIR=$PWD/tmp succeeds p11ca -C home --json ceremony rehearse --yes "$scripts/$script.conf"
    rehearsal=$(jq -r .folder <<<"$output")
    equal "$(ls -A tmp)" ''
    find home -path home/rehearsals -prune -o -type f -print0 | sort -z | xargs -0 sha256sum | diff before - || fail 'want the home as it was'
    [[ $(jq -r '.rehearsal' "$rehearsal/transcript.jsonl" | sort -u) == true ]] || fail 'want every line marked'
    succeeds p11ca -C home --json ceremony run --yes "$scripts/$script.conf"
    folder=$(jq -r .folder <<<"$output")
    equal "$(jq -r .sha256 <<<"$output")" "$(sha256sum <"$folder/transcript.jsonl" | cut -d' ' -f1)"
    succeeds p11ca ceremony verify "$rehearsal"
    succeeds p11ca ceremony verify "$folder"
    succeeds p11ca ceremony compare "$rehearsal" "$folder"
    (cd "$folder" && sha256sum --quiet -c SHA256SUMS)
    refute grep -rqF -e "$(cat home/pins/root)" -e "$(cat home/pins/root-so)" "$folder" "$rehearsal"
    sound
}

@test "root.conf" {
    ready root
}

@test "intermediate.conf" {
    ready intermediate
}

@test "intermediate-from-request.conf" {
    ready intermediate-from-request
}

@test "crl-refresh.conf" {
    ready crl-refresh
}

@test "crl-year.conf" {
    ready crl-year
}

@test "root-rollover.conf" {
    ready root-rollover
}

@test "intermediate-replacement.conf" {
    ready intermediate-replacement
}

@test "destroy-key.conf" {
    ready destroy-key
}

@test "lot-ticket.conf" {
    ready lot-ticket
}

@test "recovery-drill.conf" {
    ready recovery-drill
}

@test "the ready scripts are those that are tested here" {
    local script
    for script in "$scripts"/*.conf; do
        grep -qF "@test \"${script##*/}\" {" "$BATS_TEST_FILENAME" || fail "want a test of ${script##*/}"
    done
}

# root -> policy -> issuing: each tier by the one above.
@test "a PKI of three tiers from nothing, by one script" {
    p11ca -q init home --name Acme >/dev/null
    cat >home/p11ca.conf <<'END'
tokens = {
  root   = { kind = "softhsm2"; uri = "pkcs11:token=acme-root";   pin = "file:pins/a"; so-pin = "file:pins/a"; store = "softhsm"; };
  policy = { kind = "softhsm2"; uri = "pkcs11:token=acme-policy"; pin = "file:pins/a"; so-pin = "file:pins/a"; store = "softhsm"; };
  line   = { kind = "softhsm2"; uri = "pkcs11:token=acme-line";   pin = "file:pins/a"; so-pin = "file:pins/a"; store = "softhsm"; };
};
authorities = {
  root   = { token = "root"; key = "r"; subject = "CN=Acme Root,O=Acme"; profile = "root-ca"; issues = [ "intermediate-ca" ]; };
  policy = { token = "policy"; key = "p"; subject = "CN=Acme Policy CA,O=Acme"; profile = "intermediate-ca"; issuer = "root";
             issues = [ "issuing-ca" ]; };
  line   = { token = "line"; key = "l"; subject = "CN=Acme Line CA,O=Acme"; profile = "issuing-ca"; issuer = "policy";
             issues = [ "server", "device" ]; };
};
END
    mkdir -m 700 home/pins
    (umask 077 && printf 12345678 >home/pins/a)
    {
        echo 'title = "Three tiers"; steps = ('
        for name in root policy line; do
            echo "{ do = \"init-token\"; token = \"$name\"; }, { do = \"generate-key\"; authority = \"$name\"; algorithm = \"P-384\"; },"
        done
        echo '{ do = "self-sign"; authority = "root"; },'
        for pair in root:policy policy:line; do
            name=${pair#*:}
            echo "{ do = \"request\"; authority = \"$name\"; file = \"$name.csr\"; },"
            echo "{ do = \"sign-request\"; authority = \"${pair%:*}\"; for = \"$name\"; request = \"$name.csr\"; certificate = \"$name.pem\"; },"
            echo "{ do = \"install\"; authority = \"$name\"; certificate = \"$name.pem\"; },"
        done
        echo '{ do = "export"; authority = "line"; file = "chain.pem"; chain = true; } );'
    } >tiers.conf
    succeeds p11ca -q -C home ceremony rehearse --yes tiers.conf
    succeeds p11ca -q -C home ceremony run --yes tiers.conf
    equal "$(grep -c '^-----BEGIN' home/chain.pem)" 3
    succeeds p11ca -C home issue -a line -p server --new-key k --dns localhost -o leaf.crt
    succeeds openssl verify -x509_strict -CAfile home/root.crt -untrusted home/chain.pem leaf.crt
    # The policy CA cannot have a CA below one of its issuing CAs.
    sed -i 's/issues = \[ "server", "device" \]/issues = [ "issuing-ca" ]/' home/p11ca.conf
    refused 3 "p11ca: home/p11ca.conf:*RFC 5280 4.2.1.9*" p11ca -C home list
}
