#!/usr/bin/env bats
# Ceremony scripts: checked as a whole before a token is touched, confirmed step by step, run.

load common

setup_file() {
    # Blank tokens: a home whose ceremonies are still to come, with the fault module to see every call.
    p11ca -q init "$BATS_FILE_TMPDIR/done" --name Acme --softhsm >/dev/null
    mkdir "$BATS_FILE_TMPDIR/home"
    cp -a "$BATS_FILE_TMPDIR/done/p11ca.conf" "$BATS_FILE_TMPDIR/done/pins" "$BATS_FILE_TMPDIR/home/"
}

setup() {
    mkdir "$BATS_TEST_TMPDIR/work"
    cd "$BATS_TEST_TMPDIR/work"
    cp -a "$BATS_FILE_TMPDIR/home" home
    use_fault_module
}

script() {
    printf 'title = "A test";\nsteps = (\n%s\n);\n' "$1" >script.conf
}

# The script is refused with file and line by check and by run, and no token is touched.
bad_script() {
    local pattern=$1
    [[ $# == 1 ]] || script "$2"
    refused 3 "p11ca: $pattern" p11ca -C home ceremony check script.conf
    refused 3 "p11ca: $pattern" p11ca -C home ceremony run --yes script.conf
    [[ ! -e calls && ! -e home/ledger.db ]] || fail 'want nothing touched'
}

@test "check: the ready scripts, without touching a token" {
    succeeds p11ca -C home ceremony check "$scripts/root.conf"
    equal "$stderr" 'Root key ceremony: the script is good'
    equal "${#lines[@]}" 5
    [[ ${lines[2]} == "  3  generate-key  "* ]]
    succeeds p11ca -C home --json ceremony check "$scripts/intermediate.conf"
    equal "$(jq -r '.title, ([.steps[].kind] | join(" "))' <<<"$output")" \
        $'Intermediate CA ceremony\nsay init-token generate-key request sign-request install export say'
    [[ ! -e calls && ! -e home/ledger.db ]] || fail 'want nothing touched'
}

@test "run --yes: from blank tokens to a CA that issues" {
    succeeds p11ca -C home ceremony run --yes "$scripts/root.conf"
    [[ $stderr == *'step 5 of 5'*'the ceremony is complete' ]]
    succeeds openssl verify -x509_strict -CAfile home/root.crt home/root.crt
    cmp home/root.crt home/trust-anchor.pem
    succeeds p11ca -C home --json ceremony run --yes "$scripts/intermediate.conf"
    equal "$(jq -r '.completed, (.steps | length)' <<<"$output" | tr '\n' ' ')" 'true 8 '
    succeeds openssl verify -x509_strict -CAfile home/trust-anchor.pem home/factory.crt
    equal "$(grep -c BEGIN home/factory-chain.pem)" 2
    succeeds p11ca -C home issue -a factory -p device --new-key k --id leaf-1 -o out.crt
    # Each step is in the ledger, with the hash of the script as sha256sum prints it.
    equal "$(sql "SELECT count(*) FROM event WHERE kind = 'ceremony'")" 13
    equal "$(sql "SELECT count(*) FROM event WHERE kind = 'ceremony' AND detail LIKE '%$(sha256sum "$scripts/root.conf" | cut -d' ' -f1 | tr a-f A-F)'")" 5
    sound
}

@test "run --yes: the templates state every attribute, so the keys need nothing from defaults" {
    p11ca -q -C home ceremony run --yes "$scripts/root.conf"
    succeeds p11ca -C home token check root
    refute grep -qE '^(bad|weak)' <<<"$output"
}

@test "run: again over a ceremony that is done is refused before anything is overwritten" {
    p11ca -q -C home ceremony run --yes "$scripts/root.conf"
    cp -a home before
    run --separate-stderr p11ca -q -C home ceremony run --yes "$scripts/root.conf"
    equal "$status" 6
    [[ $output == '' && $stderr == "p11ca: step 2, init-token: token 'root': a token that matches pkcs11:token=acme-root is already initialised" ]] ||
        fail 'want it refused'
    cmp home/root.crt before/root.crt
    cmp home/trust-anchor.pem before/trust-anchor.pem
}

@test "all kinds of keys that scripts may ask for" {
    local algorithm
    p11ca -q -C home token init root
    # RSA-3072 only: 4096 takes seconds, and is the same code.
    for algorithm in P-256 P-384 P-521 RSA-3072; do
        during=$algorithm
        sed -i -E '/^ *factory = \{ token = /i a'"$algorithm"' = { token = "root"; key = "k'"$algorithm"'"; subject = "CN='"$algorithm"'"; profile = "root-ca"; };' home/p11ca.conf
        script '{ do = "generate-key"; authority = "a'"$algorithm"'"; algorithm = "'"$algorithm"'"; }, { do = "self-sign"; authority = "a'"$algorithm"'"; }'
        succeeds p11ca -q -C home ceremony run --yes script.conf
        succeeds openssl verify -x509_strict -CAfile "home/a$algorithm.crt" "home/a$algorithm.crt"
    done
    during=
    equal "$(openssl x509 -in home/aP-521.crt -noout -text | grep -c 'ecdsa-with-SHA512')" 2
    succeeds p11ca -C home token check root
    sound
}

@test "refused with file and line: keys, steps, authorities, tokens that are none" {
    bad_script "script.conf:4: step 2: no step 'frob'" $'{ do = "say"; text = "x"; },\n{ do = "frob"; }'
    bad_script "script.conf:4: *'frob'*" $'{ do = "say"; text = "x"; },\n{ do = "say"; text = "x"; frob = 1; }'
    bad_script "script.conf:3: step 1: key 'do' is missing" '{ text = "x"; }'
    bad_script "script.conf:3: step 1: want a group { do = ...; }" '"say", "say"'
    bad_script "script.conf:3: *'text'*" '{ do = "say"; }'
    bad_script "script.conf:3: say: text is empty" '{ do = "say"; text = ""; }'
    bad_script 'script.conf:3: text: want a string' '{ do = "say"; text = 5; }'
    bad_script "script.conf:3: generate-key: no authority 'frob' in home/p11ca.conf" '{ do = "generate-key"; authority = "frob"; algorithm = "P-256"; }'
    bad_script "script.conf:3: init-token: no token 'frob' in home/p11ca.conf" '{ do = "init-token"; token = "frob"; }'
    bad_script "script.conf:3: self-sign: authority 'factory': profile 'issuing-ca' is not self-signed" '{ do = "self-sign"; authority = "factory"; }'
}

@test "refused with file and line: algorithms that are none" {
    local algorithm
    for algorithm in RSA-2048 P-224 secp256k1 Ed25519 p-256 ''; do
        bad_script "script.conf:3: generate-key: algorithm '$algorithm': want P-256, P-384, P-521, RSA-3072 or RSA-4096" \
            '{ do = "generate-key"; authority = "root"; algorithm = "'"$algorithm"'"; }'
    done
}

@test "refused with file and line: files that nobody makes, or two make" {
    bad_script "script.conf:3: install: nothing makes 'none.crt', and it is not there" '{ do = "install"; authority = "factory"; certificate = "none.crt"; }'
    bad_script "script.conf:4: request: 'a.csr' is made by an earlier step" \
        $'{ do = "request"; authority = "factory"; file = "a.csr"; },\n{ do = "request"; authority = "root"; file = "a.csr"; }'
    bad_script "script.conf:3: sign-request: nothing makes 'a.csr', and it is not there" \
        '{ do = "sign-request"; authority = "root"; for = "factory"; request = "a.csr"; certificate = "a.crt"; }'
    bad_script "script.conf:4: sign-request: authority 'root': its issuer is '(none)', not 'factory'" \
        $'{ do = "request"; authority = "root"; file = "a.csr"; },\n{ do = "sign-request"; authority = "factory"; for = "root"; request = "a.csr"; certificate = "a.crt"; }'
    bad_script "script.conf:4: sign-request: days: want 1 to 7300, have 9999" \
        $'{ do = "request"; authority = "factory"; file = "a.csr"; },\n{ do = "sign-request"; authority = "root"; for = "factory"; request = "a.csr"; certificate = "a.crt"; days = 9999; }'
}

@test "refused: no steps, no title, a key of its own, syntax, no file" {
    printf 'steps = ( { do = "say"; text = "x"; } );\n' >script.conf
    bad_script "script.conf:*'title'*"
    printf 'title = "x";\n' >script.conf
    bad_script "script.conf:*'steps'*"
    printf 'title = "x";\nsteps = ( );\n' >script.conf
    bad_script 'script.conf:2: steps: want 1 to 200, have 0'
    printf 'title = "x";\nfrob = 1;\nsteps = ( { do = "say"; text = "x"; } );\n' >script.conf
    bad_script "script.conf:2: *'frob'*"
    printf 'title = "x";\nsteps = = ();\n' >script.conf
    bad_script 'script.conf:2: syntax error'
    rm script.conf
    bad_script 'script.conf: No such file or directory'
}

@test "a script may not write outside of the home unasked: an output that exists stops it" {
    echo mine >home/anchor.pem
    script $'{ do = "init-token"; token = "root"; },\n{ do = "generate-key"; authority = "root"; algorithm = "P-256"; },\n{ do = "self-sign"; authority = "root"; },\n{ do = "export"; authority = "root"; file = "anchor.pem"; }'
    run --separate-stderr p11ca -q -C home ceremony run --yes script.conf
    [[ $status != 0 && $stderr == *'anchor.pem: exists, nothing is overwritten'* ]] || fail 'want it refused'
    equal "$(cat home/anchor.pem)" mine
}

@test "without --yes and without a terminal: exit 2, nothing done" {
    # setsid: no controlling terminal.
    run --separate-stderr setsid --wait "$BUILD/bin/p11ca" -q -C home ceremony run "$scripts/root.conf" </dev/null
    [[ $status == 2 && $output == '' ]] || fail 'want exit status 2'
    equal "$stderr" 'p11ca: step 1: nobody is there to confirm it (--yes says yes to all)'
    [[ ! -e calls ]] || fail 'want no token call'
}

# on_terminal EXPECT-SCRIPT COMMAND...: the command on a pseudo-terminal of its own; exits as it does.
on_terminal() {
    local dialogue=$1
    shift
    TERM=dumb timeout --kill-after=5 60 expect -c "
        set timeout 20
        spawn -noecho $*
        expect_after timeout { puts TIMEOUT; exit 99 }
        $dialogue
        expect eof
        catch wait result
        exit [lindex \$result 3]" </dev/null
}

@test "on a terminal: yes and y confirm, other answers ask again" {
    script $'{ do = "say"; text = "first"; },\n{ do = "say"; text = "second"; }'
    run on_terminal '
        expect -ex "Do step 1 of 2? \[yes/no\]"; send "maybe\r"
        expect -ex "Do step 1 of 2? \[yes/no\]"; send "\r"
        expect -ex "Do step 1 of 2? \[yes/no\]"; send "YES\r"
        expect -ex "Do step 1 of 2? \[yes/no\]"; send "yes\r"
        expect -ex "Do step 2 of 2? \[yes/no\]"; send "y\r"' "$BUILD/bin/p11ca" -C home ceremony run script.conf
    [[ $status == 0 && $output == *'the ceremony is complete'* ]] || fail 'want it complete'
    equal "$(sql "SELECT count(*) FROM event WHERE kind = 'ceremony'")" 2
}

@test "on a terminal: no stops, exit 1, and later steps are not done" {
    script $'{ do = "say"; text = "first"; },\n{ do = "init-token"; token = "root"; }'
    run on_terminal '
        expect -ex "Do step 1 of 2? \[yes/no\]"; send "yes\r"
        expect -ex "Do step 2 of 2? \[yes/no\]"; send "no\r"' "$BUILD/bin/p11ca" -C home ceremony run script.conf
    [[ $status == 1 && $output == *'p11ca: stopped by the operator before step 2'* ]] || fail 'want it stopped'
    equal "$(sql "SELECT count(*) FROM event WHERE kind = 'ceremony'")" 1
    equal "$(calls C_InitToken)" 0
}

@test "on a terminal: the end of input is a no" {
    script '{ do = "init-token"; token = "root"; }'
    run on_terminal 'expect -ex "Do step 1 of 1? \[yes/no\]"; send "\004"' "$BUILD/bin/p11ca" -C home ceremony run script.conf
    equal "$status" 1
    equal "$(calls C_InitToken)" 0
}

@test "on a terminal: a typed PIN is not echoed, and works" {
    p11ca -q -C home token init root
    rm calls
    sed -i '/^ *root *= { kind/,/;/s|pin = "file:pins/root"|pin = "prompt"|; s|pin = "file:pins/root";|pin = "prompt";|' home/p11ca.conf
    grep -q 'pin = "prompt"; so-pin = "file:pins/root-so"' home/p11ca.conf
    run on_terminal "
        expect -ex {user PIN of token 'root': }; send \"$(cat home/pins/root)\\r\"" "$BUILD/bin/p11ca" -C home token check root
    [[ $status == 0 ]] || fail 'want the PIN accepted'
    refute grep -qF "$(cat home/pins/root)" <<<"$output"
    equal "$(calls C_Login)" 1
    rm calls
    # And a wrong one is asked for once, tried once, and said nowhere.
    run on_terminal "
        expect -ex {user PIN of token 'root': }; send \"typed-4711\\r\"" "$BUILD/bin/p11ca" -C home token check root
    [[ $status == 5 && $output == *CKR_PIN_INCORRECT* ]] || fail 'want it refused'
    refute grep -qF typed-4711 <<<"$output"
    equal "$(calls C_Login)" 1
    equal "$(grep -c 'user PIN of token' <<<"$output")" 1
}

@test "on a terminal: a real ceremony, confirmed step by step" {
    # The variables are those of expect.
    # shellcheck disable=SC2016
    run on_terminal '
        for {set i 1} {$i <= 5} {incr i} {
            expect -ex "Do step $i of 5? \[yes/no\]"; send "yes\r"
        }' "$BUILD/bin/p11ca" -C home ceremony run "$scripts/root.conf"
    [[ $status == 0 && $output == *'the ceremony is complete'* ]] || fail 'want it complete'
    succeeds openssl verify -x509_strict -CAfile home/root.crt home/root.crt
}

@test "sign-request: a request exchanged on its way is not signed" {
    succeeds p11ca -q -C home ceremony run --yes "$scripts/root.conf"
    cat >make.conf <<'END'
title = "t";
steps = ( { do = "init-token"; token = "factory"; }, { do = "generate-key"; authority = "factory"; algorithm = "P-256"; },
          { do = "request"; authority = "factory"; file = "factory.csr"; } );
END
    succeeds p11ca -q -C home ceremony run --yes make.conf
    ec_request evil /CN=Evil
    cp evil.csr home/factory.csr
    printf 'title = "t"; steps = ( { do = "sign-request"; authority = "root"; for = "factory"; request = "factory.csr"; certificate = "f.crt"; } );\n' >sign.conf
    answers 4 "p11ca: step 1, sign-request: home/factory.csr: public key: want the one recorded for authority 'factory', have another" \
        p11ca -q -C home ceremony run --yes sign.conf
    [[ ! -e home/f.crt ]]
}

@test "a script that includes another is none: its hash would not be that of what runs" {
    printf '@include "more.conf"\n' >script.conf
    printf 'title = "t"; steps = ( { do = "say"; text = "x"; } );\n' >more.conf
    refused 3 'p11ca: script.conf: a ceremony script is one file: want no @include' p11ca -C home ceremony check script.conf
}

@test "on a terminal: Ctrl-C or the end of input at a PIN prompt costs no try, and the terminal echoes again" {
    local key
    succeeds p11ca -q -C home ceremony run --yes "$scripts/root.conf"
    sed -i '/^  root /,/};$/ s/ pin = "[^"]*"/ pin = "prompt"/' home/p11ca.conf
    rm -f calls
    # The shell behind it is asked whether its terminal echoes.
    printf '%s -C home token check root; echo "rc=$?"; stty -a | grep -q " -echo " && echo silent || echo echoes\n' \
        "$BUILD/bin/p11ca" >ask.sh
    for key in '\003' '\004\004'; do
        during="key $key"
        run on_terminal "expect -ex {user PIN of token 'root': }; send {12}; send \"$key\"; expect -ex rc=5; expect -ex echoes" bash ask.sh
        [[ $status == 0 ]] || fail 'want exit status 5 and an echo'
        equal "$(calls C_Login)" 0
    done
}
