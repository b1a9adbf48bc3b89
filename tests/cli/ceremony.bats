#!/usr/bin/env bats
# Ceremony scripts: checked as a whole before a token is touched, then run; what a ceremony leaves behind.

load common
load ceremony

setup_file() {
    prepare_homes
}

setup() {
    use_blank_home
    use_fault_module
}

generate='{ do = "generate-key"; authority = "root"; algorithm = "P-256"; }, '
self_sign='do = "self-sign"; authority = "root";'
child='{ do = "generate-key"; authority = "factory"; algorithm = "P-256"; }, { do = "request"; authority = "factory"; file = "f.csr"; },'
sign_request='do = "sign-request"; authority = "root"; for = "factory"; request = "f.csr"; certificate = "f.crt";'

# bad_script PATTERN [STEPS [MORE]]: refused with file and line by check and by run, and nothing is touched.
bad_script() {
    local pattern=$1
    [[ $# == 1 ]] || script "${@:2}"
    refused 3 "p11ca: $pattern" p11ca -C home ceremony check script.conf
    refused 3 "p11ca: $pattern" p11ca -C home ceremony run --yes script.conf
    [[ ! -e calls && ! -e home/ceremonies ]] || fail 'want nothing touched'
}

good_script() {
    script "$@"
    succeeds p11ca -C home ceremony check script.conf
    [[ ! -e calls && ! -e home/ceremonies ]] || fail 'want nothing touched'
}

@test "check: the ready scripts, without touching a token" {
    succeeds p11ca -C home ceremony check "$scripts/root.conf"
    equal "$stderr" 'Root key ceremony: the script is good'
    [[ $output == *$'\n  7  generate-key  '* ]]
    refused 3 "p11ca: *intermediate.conf:*: verify-files: nothing makes 'root.crt', and it is not there" \
        p11ca -C home ceremony check "$scripts/intermediate.conf"
    [[ ! -e calls && ! -e home/ledger.db ]] || fail 'want nothing touched'
}

@test "check --plan: what approvers sign, the same bytes each time" {
    succeeds p11ca -q -C home ceremony check "$scripts/root.conf" --plan plan.txt
    equal "$(head -1 plan.txt)" 'p11ca ceremony plan'
    equal "$(sed -n 2p plan.txt)" "script $(sha256sum "$scripts/root.conf" | cut -d' ' -f1)"
    [[ $(sed -n 3p plan.txt) =~ ^step\ [0-9]+\ self-sign\ certificate\ [0-9a-f]{64}$ ]]
    [[ $(sed -n 4p plan.txt) =~ ^step\ [0-9]+\ sign-crl\ crl\ [0-9a-f]{64}$ ]]
    equal "$(wc -l <plan.txt)" 4
    refused 8 'p11ca: plan.txt: exists, nothing is overwritten' p11ca -q -C home ceremony check "$scripts/root.conf" --plan plan.txt
    succeeds p11ca -q -C home ceremony run --yes "$scripts/root.conf"
    cmp plan.txt "$(folder)/plan.txt"
    # Another name, another plan.
    sed -i 's/Acme Root/Other Root/' home/p11ca.conf
    rm -r home/ledger.db* home/ceremonies home/*.crt home/*.crl home/*.pem
    succeeds p11ca -q -C home ceremony check "$scripts/root.conf" --plan other.txt
    equal "$(diff plan.txt other.txt | grep -c '^[<>]')" 4
}

@test "run --yes: from blank tokens to a CA that issues" {
    local dir
    succeeds p11ca -C home ceremony run --yes "$scripts/root.conf"
    [[ $stderr == *'step 12 of 12'*$'\n''the ceremony is complete: home/ceremonies/'????-??-??-root ]] || fail 'want it complete'
    dir=$(folder)
    succeeds openssl verify -x509_strict -CAfile home/root.crt home/root.crt
    cmp home/root.crt home/trust-anchor.pem
    succeeds p11ca -C home --json ceremony run --yes "$scripts/intermediate.conf"
    equal "$(jq -r '.completed, (.steps | length)' <<<"$output" | tr '\n' ' ')" 'true 13 '
    complete "$(jq -r .folder <<<"$output")"
    equal "$(jq -r .sha256 <<<"$output")" "$(sha256sum "$(jq -r .folder <<<"$output")/transcript.jsonl" | cut -d' ' -f1)"
    succeeds openssl verify -x509_strict -CAfile home/trust-anchor.pem home/factory.crt
    equal "$(grep -c '^-----BEGIN' home/factory-chain.pem)" 2
    succeeds p11ca -C home issue -a factory -p device --new-key k --id leaf-1 -o out.crt
    # The second begins with what the first ended with.
    equal "$(jq -r 'select(.type == "begin").previous' home/ceremonies/*-root/transcript.jsonl)" null
    equal "$(jq -r 'select(.type == "begin").previous' home/ceremonies/*-intermediate/transcript.jsonl)" \
        "$(sha256sum home/ceremonies/*-root/transcript.jsonl | cut -d' ' -f1)"
    equal "$(ceremony_events)" 'begin complete+ begin complete+ '
    sound
}

@test "the folder: script, plan, transcript, artefacts, report, sums - nothing else" {
    local dir
    succeeds p11ca -q -C home ceremony run --yes "$scripts/root.conf"
    equal "$stderr" ''
    dir=$(folder)
    equal "$(cd "$dir" && find . -type f | sort)" './SHA256SUMS
./artefacts/07-root.pub.pem
./artefacts/08-root.crt
./artefacts/08-tbs.der
./artefacts/09-root.crl
./artefacts/09-tbs.der
./artefacts/10-trust-anchor.pem
./plan.txt
./script.conf
./transcript.html
./transcript.jsonl'
    equal "$(find "$dir" -perm /022)" ''
    cmp "$dir/script.conf" "$scripts/root.conf"
    cmp "$dir/artefacts/08-root.crt" home/root.crt
    # The bytes that were shown are those that were signed.
    openssl x509 -in home/root.crt -outform DER | openssl asn1parse -inform DER -strparse 4 -noout -out signed.der
    cmp signed.der "$dir/artefacts/08-tbs.der"
    equal "$(transcript 'select(.type == "tbs" and .step == 8).sha256')" "$(sha256sum signed.der | cut -d' ' -f1)"
    complete
    equal "$(types)" "begin $(printf 'start done %.0s' 1 2 3 4 5 6 7)start tbs approved approved done start tbs approved done $(printf 'start done %.0s' 10 11 12)end "
    equal "$(transcript 'select(.type == "begin") | "\(.title) \(.script.sha256) \(.plan) \(.configuration | length) \(.unattended)"')" \
        "Root key ceremony $(sha256sum "$dir/script.conf" | cut -d' ' -f1) $(sha256sum "$dir/plan.txt" | cut -d' ' -f1) 64 true"
    equal "$(transcript 'select(.type == "begin").environment.program')" "$(sha256sum "$BUILD/bin/p11ca" | cut -d' ' -f1)"
    equal "$(transcript 'select(.type == "done" and .step == 8).result.serial')" \
        "$(openssl x509 -in home/root.crt -noout -serial | cut -d= -f2)"
    # No secret in any of it.
    for pin in home/pins/*; do
        refute grep -rqF "$(cat "$pin")" home/ceremonies
    done
}

@test "the folder: --dir names it; the same script twice on one day is numbered; what is there is kept" {
    good_script '{ do = "say"; text = "x"; }'
    succeeds run_it
    succeeds run_it
    equal "$(find home/ceremonies -mindepth 1 -maxdepth 1 -type d | sed 's/.*-..-..-//' | sort | tr '\n' ' ')" 'script script-2 '
    succeeds run_it --dir mine
    [[ -e mine/SHA256SUMS ]]
    refused 8 'p11ca: mine: exists, nothing is overwritten' run_it --dir mine
    mkdir empty
    succeeds run_it --dir empty
    refused 8 'p11ca: none/of/this: mkdir: No such file or directory' run_it --dir none/of/this
}

@test "run --yes: the templates state every attribute, so the keys need nothing from defaults" {
    p11ca -q -C home ceremony run --yes "$scripts/root.conf"
    succeeds p11ca -C home token check root
    refute grep -qE '^(bad|weak)' <<<"$output"
}

@test "run: again over a ceremony that is done is refused before anything is touched" {
    p11ca -q -C home ceremony run --yes "$scripts/root.conf"
    rm calls
    refused 3 "p11ca: *root.conf:*: generate-key: authority 'root': has a key already" p11ca -q -C home ceremony run --yes "$scripts/root.conf"
    script "{ $self_sign }"
    refused 3 "p11ca: script.conf:3: self-sign: authority 'root': has a CA certificate already" run_it
    [[ ! -e calls ]] || fail 'want no token call'
}

@test "all kinds of keys that scripts may ask for" {
    local algorithm
    p11ca -q -C home token init root
    # RSA-3072 only: 4096 takes seconds, and is the same code.
    for algorithm in P-256 P-384 P-521 RSA-3072; do
        during=$algorithm
        add_authority "a$algorithm" 'profile = "root-ca";'
        script '{ do = "generate-key"; authority = "a'"$algorithm"'"; algorithm = "'"$algorithm"'"; }, { do = "self-sign"; authority = "a'"$algorithm"'"; }'
        succeeds run_it
        succeeds openssl verify -x509_strict -CAfile "home/a$algorithm.crt" "home/a$algorithm.crt"
    done
    during=
    equal "$(openssl x509 -in home/aP-521.crt -noout -text | grep -c 'ecdsa-with-SHA512')" 2
    succeeds p11ca -C home token check root
    sound
}

@test "refused with file and line: keys, steps, authorities, tokens that are none" {
    bad_script "script.conf:4: step 2: no step 'frob'; want one of say, confirm, *, sign-ticket" $'{ do = "say"; text = "x"; },\n{ do = "frob"; }'
    bad_script "script.conf:4: unknown key 'frob' in say" $'{ do = "say"; text = "x"; },\n{ do = "say"; text = "x"; frob = 1; }'
    bad_script "script.conf:3: unknown key 'algoritm' in generate-key" '{ do = "generate-key"; authority = "root"; algoritm = "P-256"; }'
    bad_script "script.conf:3: step 1: key 'do' is missing" '{ text = "x"; }'
    bad_script "script.conf:3: step 1: want a group { do = ...; }" '"say", "say"'
    bad_script "script.conf:3: say: key 'text' is missing" '{ do = "say"; }'
    bad_script "script.conf:3: say: text is empty" '{ do = "say"; text = ""; }'
    bad_script 'script.conf:3: text: want a string' '{ do = "say"; text = 5; }'
    bad_script "script.conf:3: generate-key: no authority 'frob' in home/p11ca.conf" '{ do = "generate-key"; authority = "frob"; algorithm = "P-256"; }'
    bad_script "script.conf:3: init-token: no token 'frob' in home/p11ca.conf" '{ do = "init-token"; token = "frob"; }'
    bad_script "script.conf:3: self-sign: authority 'factory': profile 'issuing-ca' is not self-signed" '{ do = "self-sign"; authority = "factory"; }'
}

@test "refused with file and line: roles" {
    bad_script "script.conf:3: say: by: no role 'CA' in roles" '{ do = "say"; text = "x"; by = "CA"; }'
    bad_script "script.conf:3: say: by: no role 'XX' in roles" '{ do = "say"; text = "x"; by = "XX"; }' "$roles"
    bad_script "script.conf:3: say: witness: no role 'XX' in roles" '{ do = "say"; text = "x"; witness = [ "IW", "XX" ]; }' "$roles"
    bad_script "script.conf:3: say: witness: role 'IW' stands there twice" '{ do = "say"; text = "x"; witness = [ "IW", "IW" ]; }' "$roles"
    bad_script "script.conf:3: say: witness: role 'CO1' acts in this step" '{ do = "say"; text = "x"; by = "CO1"; witness = [ "IW", "CO1" ]; }' "$roles"
    # Whoever comes first acts where nobody is named.
    bad_script "script.conf:3: say: witness: role 'CA' acts in this step" '{ do = "say"; text = "x"; witness = [ "CA" ]; }' "$roles"
    bad_script "script.conf:3: self-sign: approve: no role 'XX' in roles" "$generate { $self_sign approve = [ \"XX\" ]; }" "$roles"
    bad_script "script.conf:3: self-sign: approve: role 'IW' stands there twice" "$generate { $self_sign approve = [ \"IW\", \"IW\" ]; }" "$roles"
    bad_script "script.conf:3: unknown key 'approve' in say" '{ do = "say"; text = "x"; approve = [ "IW" ]; }' "$roles"
    bad_script 'script.conf:2: roles: want at least one' '{ do = "say"; text = "x"; }' 'roles = { };'
    bad_script 'script.conf:2: roles.CA: want a title in quotes' '{ do = "say"; text = "x"; }' 'roles = { CA = 1; };'
    bad_script 'script.conf:2: roles.CA: want a title in quotes' '{ do = "say"; text = "x"; }' 'roles = { CA = ""; };'
    bad_script "script.conf:2: roles.a_b: name: want 1 to 12 letters, digits and '-'" '{ do = "say"; text = "x"; }' 'roles = { a_b = "x"; };'
    bad_script "script.conf:2: roles.*: name: want 1 to 12 letters, digits and '-'" '{ do = "say"; text = "x"; }' 'roles = { abcdefghijklm = "x"; };'
    bad_script 'script.conf:2: roles: want 1 to 16, have 17' '{ do = "say"; text = "x"; }' "roles = { $(printf 'r%d = "x"; ' {1..17})};"
}

@test "refused with file and line: approvals" {
    local approved="$generate { $self_sign approved = true; }"
    bad_script "script.conf:3: self-sign: approved: the script has no 'approvals'" "$approved" "$roles"
    bad_script "script.conf:2: approvals: need: want 1 to 2 (as many as in 'of'), have 3" "$approved" "$roles approvals = { need = 3; of = [ \"CO1\", \"CO2\" ]; };"
    bad_script "script.conf:2: approvals: need: want 1 to 2 (as many as in 'of'), have 0" "$approved" "$roles approvals = { need = 0; of = [ \"CO1\", \"CO2\" ]; };"
    bad_script "script.conf:2: approvals: need: want 1 to 2 (as many as in 'of'), have -1" "$approved" "$roles approvals = { need = -1; of = [ \"CO1\", \"CO2\" ]; };"
    bad_script "script.conf:2: approvals.of: no role 'XX' in roles" "$approved" "$roles approvals = { need = 1; of = [ \"CO1\", \"XX\" ]; };"
    bad_script "script.conf:2: approvals.of: role 'CO1' stands there twice" "$approved" "$roles approvals = { need = 2; of = [ \"CO1\", \"CO1\" ]; };"
    bad_script "script.conf:2: approvals: key 'of' is missing" "$approved" "$roles approvals = { need = 2; };"
    bad_script "script.conf:2: unknown key 'from' in approvals" "$approved" "$roles approvals = { need = 2; from = [ ]; };"
    bad_script "script.conf:3: approved: want true or false" "$generate { $self_sign approved = 1; }" "$roles approvals = { need = 1; of = [ \"CO1\" ]; };"
    good_script "$approved" "$roles approvals = { need = 2; of = [ \"CO1\", \"CO2\" ]; };"
}

@test "refused with file and line: algorithms that are none" {
    local algorithm
    for algorithm in RSA-2048 P-224 secp256k1 Ed25519 p-256 ''; do
        bad_script "script.conf:3: generate-key: algorithm '$algorithm': want P-256, P-384, P-521, RSA-3072 or RSA-4096" \
            '{ do = "generate-key"; authority = "root"; algorithm = "'"$algorithm"'"; }'
    done
}

@test "refused with file and line: keys that nobody has generated, or twice" {
    bad_script "script.conf:3: self-sign: authority 'root': no key: none is recorded, no earlier step generates one" "{ $self_sign }"
    bad_script "script.conf:3: request: authority 'factory': no key: *" '{ do = "request"; authority = "factory"; file = "f.csr"; }'
    bad_script "script.conf:4: generate-key: authority 'root': has a key already" "$generate"$'\n'"${generate%, }"
    # Another order of the same steps.
    bad_script "script.conf:3: self-sign: authority 'root': no key: *" "{ $self_sign },"$'\n'"${generate%, }"
    sed -i -E 's/token = "factory"; key = "[^"]*"; //' home/p11ca.conf
    bad_script "script.conf:3: generate-key: authority 'factory': its key is not at this machine (no token in p11ca.conf)" \
        '{ do = "generate-key"; authority = "factory"; algorithm = "P-256"; }'
}

@test "refused with file and line: certificates that nobody has installed" {
    bad_script "script.conf:3: export: authority 'root': no CA certificate: none is installed, no earlier step installs one" \
        "$generate { do = \"export\"; authority = \"root\"; file = \"a.pem\"; }"
    bad_script "script.conf:4: sign-request: authority 'root': no CA certificate: none is installed, no earlier step installs one" \
        "$generate $child"$'\n'"{ $sign_request }"
    # Signed is not installed.
    bad_script "script.conf:4: export: authority 'factory': no CA certificate: *" \
        "$generate { $self_sign }, $child { $sign_request },"$'\n''{ do = "export"; authority = "factory"; file = "a.pem"; }'
    bad_script "script.conf:4: install: authority 'root': has a CA certificate already" \
        "$generate { $self_sign }, $child { $sign_request },"$'\n''{ do = "install"; authority = "root"; certificate = "f.crt"; }'
    bad_script "script.conf:4: install: 'f.csr' is not made for authority 'factory'" \
        "$generate { $self_sign }, $child"$'\n''{ do = "install"; authority = "factory"; certificate = "f.csr"; }'
}

@test "refused with file and line: files that nobody makes, or two make, or that are there" {
    bad_script "script.conf:3: install: nothing makes 'none.crt', and it is not there" '{ do = "install"; authority = "factory"; certificate = "none.crt"; }'
    bad_script "script.conf:4: request: 'f.csr' is made by an earlier step" "$child"$'\n''{ do = "request"; authority = "factory"; file = "f.csr"; }'
    bad_script "script.conf:3: sign-request: nothing makes 'f.csr', and it is not there" "$generate { $self_sign }, { $sign_request }"
    bad_script "script.conf:3: verify-files: nothing makes 'a', and it is not there" '{ do = "verify-files"; file = "a"; }'
    bad_script "script.conf:3: hash-announce: nothing makes 'a', and it is not there" '{ do = "hash-announce"; file = "a"; }'
    bad_script 'script.conf:3: verify-files: sha256: want 64 hex digits' '{ do = "verify-files"; file = "a"; sha256 = "00"; }'
    bad_script "script.conf:4: sign-request: authority 'root': its issuer is '(none)', not 'factory'" \
        "$generate { $self_sign }, $child"$'\n''{ do = "sign-request"; authority = "factory"; for = "root"; request = "f.csr"; certificate = "a.crt"; }'
    echo mine >home/f.crt
    bad_script 'script.conf:3: sign-request: home/f.crt: exists, nothing is overwritten' "$generate { $self_sign }, $child { $sign_request }"
    equal "$(cat home/f.crt)" mine
}

@test "refused with file and line and section: a CA certificate without keyCertSign, usages that are none" {
    bad_script "script.conf:3: self-sign: profile 'root-ca': RFC 5280 4.2.1.3: want keyCertSign with a CA" "$generate { $self_sign key-usage = [ \"cRLSign\" ]; }"
    bad_script "script.conf:3: self-sign: profile 'root-ca': RFC 5280 4.2.1.3: want keyCertSign with a CA" "$generate { $self_sign key-usage = [ ]; }"
    bad_script "script.conf:4: sign-request: profile 'issuing-ca': RFC 5280 4.2.1.3: want keyCertSign with a CA" \
        "$generate { $self_sign }, $child"$'\n'"{ $sign_request key-usage = [ \"digitalSignature\", \"cRLSign\" ]; }"
    bad_script "script.conf:3: self-sign: key-usage: RFC 5280 4.2.1.3: no usage 'certSign'" "$generate { $self_sign key-usage = [ \"certSign\" ]; }"
    bad_script "script.conf:3: self-sign: extended-key-usage: RFC 5280 4.2.1.12: no usage 'any'" "$generate { $self_sign extended-key-usage = [ \"any\" ]; }"
    good_script "$generate { $self_sign key-usage = [ \"keyCertSign\", \"cRLSign\", \"digitalSignature\" ]; }"
}

@test "refused with file and line and section: path lengths" {
    local above
    bad_script "script.conf:4: sign-request: profile 'issuing-ca': RFC 5280 4.2.1.9: basicConstraints: want no CA below an issuer with path length 0, have one" \
        "$generate { $self_sign path-length = 0; }, $child"$'\n'"{ $sign_request }"
    above="$generate { $self_sign path-length = 1; }, $child"
    bad_script "script.conf:4: sign-request: profile 'issuing-ca': RFC 5280 4.2.1.9: basicConstraints: want a path length below the issuer's 1, have 1" \
        "$above"$'\n'"{ $sign_request path-length = 1; }"
    bad_script "script.conf:4: sign-request: profile 'issuing-ca': RFC 5280 4.2.1.9: basicConstraints: want a path length below the issuer's 1, have 7" \
        "$above"$'\n'"{ $sign_request path-length = 7; }"
    bad_script 'script.conf:3: self-sign: path-length: RFC 5280 4.2.1.9: want 0 or more, have -2' "$generate { $self_sign path-length = -2; }"
    good_script "$above { $sign_request path-length = 0; }"
    good_script "$generate { $self_sign }, $child { $sign_request path-length = 3; }"
}

@test "refused with file and line and section: validities" {
    bad_script 'script.conf:3: self-sign: days: want 1 to 9131, have 9132' "$generate { $self_sign days = 9132; }"
    bad_script 'script.conf:3: self-sign: days: want 1 to 9131, have -1' "$generate { $self_sign days = -1; }"
    bad_script 'script.conf:4: sign-request: days: want 1 to 7300, have 9999' "$generate { $self_sign }, $child"$'\n'"{ $sign_request days = 9999; }"
    bad_script "script.conf:4: sign-request: profile 'issuing-ca': RFC 5280 6.1.3: validity: want an end within the issuer's, ????-??-??T??:??:??Z, have ????-??-??T??:??:??Z" \
        "$generate { $self_sign days = 100; }, $child"$'\n'"{ $sign_request days = 101; }"
    # Default of the profile: 3650.
    bad_script "script.conf:4: sign-request: profile 'issuing-ca': RFC 5280 6.1.3: validity: *" \
        "$generate { $self_sign days = 3649; }, $child"$'\n'"{ $sign_request }"
    good_script "$generate { $self_sign days = 100; }, $child { $sign_request days = 100; }"
}

# A CA between root and factory, with these extended key usages.
between() {
    local name=policy
    [[ $(grep -c 'issuer = "policy"' home/p11ca.conf) != 0 ]] || {
        add_authority policy 'profile = "intermediate-ca"; issuer = "root"; issues = [ "issuing-ca" ];'
        sed -i 's/issuer = "root"; issues = \[ "server"/issuer = "policy"; issues = [ "server"/; s/profile = "root-ca"; };/profile = "root-ca"; issues = [ "intermediate-ca" ]; };/' home/p11ca.conf
    }
    echo "$generate { $self_sign }, { do = \"generate-key\"; authority = \"$name\"; algorithm = \"P-256\"; }, { do = \"request\"; authority = \"$name\"; file = \"p.csr\"; }, { do = \"sign-request\"; authority = \"root\"; for = \"$name\"; request = \"p.csr\"; certificate = \"p.crt\"; extended-key-usage = [ $1 ]; }, { do = \"install\"; authority = \"$name\"; certificate = \"p.crt\"; }, $child"$'\n'"{ ${sign_request/\"root\"/\"policy\"} ${2:-} }"
}

@test "refused with file and line and section: extended key usages beyond the issuer's" {
    bad_script "script.conf:3: self-sign: profile 'root-ca': BR 7.1.2.1: want no extended key usage with a root" \
        "$generate { $self_sign extended-key-usage = [ \"clientAuth\" ]; }"
    bad_script "script.conf:4: sign-request: profile 'issuing-ca': RFC 5280 4.2.1.12: extKeyUsage: want nothing beyond the issuer's clientAuth, have serverAuth, clientAuth" \
        "$(between '"clientAuth"')"
    bad_script "script.conf:4: sign-request: profile 'issuing-ca': BR 7.1.2.10.6: *OCSPSigning*" \
        "$(between '"clientAuth"' 'extended-key-usage = [ "OCSPSigning" ];')"
    good_script "$(between '"clientAuth"' 'extended-key-usage = [ "clientAuth" ];')"
}

# Two roots, and a cross-certificate of one for the other.
cross() {
    echo "$generate { $self_sign }, { do = \"generate-key\"; authority = \"other\"; algorithm = \"P-256\"; }, { do = \"self-sign\"; authority = \"other\"; ${1:-} }, "$'\n'"{ do = \"cross-sign\"; authority = \"root\"; for = \"other\"; certificate = \"x.crt\"; ${2:-} }"
}

@test "refused with file and line and section: cross-certificates" {
    add_authority other 'profile = "root-ca"; issues = [ "cross-ca" ];'
    bad_script "script.conf:4: cross-sign: authority 'root' may not issue profile 'cross-ca' (issues in p11ca.conf)" "$(cross)"
    sed -i '/^ *root *= { token/,/};/ s/profile = "root-ca"; };/profile = "root-ca"; issues = [ "issuing-ca", "cross-ca" ]; };/' home/p11ca.conf
    bad_script "script.conf:4: cross-sign: RFC 4210 4.4, BR 7.1.2.2.2: subject: want that of the CA certificate of 'other', 'CN=other,O=Acme', have 'CN=another,O=Acme'" \
        "$(cross '' 'subject = "CN=another,O=Acme";')"
    bad_script "script.conf:4: cross-sign: RFC 5280 4.2.1.12: extended-key-usage: the CA certificate of 'factory' has serverAuth, clientAuth, want no more, have no limit" \
        "$generate { $self_sign }, $child { $sign_request }, { do = \"install\"; authority = \"factory\"; certificate = \"f.crt\"; }, { do = \"generate-key\"; authority = \"other\"; algorithm = \"P-256\"; }, { do = \"self-sign\"; authority = \"other\"; },"$'\n''{ do = "cross-sign"; authority = "other"; for = "factory"; certificate = "x.crt"; }'
    bad_script "script.conf:4: cross-sign: *RFC 5280 6.1.3: validity: *" "$(cross '' 'days = 101;' | sed '1s/self-sign"; authority = "root";/& days = 100;/')"
    bad_script "script.conf:3: cross-sign: 'root' cannot cross-sign itself" \
        "$generate { $self_sign }, { do = \"cross-sign\"; authority = \"root\"; for = \"root\"; certificate = \"x.crt\"; }"
    bad_script "script.conf:3: cross-sign: authority 'other': no CA certificate: none is installed, no earlier step installs one" \
        "$generate { $self_sign }, { do = \"cross-sign\"; authority = \"root\"; for = \"other\"; certificate = \"x.crt\"; }"
    good_script "$(cross)"
    sed -i 's/CN=other,O=Acme/CN=other,O=Else/' home/p11ca.conf
    bad_script "script.conf:4: cross-sign: BR 7.1.2.2.4: organisation: 'root' and 'other' are not of one organisation (O): want an extended-key-usage" \
        "$(cross '' 'extended-key-usage = [ ];')"
}

@test "refused: no steps, no title, a key of its own, syntax, no file, not UTF-8" {
    printf 'steps = ( { do = "say"; text = "x"; } );\n' >script.conf
    bad_script "script.conf:*: a ceremony script: key 'title' is missing"
    printf 'title = "x";\n' >script.conf
    bad_script "script.conf:*: a ceremony script: key 'steps' is missing"
    printf 'title = "x";\nsteps = ( );\n' >script.conf
    bad_script 'script.conf:2: steps: want 1 to 200, have 0'
    printf 'title = "x";\nfrob = 1;\nsteps = ( { do = "say"; text = "x"; } );\n' >script.conf
    bad_script "script.conf:2: unknown key 'frob' in a ceremony script"
    printf 'title = "x";\nsteps = = ();\n' >script.conf
    bad_script 'script.conf:2: syntax error'
    printf 'title = "x";\nsteps = ( { do = "say"; text = "\xff"; } );\n' >script.conf
    bad_script 'script.conf:2: text: want UTF-8'
    rm script.conf
    bad_script 'script.conf: No such file or directory'
}

@test "a script that includes another is none: its hash would not be that of what runs" {
    printf '@include "more.conf"\n' >script.conf
    printf 'title = "t"; steps = ( { do = "say"; text = "x"; } );\n' >more.conf
    bad_script 'script.conf: a ceremony script is one file: want no @include'
}

@test "a request that is there already is looked at before the token is" {
    use_done_home
    use_fault_module
    add_authority sub 'profile = "issuing-ca"; issuer = "root";'
    sign='{ do = "sign-request"; authority = "root"; for = "sub"; request = "sub.csr"; certificate = "sub.crt"; }'
    ec_request home/sub /CN=whatever
    # The bytes of the request's signature, changed.
    openssl req -in home/sub.csr -outform DER -out bad.der
    flip bad.der -5
    cp home/sub.csr good.csr
    cp bad.der home/sub.csr
    bad_script 'script.conf:3: sign-request: sub.csr: *' "$sign"
    openssl req -new -newkey rsa:2048 -nodes -keyout small.key -subj /CN=x -out home/sub.csr 2>/dev/null
    bad_script "script.conf:3: sign-request: profile 'issuing-ca': public key: SP 800-57 5.6.1: want RSA of at least 3072 bits, have 2048" "$sign"
    cp good.csr home/sub.csr
    good_script "$sign"
    # The key of the factory is recorded: only that one will do.
    sed -i 's/for = "sub"/for = "factory"/' script.conf
    bad_script "script.conf:3: sign-request: sub.csr: public key: want the one recorded for authority 'factory', have another"
}

@test "people: names, wrong files with file and line" {
    room_script '{ do = "say"; text = "x"; }'
    people
    printf 'CA = "Ann Lee";\nXX = "Who";\n' >bad.conf
    refused 3 "p11ca: bad.conf:2: no role 'XX' in script.conf" run_it --people bad.conf
    printf 'CA = "Ann Lee";\nCO1 = { certificate = "x"; };\n' >bad.conf
    refused 3 "p11ca: bad.conf:2: CO1: key 'name' is missing" run_it --people bad.conf
    printf 'CA = "";\n' >bad.conf
    refused 3 'p11ca: bad.conf:1: CA: name: want one, have none' run_it --people bad.conf
    printf '\nCA = 5;\n' >bad.conf
    refused 3 'p11ca: bad.conf:2: CA: want a name in quotes, or a group { name = ...; }' run_it --people bad.conf
    printf 'CA = ( "Ann" );\n' >bad.conf
    refused 3 'p11ca: bad.conf:1: CA: want a name in quotes, or a group { name = ...; }' run_it --people bad.conf
    printf 'CA = { name = "Ann"; token = "root"; };\n' >bad.conf
    refused 3 'p11ca: bad.conf:1: CA: want both token and key, or neither' run_it --people bad.conf
    printf 'CA = { name = "Ann"; frob = 1; };\n' >bad.conf
    refused 3 "p11ca: bad.conf:1: unknown key 'frob' in CA" run_it --people bad.conf
    printf 'CA = \n' >bad.conf
    refused 3 'p11ca: bad.conf:*: syntax error' run_it --people bad.conf
    refused 3 'p11ca: none.conf: No such file or directory' run_it --people none.conf
    [[ ! -e home/ceremonies ]] || fail 'want no ceremony'
    succeeds run_it --people people.conf
    equal "$(transcript 'select(.type == "begin").roles[] | "\(.role) \(.name)"')" $'CA Ann Lee\nCO1 Bob Ray\nCO2 Cy Fox\nIW Di Poe'
}

@test "people: without a file and a terminal they have no names" {
    room_script '{ do = "say"; text = "x"; witness = [ "IW" ]; }'
    succeeds run_it
    equal "$(transcript 'select(.type == "start") | "\(.by.role) \(.by.name) \(.witness[0].role) \(.witness[0].name)"')" 'CA null IW null'
}

@test "people: control characters and bidi marks in a name come out escaped, invalid UTF-8 is refused" {
    room_script '{ do = "say"; text = "x"; }'
    printf 'CA = "Ann\x1b[31m Lee"; CO1 = "Bob"; CO2 = "\xe2\x80\xaeCy"; IW = "Zoë";\n' >people.conf
    succeeds p11ca -C home ceremony run --yes script.conf --people people.conf
    refute grep -q $'\x1b' <<<"$stderr"
    equal "$(transcript 'select(.type == "begin").roles[].name')" $'Ann\\x1b[31m Lee\nBob\n\\xe2\\x80\\xaeCy\nZoë'
    printf 'CA = "Ann";\nCO1 = "B\xffob";\n' >people.conf
    refused 3 'p11ca: people.conf:2: CO1: want UTF-8' p11ca -C home ceremony run --yes script.conf --people people.conf
}

@test "a step that fails ends the run with its exit status, and is in the transcript" {
    use_done_home
    use_fault_module
    script '{ do = "say"; text = "x"; }, { do = "request"; authority = "factory"; file = "f.csr"; }'
    echo wrong-4711 >home/pins/factory
    answers 5 "p11ca: step 2, request: token 'factory': login: CKR_PIN_INCORRECT*" run_it
    # A program does not try again.
    equal "$(calls C_Login)" 1
    equal "$(types)" 'begin start done start failed '
    equal "$(transcript 'select(.type == "failed") | "\(.step) \(.code)"')" '2 PIN_INCORRECT'
    refute grep -rqF wrong-4711 home/ceremonies
    chained
}

@test "verify-files and hash-announce: hashes, compared with the script or by nobody" {
    local hash
    echo data >home/data
    hash=$(sha256sum home/data | cut -d' ' -f1)
    script '{ do = "verify-files"; file = "data"; sha256 = "'"$hash"'"; }, { do = "verify-files"; file = "data"; }, { do = "hash-announce"; file = "data"; }, { do = "hash-announce"; }'
    succeeds p11ca -C home ceremony run --yes script.conf
    [[ $stderr == *"SHA-256 of data: $hash"* ]] || fail 'want the hash said'
    equal "$(transcript 'select(.type == "done").result | "\(.compared) \(.sha256)"')" \
        "with the script $hash"$'\n'"not: nobody was asked $hash"$'\n'"null $hash"$'\n'"null $(sha256sum script.conf | cut -d' ' -f1)"
    echo more >>home/data
    answers 4 "p11ca: step 1, verify-files: data: SHA-256: want $hash, have $(sha256sum home/data | cut -d' ' -f1)" run_it
}

@test "without --yes and without a terminal: exit 2, and the ceremony can be resumed" {
    # setsid: no controlling terminal.
    run --separate-stderr setsid --wait "$BUILD/bin/p11ca" -q -C home ceremony run "$scripts/root.conf" </dev/null
    [[ $status == 2 && $output == '' ]] || fail 'want exit status 2'
    equal "$stderr" 'p11ca: step 1: nobody is there to confirm it (--yes says yes to all)'
    [[ ! -e calls ]] || fail 'want no token call'
    equal "$(types)" 'begin '
    succeeds p11ca -q -C home ceremony resume --yes "$scripts/root.conf"
    complete
}

# --- approvals ---

# approver ROLE [openssl req options]: a key and a certificate.
approver() {
    openssl ecparam -name "${curve:-prime256v1}" -genkey -noout -out "$1.key"
    openssl req -x509 -new -key "$1.key" -subj "/CN=$1" -days 30 -out "$1.crt" "${@:2}"
}

# approve ROLE [DIGEST]: ROLE signs the plan into sigs/.
approve() {
    mkdir -p sigs
    openssl dgst "-${2:-sha256}" -sign "$1.key" -out "sigs/$1.sig" plan.txt
}

# script.conf whose only signature wants two approvals of three, approvers with certificates, plan.txt.
prepare_approvals() {
    local role
    use_done_home
    use_fault_module
    add_authority sub 'profile = "issuing-ca"; issuer = "root";'
    ec_request home/sub /CN=sub
    script '{ do = "say"; text = "x"; }, { do = "sign-request"; authority = "root"; for = "sub"; request = "sub.csr"; certificate = "sub.crt"; approved = true; }, { do = "say"; text = "y"; }' \
        "$roles approvals = { need = 2; of = [ \"CO1\", \"CO2\", \"IW\" ]; };"
    mkdir who
    : >who/people.conf
    for role in CO1 CO2 IW; do
        approver "$role"
        cp "$role.crt" who/
        echo "$role = { name = \"$role\"; certificate = \"$role.crt\"; };" >>who/people.conf
    done
    p11ca -q -C home ceremony check script.conf --plan plan.txt >/dev/null
    rm -f calls
}

unhex() {
    tr -d '\n' | tr a-f A-F | basenc --base16 -d
}

approved_run() {
    run_it --people who/people.conf --approvals sigs
}

approved_resume() {
    resume_it --people who/people.conf --approvals sigs
}

@test "approvals: signatures made elsewhere; who has signed is in the transcript, with the key" {
    prepare_approvals
    approve CO2
    approve IW
    succeeds approved_run
    complete
    equal "$(types)" 'begin start done start approval approval tbs approved done start done end '
    equal "$(transcript 'select(.type == "approval") | "\(.role) \(.name) \(.plan)"')" \
        "CO2 CO2 $(sha256sum plan.txt | cut -d' ' -f1)"$'\n'"IW IW $(sha256sum plan.txt | cut -d' ' -f1)"
    # Verified by openssl from what is in the folder.
    transcript 'select(.type == "approval" and .role == "IW").signature' | unhex >iw.sig
    succeeds openssl dgst -sha256 -verify "$(folder)/artefacts/approval-IW.pem" -signature iw.sig "$(folder)/plan.txt"
    equal "$(transcript 'select(.type == "approval" and .role == "IW").key')" \
        "$(openssl pkey -pubin -in "$(folder)/artefacts/approval-IW.pem" -outform DER | sha256sum | cut -d' ' -f1)"
    grep -q ' artefacts/approval-CO2.pem$' "$(folder)/SHA256SUMS"
}

@test "approvals: not enough of them, and the token is not touched; then resumed" {
    prepare_approvals
    answers 4 'p11ca: step 2, sign-request: want 2 approvals of plan.txt by CO1, CO2, IW; have none' run_it --people who/people.conf
    approve CO2
    answers 4 'p11ca: step 2, sign-request: want 2 approvals of plan.txt by CO1, CO2, IW; have 1 (CO2)' approved_resume
    [[ ! -e calls && ! -e home/sub.crt ]] || fail 'want no token call'
    equal "$(transcript 'select(.type == "failed").code')" $'APPROVALS\nAPPROVALS'
    # What an attempt before this one got is asked for no more, and still listed.
    rm sigs/CO2.sig
    approve CO1
    succeeds approved_resume
    equal "$(transcript 'select(.type == "approval").role')" $'CO2\nCO1'
    complete
    grep -q ' artefacts/approval-CO2.pem$' "$(folder)/SHA256SUMS"
    grep -q ' artefacts/approval-CO1.pem$' "$(folder)/SHA256SUMS"
}

@test "approvals: RSA, P-384 with its own digest; the wrong digest is refused" {
    prepare_approvals
    openssl req -x509 -new -newkey rsa:3072 -nodes -keyout CO1.key -subj /CN=CO1 -out who/CO1.crt 2>/dev/null
    curve=secp384r1 approver CO2
    cp CO2.crt who/
    approve CO1
    approve CO2
    answers 4 'p11ca: step 2, sign-request: sigs/CO2.sig: signature: want one over plan.txt by the key of who/CO2.crt with ecdsa-with-SHA384, have another' approved_run
    approve CO2 sha384
    succeeds approved_resume
    complete
}

@test "approvals: signatures over another plan, of another key, broken, without a certificate" {
    prepare_approvals
    approve CO1
    echo 'step 9' >>plan.txt
    approve CO2
    answers 4 'p11ca: step 2, sign-request: sigs/CO2.sig: signature: want one over plan.txt by the key of who/CO2.crt with ecdsa-with-SHA256, have another' approved_run
    # CO1 has approved, and stays so.
    equal "$(transcript 'select(.type == "approval").role')" CO1
    sed -i '$d' plan.txt
    for wrong in 'cp sigs/CO1.sig sigs/CO2.sig' ': >sigs/CO2.sig' 'head -c 20 sigs/CO1.sig >sigs/CO2.sig'; do
        during=$wrong
        eval "$wrong"
        answers 4 'p11ca: step 2, sign-request: sigs/CO2.sig: signature: want one over plan.txt *' approved_resume
    done
    during=
    head -c 2000 /dev/zero >sigs/CO2.sig
    answers 4 'p11ca: step 2, sign-request: sigs/CO2.sig: *' approved_resume
    approve CO2
    sed -i 's/^CO2 = .*/CO2 = "CO2";/' who/people.conf
    answers 4 "p11ca: step 2, sign-request: sigs/CO2.sig: no certificate of 'CO2' to check it with (certificate in the people file)" approved_resume
    equal "$(calls C_Sign)" 0
}

@test "approvals: one key approves once; an authority's key does not; said before anything happens" {
    prepare_approvals
    cp CO1.crt who/CO2.crt
    refused 4 "p11ca: roles 'CO1' and 'CO2' have the same key: one key approves once" approved_run
    cp home/root.crt who/CO2.crt
    refused 4 'p11ca: who/CO2.crt: RFC 5280 4.2.1.3: keyUsage: want digitalSignature or nonRepudiation to approve with, have neither' approved_run
    openssl x509 -new -subj /CN=CO2 -force_pubkey <(openssl x509 -in home/root.crt -noout -pubkey) -CA CO1.crt -CAkey CO1.key \
        -out who/CO2.crt
    refused 4 "p11ca: role 'CO2': the key of authority 'root' cannot approve" approved_run
    # A token's key, which no certificate tells before.
    cp CO2.crt who/
    sed -i 's/^CO2 = .*/CO2 = { name = "CO2"; token = "root"; key = "'"$(key_label root)"'"; };/' who/people.conf
    answers 4 "p11ca: step 2, sign-request: role 'CO2': the key of authority 'root' cannot approve" approved_run
}

@test "approvals: certificates that are out of date, cannot be read, are no certificates; tokens that are none" {
    prepare_approvals
    approve CO1
    faketime '2020-01-01' openssl req -x509 -new -key CO2.key -subj /CN=CO2 -days 30 -out who/CO2.crt
    refused 4 'p11ca: who/CO2.crt: RFC 5280 6.1.3: validity: good from 2020-01-01T* to 2020-01-31T*, it is 20*' approved_run
    cp CO2.key who/CO2.crt
    refused 4 'p11ca: who/CO2.crt: *' approved_run
    rm who/CO2.crt
    refused 8 'p11ca: who/CO2.crt: No such file or directory' approved_run
    sed -i 's/^CO2 = .*/CO2 = { name = "CO2"; token = "frob"; key = "x"; };/' who/people.conf
    refused 3 "p11ca: who/people.conf:2: no token 'frob' in home/p11ca.conf" approved_run
    [[ ! -e home/ceremonies && ! -e calls ]] || fail 'want nothing begun'
}

# The approver ROLE has a key in the factory's token.
approver_token() {
    add_authority "$1" 'profile = "root-ca";'
    sed -i "/^$1 = { token/s/token = \"root\"/token = \"factory\"/" home/p11ca.conf
    cp script.conf kept.conf
    script '{ do = "generate-key"; authority = "'"$1"'"; algorithm = "P-256"; }'
    p11ca -q -C home ceremony run --yes script.conf
    rm -r home/ceremonies calls
    mv kept.conf script.conf
    # It is nobody's authority, and never was.
    sed -i "/^$1 = { token/d" home/p11ca.conf
    sed -i "s/^$1 = .*/$1 = { name = \"$1\"; token = \"factory\"; key = \"$1\"; ${2:-} };/" who/people.conf
    # The plan of a ceremony that asks for approvals says after which one it comes.
    rm -f plan.txt
    p11ca -q -C home ceremony check script.conf --plan plan.txt >/dev/null
}

@test "approvals: by tokens, with the key policy and one login each" {
    prepare_approvals
    approver_token CO1
    approver_token CO2
    succeeds run_it --people who/people.conf
    equal "$(transcript 'select(.type == "approval").role')" $'CO1\nCO2'
    complete
    transcript 'select(.type == "approval" and .role == "CO1").signature' | unhex >co1.sig
    succeeds openssl dgst -sha256 -verify "$(folder)/artefacts/approval-CO1.pem" -signature co1.sig "$(folder)/plan.txt"
    # Two approvers, and the root.
    equal "$(calls C_Login)" 3
}

@test "approvals: a token whose key is not the certificate's, a garbage signature, a key that is not there" {
    prepare_approvals
    approver_token CO1 'certificate = "CO1.crt";'
    approve CO2
    answers 4 "p11ca: step 2, sign-request: approval of 'CO1': token 'factory': key 'CO1': public key: want that of who/CO1.crt, have another" \
        run_it --people who/people.conf
    # It was begun with that key for CO1: another one is for another ceremony, and another plan.
    sed -i 's/ certificate = "CO1.crt";//' who/people.conf
    succeeds p11ca -q -C home ceremony resume --abandon script.conf
    rm plan.txt
    p11ca -q -C home ceremony check script.conf --plan plan.txt >/dev/null
    approve CO2
    rm -r home/ceremonies
    P11CA_FAULT='C_Sign:*=garbage' answers 6 "p11ca: step 2, sign-request: approval of 'CO1': token 'factory': key 'CO1': *signature*" run_it --people who/people.conf
    sed -i 's/key = "CO1"/key = "frob"/' who/people.conf
    answers 6 "p11ca: step 2, sign-request: approval of 'CO1': token 'factory': *'frob'*" resume_it --people who/people.conf
    equal "$(transcript 'select(.type == "approval").role')" ''
    sed -i 's/key = "frob"/key = "CO1"/' who/people.conf
    succeeds approved_resume
    equal "$(transcript 'select(.type == "approval").role' | sort)" $'CO1\nCO2'
    complete
}

@test "approvals: what an earlier attempt got is verified again" {
    prepare_approvals
    approve CO1
    answers 4 '*have 1 (CO1)' approved_run
    approve CO2
    openssl pkey -in CO2.key -pubout -out "$(folder)/artefacts/approval-CO1.pem"
    answers 4 "p11ca: step 2, sign-request: home/ceremonies/*/artefacts/approval-CO1.pem: the approval of 'CO1' in the transcript: not the key that signed" approved_resume
    openssl pkey -in CO1.key -pubout -out "$(folder)/artefacts/approval-CO1.pem"
    succeeds approved_resume
    complete
}
