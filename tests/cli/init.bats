#!/usr/bin/env bats
# A new home, and the way the program talks.

load common

setup() {
    mkdir "$BATS_TEST_TMPDIR/work"
    cd "$BATS_TEST_TMPDIR/work"
}

mode() {
    stat -c %a "$1"
}

@test "init: a commented p11ca.conf and nothing else" {
    succeeds p11ca init home --name 'Acme & Sons'
    equal "$output" home/p11ca.conf
    equal "$(ls home)" p11ca.conf
    equal "$(mode home/p11ca.conf)" 644
    grep -q 'CN=Acme & Sons Root CA' home/p11ca.conf
    grep -q '"pkcs11:token=acme-sons-root"' home/p11ca.conf
    grep -q '^#' home/p11ca.conf
}

@test "init: the name is not needed" {
    succeeds p11ca init home
    grep -q 'CN=Example Root CA' home/p11ca.conf
}

@test "init --softhsm: authorities that can issue, private files private" {
    succeeds p11ca init home --name Acme --softhsm
    equal "$output" home/p11ca.conf
    [[ $stderr == *"step 13 of 13"*"ready: p11ca -C home issue "* ]] || fail "want the steps on stderr"
    equal "$(mode home/p11ca.conf) $(mode home/root.crt) $(mode home/factory.crt) $(mode home/factory-chain.pem)" \
        '644 644 644 644'
    equal "$(mode home/pins) $(mode home/softhsm) $(mode home/ledger.db)" '700 700 600'
    equal "$(find home/pins -type f -printf '%m %f\n' | sort)" $'600 factory\n600 factory-so\n600 root\n600 root-so'
    equal "$(find home/softhsm -type f ! -perm 600)" ''
    equal "$(find home/softhsm -type d ! -perm 700)" ''
    # Nothing of the PINs in what was said, nor in what others may read.
    for pin in home/pins/*; do
        refute grep -qF "$(cat "$pin")" <<<"$output$stderr"
        refute grep -rqF "$(cat "$pin")" home/p11ca.conf home/ledger.db
    done
    equal "$(cat home/pins/* | fold -w16 | sort -u | wc -l)" 4
    succeeds p11ca -C home issue -a factory -p server --new-key k --dns localhost -o s.crt
    equal "$(mode k) $(mode s.crt)" '600 644'
    sound
}

@test "init --softhsm: stays good whatever the umask" {
    umask 000
    succeeds p11ca -q init home --softhsm
    equal "$(find home/pins home/softhsm home/ledger.db ! -perm 600 ! -perm 700)" ''
    equal "$(find home -perm /022 ! -type l)" ''
}

@test "init --json: one object" {
    succeeds p11ca --json init home --softhsm
    equal "$(jq -r '.home, .ready, (.steps | length)' <<<"$output" | tr '\n' ' ')" 'home true 25 '
    succeeds p11ca --json init other
    equal "$(jq -r '.home, .ready, (.steps | length)' <<<"$output" | tr '\n' ' ')" 'other false 0 '
}

@test "init: an existing home is refused and stays as it was" {
    p11ca -q init home
    refused 8 'p11ca: home/p11ca.conf: exists, nothing is overwritten' p11ca init home
    refused 8 'p11ca: home/p11ca.conf: exists, nothing is overwritten' p11ca init home --softhsm
}

@test "init: a file where the home should be" {
    echo mine >home
    refused 8 'p11ca: home: mkdir: File exists' p11ca init home
}

@test "init: a folder that is not there" {
    refused 8 'p11ca: none/home: mkdir: No such file or directory' p11ca init none/home
}

@test "init: a name that could not be a subject" {
    refused 2 "p11ca: name 'Acme, O=Evil': want *" p11ca init home --name 'Acme, O=Evil'
    refused 2 "p11ca: name '': want *" p11ca init home --name ''
    refused 2 "p11ca: name 'a\\\\x1b\[31mb': want *" p11ca init home --name $'a\e[31mb'
    refused 2 "p11ca: name '*': want 1 to 40 *" p11ca init home --name "$(printf 'x%.0s' {1..41})"
    refused 2 "p11ca: name '\"; evil = \"': want *" p11ca init home --name '"; evil = "'
}

@test "init --softhsm: tokens of the same store elsewhere are not touched" {
    p11ca -q init one --softhsm
    p11ca -q init two --softhsm
    [[ $(openssl x509 -in one/root.crt -noout -pubkey) != $(openssl x509 -in two/root.crt -noout -pubkey) ]]
    equal "$(find one/softhsm/tokens two/softhsm/tokens -mindepth 1 -maxdepth 1 | wc -l)" 4
}

@test "usage: what is wrong, exit 2, stdout clean" {
    refused 2 "p11ca: unknown command 'frob'; see p11ca help" p11ca frob
    refused 2 "p11ca: unknown command 'token frob'; see p11ca help" p11ca token frob
    refused 2 'p11ca: unknown option --frob for list' p11ca list --frob
    refused 2 'p11ca: unknown option -X for list' p11ca list -X
    refused 2 "p11ca: init: too many arguments: 'b'" p11ca init a b
    refused 2 'p11ca: usage: p11ca init DIR' p11ca init
    refused 2 'p11ca: issue: option --authority NAME is missing' p11ca issue -p server -o x
    refused 2 'p11ca: option --output wants a value: FILE' p11ca issue -a a -p server -o
    refused 2 'p11ca: option --force takes no value' p11ca issue -a a -p server -o x --force=yes
    refused 2 "p11ca: option --days: want a whole number from 0 to 36500, have '-1'" \
        p11ca issue -a a -p server -o x --days -1
    refused 2 "p11ca: option --days: want a whole number from 0 to 36500, have '1x'" \
        p11ca issue -a a -p server -o x --days 1x
}

@test "usage: no command is an error, so stdout stays clean" {
    run --separate-stderr p11ca
    equal "$status" 2
    [[ ${stderr_lines[-1]} == 'p11ca: want a command'* ]] || fail 'want it said'
    [[ $output == '' ]] || fail 'want a clean stdout'
}

@test "usage: escape sequences are not echoed" {
    refused 2 'p11ca: unknown command '\''\\x1b\[31mred'\''; see p11ca help' p11ca $'\e[31mred'
    refused 2 'p11ca: unknown option --\\x1b\[31mred*' p11ca list $'--\e[31mred'
}

@test "help: of the program, of every command, and the version" {
    succeeds p11ca help
    for word in init 'token check' 'ceremony run' request install issue list show verify audit bench; do
        [[ $output == *$'\n  '"$word "* ]] || fail "want $word in the help"
    done
    mapfile -t commands < <(sed -nE '/^Commands:/,/^$/s/^  ([a-z]+( [a-z]+)?) .*/\1/p' <<<"$output")
    [[ ${#commands[@]} -ge 14 ]]
    for command in "${commands[@]}"; do
        read -ra words <<<"$command"
        succeeds p11ca help "${words[@]}"
        [[ $output == "usage: p11ca "*"$command"* ]] || fail "want the usage of $command"
        equal "$stderr" ''
        text=$output
        succeeds p11ca "${words[@]}" --help
        equal "$output" "$text"
    done
    succeeds p11ca --version
    [[ $output == 'p11ca '[0-9]*.[0-9]*.[0-9]* ]]
}

@test "errors with --json: an object on stdout, the line on stderr" {
    run --separate-stderr p11ca --json list --status frob
    equal "$status" 3
    [[ $stderr == 'p11ca: '*'p11ca.conf'* ]]
    equal "$(jq -r '.error.exit' <<<"$output")" 3
    equal "p11ca: $(jq -r '.error.message' <<<"$output")" "$stderr"
}

@test "a home that is none: exit 3, the file named" {
    refused 3 'p11ca: ./p11ca.conf: no such file: not a PKI home (-C HOME, or p11ca init)' p11ca list
    refused 3 'p11ca: none/p11ca.conf: no such file: not a PKI home (-C HOME, or p11ca init)' p11ca -C none audit
}

@test "standard output that cannot be written is an error" {
    p11ca -q init home
    # shellcheck disable=SC2016
    run --separate-stderr bash -c '"$BUILD/bin/p11ca" help >/dev/full'
    equal "$status $stderr" '8 p11ca: standard output: cannot write'
}
