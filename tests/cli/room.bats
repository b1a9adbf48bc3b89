#!/usr/bin/env bats
# Ceremonies as the people in the room see them: on a terminal, asked by name, with mistakes.

load common
load ceremony

setup_file() {
    prepare_homes
}

setup() {
    use_blank_home
    people
}

# The shell behind the ceremony is asked whether its terminal echoes.
echoing() {
    # shellcheck disable=SC2016
    printf 'trap : INT; "%s" -C home ceremony %s script.conf; echo "rc=$?"; stty -a | grep -q " -echo " && echo silent || echo echoes\n' \
        "$BUILD/bin/p11ca" "${*:-run}" >shell.sh
}

# The PIN of the root's token is typed from here on.
type_root_pin() {
    sed -i '/^  root /,/};$/ s/ pin = "[^"]*"/ pin = "prompt"/' home/p11ca.conf
    use_fault_module
}
pin_prompt="{user PIN of token 'root': }"

# A request from elsewhere for an authority below the root.
foreign_request() {
    use_done_home
    add_authority sub 'profile = "issuing-ca"; issuer = "root";'
    ec_request home/sub /CN=whatever
    sign='do = "sign-request"; authority = "root"; for = "sub"; request = "sub.csr"; certificate = "sub.crt";'
}

@test "names are asked for each role; prompts say who does what" {
    room_script '{ do = "say"; text = "first"; }, { do = "say"; text = "second"; by = "CO2"; witness = [ "IW", "CO1" ]; }'
    in_room '
        answer "Ceremony administrator (CA): name? " "Ann Lee"
        answer "Crypto officer (CO1): name? " ""
        expect -ex "want an answer, have an empty line"
        answer "Crypto officer (CO1): name? " "Bob Ray"
        answer "Crypto officer (CO2): name? " "Cy Fox"
        answer "Internal witness (IW): name? " "Di Poe"
        expect -ex "A test"
        expect -ex "SHA-256 of this script:"
        yes "Ceremony administrator (CA, Ann Lee): do step 1 of 2?"
        expect -ex "by Crypto officer (CO2, Cy Fox); watched by Internal witness (IW, Di Poe), Crypto officer (CO1, Bob Ray)"
        yes "Crypto officer (CO2, Cy Fox): do step 2 of 2?"
        expect -ex "SHA-256 of the transcript, to be written on the paper:"'
    [[ $status == 0 && $output == *$'\n''the ceremony is complete: home/ceremonies/'* ]] || fail 'want it complete'
    complete
    equal "$(transcript 'select(.type == "begin") | .unattended, .roles[].name' | tr '\n' ' ')" 'false Ann Lee Bob Ray Cy Fox Di Poe '
    equal "$(transcript 'select(.type == "start" and .step == 2) | .by.name, .witness[].name' | tr '\n' ' ')" 'Cy Fox Di Poe Bob Ray '
    # Eight lines of four octets, as hex and as words.
    equal "$(grep -cE '^  [0-9a-f]{8}( +[^ ]+){4}$' <<<"$output")" 16
}

@test "names of a file are not asked for, the missing ones are" {
    room_script '{ do = "say"; text = "first"; }'
    sed -i '/CO2/d' people.conf
    in_room '
        answer "Crypto officer (CO2): name? " "Xi"
        yes "Ceremony administrator (CA, Ann Lee): do step 1 of 1?"' --people people.conf
    [[ $status == 0 && $output != *'(CO1): name?'* ]] || fail 'want one question'
    equal "$(transcript 'select(.type == "begin").roles[].name' | tr '\n' ' ')" 'Ann Lee Bob Ray Xi Di Poe '
}

@test "typed names: control characters and invalid UTF-8 are escaped, long ones whole" {
    local long
    long=$(printf 'é%.0s' {1..100})
    room_script '{ do = "say"; text = "x"; }'
    in_room '
        fconfigure $spawn_id -encoding binary
        answer "(CA): name? " "An\033\[31mn\377"
        answer "(CO1): name? " "'"$long"'"
        answer "(CO2): name? " "Cy"
        answer "(IW): name? " "Di"
        yes "do step 1 of 1?"'
    [[ $status == 0 ]] || fail 'want it complete'
    equal "$(transcript 'select(.type == "begin").roles[0].name')" 'An\x1b[31mn\xff'
    [[ $(transcript 'select(.type == "begin").roles[1].name') != '' ]]
    # What a terminal echoes of the keys is its own; p11ca says none of it.
    [[ $output == *'(CA, An\x1b[31mn\xff): do step 1'* ]] || fail 'want it escaped'
    chained
}

@test "names of a file with control characters are escaped in prompts, and so are titles" {
    script '{ do = "say"; text = "x"; }' 'roles = { CA = "Adm\x1b[31min"; };'
    printf 'CA = "Ann\x1b[32m";\n' >people.conf
    in_room 'yes {Adm\x1b[31min (CA, Ann\x1b[32m): do step 1 of 1?}' --people people.conf
    [[ $status == 0 && $output != *$'\e[3'* ]] || fail 'want it escaped'
}

@test "yes and y confirm, other answers ask again" {
    script $'{ do = "say"; text = "first"; },\n{ do = "say"; text = "second"; }'
    in_room '
        answer "Operator: do step 1 of 2? \[yes/no\]" maybe
        answer "Operator: do step 1 of 2? \[yes/no\]" ""
        answer "Operator: do step 1 of 2? \[yes/no\]" YES
        yes "Operator: do step 1 of 2?"
        answer "Operator: do step 2 of 2? \[yes/no\]" y'
    [[ $status == 0 && $output == *'the ceremony is complete'* ]] || fail 'want it complete'
    equal "$(ceremony_events)" 'begin complete+ '
    # Somebody at work alone has no name to give.
    equal "$(transcript 'select(.type == "begin").roles[0] | "\(.role) \(.name)"')" 'operator null'
}

@test "too long an answer is none, and does not answer the next question" {
    script $'{ do = "say"; text = "first"; }'
    in_room 'answer "do step 1 of 1? \[yes/no\]" [string repeat "yes " 30]; expect -ex "stopped by"'
    equal "$status" 1
    equal "$(types)" 'begin '
}

@test "no stops, exit 1, later steps are not done; resumed they are" {
    use_fault_module
    script $'{ do = "say"; text = "first"; },\n{ do = "init-token"; token = "root"; }'
    in_room 'yes "do step 1 of 2?"; no "do step 2 of 2?"'
    [[ $status == 1 && $output == *'p11ca: stopped by the Operator at step 2'* ]] || fail 'want it stopped'
    equal "$(types)" 'begin start done '
    equal "$(calls C_InitToken)" 0
    in_room_again 'expect -ex "A test, resumed: 1 of 2 steps are done"; yes "do step 2 of 2?"'
    equal "$status" 0
    equal "$(types)" 'begin start done resumed start done end '
    equal "$(calls C_InitToken)" 1
    complete
}

@test "the end of input is a no" {
    use_fault_module
    script '{ do = "init-token"; token = "root"; }'
    in_room 'expect -ex "do step 1 of 1? \[yes/no\]"; send "\004"'
    equal "$status" 1
    equal "$(calls C_InitToken)" 0
}

@test "confirm: whoever acts and every witness says so" {
    room_script '{ do = "confirm"; text = "the bag is sealed"; by = "CO1"; witness = [ "IW", "CA" ]; expect = "seal 4711"; }'
    in_room '
        expect -ex "the bag is sealed"
        yes "Crypto officer (CO1, Bob Ray): is it so, step 1 of 1?"
        yes "Internal witness (IW, Di Poe): is it so?"
        no "Ceremony administrator (CA, Ann Lee): is it so?"' --people people.conf
    [[ $status == 1 && $output == *'step 1, confirm: stopped by the Ceremony administrator at step 1'* ]] || fail 'want it stopped'
    [[ $output != *'try this step again'* ]] || fail 'want a no to be a no'
    in_room_again '
        yes "Crypto officer (CO1, Bob Ray): is it so, step 1 of 1?"
        yes "Internal witness (IW, Di Poe): is it so?"
        yes "Ceremony administrator (CA, Ann Lee): is it so?"'
    equal "$status" 0
    equal "$(types)" 'begin start failed resumed start done end '
}

@test "check-clock: another time asks again, a form that is none too; stop stops" {
    script '{ do = "check-clock"; }'
    in_room '
        yes "do step 1 of 1?"
        set q "Operator: the time on the wall, UTC, as YYYY-MM-DD HH:MM "
        answer $q "half past nine"
        expect -ex "want the time in UTC as YYYY-MM-DD HH:MM"
        answer $q [clock format [expr {[clock seconds] - 600}] -gmt 1 -format "%Y-%m-%d %H:%M"]
        expect -re {this machine says 20.*Z: the clocks are 1[01] minutes apart}
        answer $q [clock format [expr {[clock seconds] + 600}] -gmt 1 -format "%Y-%m-%d %H:%M"]
        expect -re {the clocks are (9|10) minutes apart}
        answer $q [clock format [clock seconds] -gmt 1 -format "%Y-%m-%d %H:%M"]'
    equal "$status" 0
    [[ $(transcript 'select(.type == "done").result.typed') == 20??-??-??' '??:?? ]] || fail 'want the time noted'
    script '{ do = "check-clock"; }, { do = "say"; text = "x"; }'
    rm -r home/ceremonies
    in_room 'yes "do step 1 of 2?"; answer "YYYY-MM-DD HH:MM " stop'
    [[ $status == 1 && $output == *'p11ca: step 1, check-clock: stopped at a question' ]] || fail 'want it stopped'
    equal "$(types)" 'begin start failed '
}

@test "backup-note: what is typed is recorded" {
    script '{ do = "backup-note"; text = "Put it away."; }, { do = "backup-note"; text = "And that."; ask = "which seal?"; }'
    in_room '
        yes "do step 1 of 2?"; answer "Operator: where is it kept (bag, safe, seal number)? " "safe 3"
        yes "do step 2 of 2?"; answer "Operator: which seal? " ""; answer "Operator: which seal? " "A-17"'
    equal "$status" 0
    equal "$(transcript 'select(.type == "done").result.noted')" $'safe 3\nA-17'
}

# The first eight words of a file's hash, as p11ca shows them.
words_of() {
    printf 'title = "w"; steps = ( { do = "hash-announce"; file = "%s"; } );\n' "$1" >words.conf
    on_terminal 'yes "do step 1 of 1?"; yes "was it read aloud and written down?"' "$BUILD/bin/p11ca" -C home ceremony run words.conf \
        --dir words | tr -d '\r' | sed -nE "/^SHA-256 of ${1//./\\.}:/{n;s/^ +[0-9a-f]{8} +//p;n;s/^ +[0-9a-f]{8} +//p;q}" | paste -sd " "
    rm -r words
}

@test "a request from elsewhere: its hash is read back, wrong, then right, in words or hex" {
    local words hex again q='as they were read out where the file comes from '
    foreign_request
    cp -a home kept
    words=$(words_of sub.csr)
    [[ $words == *' '*' '*' '* ]] || fail "want eight words, have '$words'"
    hex=$(sha256sum home/sub.csr | cut -c1-16)
    for again in "$words" "${words^^}" "${words// /  }" "$hex" "${hex^^}" "${hex:0:4} ${hex:4}"; do
        during=$again
        script "{ $sign }"
        in_room "
            yes \"do step 1 of 1?\"
            expect -ex \"SHA-256 of sub.csr:\"
            answer {$q} \"0000 0000\"
            expect -ex \"that is not how this hash begins\"
            answer {$q} \"${hex:0:15}\"
            expect -ex \"that is not how this hash begins\"
            answer {$q} \"${hex}00\"
            expect -ex \"that is not how this hash begins\"
            answer {$q} \"\"
            expect -ex \"that is not how this hash begins\"
            answer {$q} \"$again\"
            yes \"approve a signature over exactly these bytes?\""
        equal "$status" 0
        equal "$(transcript 'select(.type == "done").result.read_back')" true
        succeeds openssl verify -x509_strict -CAfile home/root.crt home/sub.crt
        rm -rf home
        cp -a kept home
    done
}

@test "a request from elsewhere: the hash does not fit, stop; nothing is signed" {
    foreign_request
    use_fault_module
    script "{ $sign }"
    in_room 'yes "do step 1 of 1?"; answer "where the file comes from " "0000 0000"; answer "where the file comes from " stop'
    [[ $status == 1 && $output == *'p11ca: step 1, sign-request: stopped at a question' ]] || fail 'want it stopped'
    [[ ! -e calls && ! -e home/sub.crt ]] || fail 'want no token call'
}

@test "the exact bytes are approved by those named; one says no, and says yes when it is resumed" {
    foreign_request
    room_script "{ $sign approve = [ \"CO1\", \"CO2\" ]; }"
    in_room "
        yes \"do step 1 of 1?\"
        answer {where the file comes from } $(sha256sum home/sub.csr | cut -c1-16)
        expect -re {authority 'root' is to sign a certificate, serial [0-9A-F]+}
        expect -ex {SHA-256 of the to-be-signed bytes:}
        yes \"Crypto officer (CO1, Bob Ray): approve a signature over exactly these bytes?\"
        no \"Crypto officer (CO2, Cy Fox): approve a signature over exactly these bytes?\"" --people people.conf
    [[ $status == 1 && ! -e home/sub.crt ]] || fail 'want it stopped'
    equal "$(p11ca -q -C home list --status reserved | wc -l)" 1
    # The bytes are the same, although the clock went on: who has approved them is not asked again.
    sleep 1.1
    in_room_again "
        yes \"do step 1 of 1?\"
        answer {where the file comes from } $(sha256sum home/sub.csr | cut -c1-16)
        yes \"Crypto officer (CO2, Cy Fox): approve a signature over exactly these bytes?\""
    equal "$status" 0
    equal "$(grep -c 'CO1, Bob Ray): approve' <<<"$output")" 0
    equal "$(transcript 'select(.type == "approved").by.name')" $'Bob Ray\nCy Fox'
    equal "$(transcript 'select(.type == "tbs").sha256' | wc -l)" 1
    equal "$(p11ca -q -C home list --status reserved | wc -l)" 0
    complete
    sound
}

@test "approvals by tokens: who says no is passed over, and the others may be enough" {
    foreign_request
    # The factory's token has two more keys; no authority is theirs afterwards.
    sed -i 's/token = "root"; key = "sub"/token = "factory"; key = "sub"/' home/p11ca.conf
    for role in CO1 CO2; do
        sed -i "/^ *factory = { token = /i $role = { token = \"factory\"; key = \"$role\"; subject = \"CN=$role\"; profile = \"root-ca\"; };" home/p11ca.conf
        script '{ do = "generate-key"; authority = "'$role'"; algorithm = "P-256"; }'
        p11ca -q -C home ceremony run --yes script.conf
        sed -i "/^$role = { token/d" home/p11ca.conf
        sed -i "s/^$role = \(\".*\"\);/$role = { name = \1; token = \"factory\"; key = \"$role\"; };/" people.conf
    done
    rm -r home/ceremonies
    room_script "{ $sign approved = true; }" 'approvals = { need = 1; of = [ "IW", "CO1", "CO2" ]; };'
    in_room "
        yes \"do step 1 of 1?\"
        no \"Crypto officer (CO1, Bob Ray): approve the plan with your key?\"
        no \"Crypto officer (CO2, Cy Fox): approve the plan with your key?\"
        expect -ex \"step 1 failed: want 1 approvals of plan.txt by IW, CO1, CO2; have none\"
        yes \"Ceremony administrator (CA, Ann Lee): try this step again?\"
        no \"(CO1, Bob Ray): approve the plan with your key?\"
        yes \"(CO2, Cy Fox): approve the plan with your key?\"
        expect -ex \"approved by 'CO2', key \"
        answer {where the file comes from } $(sha256sum home/sub.csr | cut -c1-16)
        yes \"approve a signature over exactly these bytes?\"" --people people.conf
    equal "$status" 0
    equal "$(transcript 'select(.type == "approval") | "\(.role) \(.name)"')" 'CO2 Cy Fox'
    complete
}

@test "a step fails: tried again, with one login for each PIN typed" {
    use_done_home
    type_root_pin
    script '{ do = "request"; authority = "root"; file = "r.csr"; if-wrong = "count the tries"; }'
    in_room "
        yes \"do step 1 of 1?\"
        answer $pin_prompt wrong-4711
        expect -re {step 1 failed: token 'root': login: CKR_PIN_INCORRECT}
        expect -ex \"if it goes wrong: count the tries\"
        yes \"Operator: try this step again?\"
        answer $pin_prompt wrong-4712
        expect -ex \"step 1 failed\"
        yes \"Operator: try this step again?\"
        answer $pin_prompt $(cat home/pins/root)"
    equal "$status" 0
    equal "$(calls C_Login)" 3
    equal "$(types)" 'begin start failed start failed start done end '
    refute grep -qE 'wrong-471|'"$(cat home/pins/root)" <<<"$output$(cat "$(folder)"/*)"
    complete
}

@test "a step fails and is not tried again: the exit status of the failure; resumed it works" {
    use_done_home
    type_root_pin
    script '{ do = "request"; authority = "root"; file = "r.csr"; }'
    in_room "
        yes \"do step 1 of 1?\"
        answer $pin_prompt wrong-4711
        no \"Operator: try this step again?\""
    [[ $status == 5 && $output == *"p11ca: step 1, request: token 'root': login: CKR_PIN_INCORRECT"* ]] || fail 'want exit status 5'
    equal "$(calls C_Login)" 1
    in_room_again "yes \"do step 1 of 1?\"; answer $pin_prompt $(cat home/pins/root)"
    equal "$status" 0
    equal "$(calls C_Login)" 2
    complete
}

# interrupted QUESTION BEFORE...: Ctrl-C at this question; the terminal echoes and the ceremony can be resumed.
interrupted() {
    echoing run --people people.conf
    run on_terminal "$2; expect -ex $1; send \"\\003\"; expect -re {rc=(\\d+)}; expect -ex echoes" bash shell.sh
    [[ $status == 0 ]] || fail 'want a terminal that echoes'
    chained
    equal "$(sql 'PRAGMA integrity_check')" ok
}

@test "Ctrl-C at a confirmation, a question, a hash, an approval: resumed, it completes with the same names" {
    local at
    foreign_request
    cp -a home kept
    room_script "{ do = \"backup-note\"; text = \"x\"; }, { $sign }"
    note='yes "do step 1 of 2?"; answer "seal number)? " here'
    hash="answer {where the file comes from } $(sha256sum home/sub.csr | cut -c1-16)"
    for at in '{do step 1 of 2?}' '{seal number)? }|yes "do step 1 of 2?"' "{do step 2 of 2?}|$note" \
        "{where the file comes from }|$note; yes \"do step 2 of 2?\"" \
        "{exactly these bytes?}|$note; yes \"do step 2 of 2?\"; $hash"; do
        during=$at
        rm -rf home
        cp -a kept home
        interrupted "${at%%|*}" "$([[ $at != *'|'* ]] || echo "${at#*|}")"
        [[ ! -e home/sub.crt ]] || fail 'want nothing signed'
        in_room_again "
            expect -ex \"A test, resumed: \"
            expect {
                     -ex \"do step 1 of 2?\" { send yes\\r; answer \"seal number)? \" here; exp_continue }
                     -ex \"do step 2 of 2?\" { send yes\\r } }
            $hash
            yes \"Ceremony administrator (CA, Ann Lee): approve a signature over exactly these bytes?\""
        equal "$status" 0
        complete
        equal "$(transcript 'select(.type == "done") | "\(.step) \(.result.noted)"')" $'1 here\n2 null'
        equal "$(transcript 'select(.type == "begin").roles[].name' | tr '\n' ' ')" 'Ann Lee Bob Ray Cy Fox Di Poe '
        equal "$(p11ca -q -C home list --status issued | grep -c CN=sub)" 1
        equal "$(p11ca -q -C home list --status reserved | wc -l)" 0
    done
    during=
    sound
}

@test "Ctrl-C at a name: nothing is begun" {
    room_script '{ do = "say"; text = "x"; }'
    echoing
    run on_terminal 'answer "(CA): name? " Ann; expect -ex "(CO1): name?"; send "\003"; expect -re {rc=\d+}; expect -ex echoes' bash shell.sh
    equal "$status" 0
    [[ ! -e home/ceremonies && ! -e home/ledger.db ]] || fail 'want nothing begun'
}

@test "Ctrl-C or the end of input at a PIN costs no try; the step can be tried again" {
    local key
    use_done_home
    type_root_pin
    script '{ do = "request"; authority = "root"; file = "r.csr"; }'
    echoing
    for key in '\003' '\004\004'; do
        during="key $key"
        rm -rf calls home/ceremonies
        run on_terminal "
            yes \"do step 1 of 1?\"
            expect -ex $pin_prompt; send {12}; send \"$key\"
            expect -ex \"step 1 failed: \"
            no \"Operator: try this step again?\"
            expect -ex rc=5; expect -ex echoes" bash shell.sh
        equal "$status" 0
        equal "$(calls C_Login)" 0
    done
}

@test "Ctrl-C when asked whether to try again: the failure is recorded, and resumed it works" {
    use_done_home
    type_root_pin
    script '{ do = "request"; authority = "root"; file = "r.csr"; }'
    echoing
    run on_terminal "
        yes \"do step 1 of 1?\"
        answer $pin_prompt wrong-4711
        expect -ex \"try this step again?\"; send \"\003\"
        expect -re {rc=\\d+}; expect -ex echoes" bash shell.sh
    equal "$status" 0
    equal "$(types)" 'begin start failed '
    in_room_again "yes \"do step 1 of 1?\"; answer $pin_prompt $(cat home/pins/root)"
    equal "$status" 0
    complete
}

@test "on a terminal: a typed PIN is not echoed, and works" {
    use_done_home
    type_root_pin
    run on_terminal "expect -ex $pin_prompt; send \"$(cat home/pins/root)\\r\"" "$BUILD/bin/p11ca" -C home token check root
    [[ $status == 0 ]] || fail 'want the PIN accepted'
    refute grep -qF "$(cat home/pins/root)" <<<"$output"
    equal "$(calls C_Login)" 1
    rm calls
    # And a wrong one is asked for once, tried once, and said nowhere.
    run on_terminal "expect -ex $pin_prompt; send \"typed-4711\\r\"" "$BUILD/bin/p11ca" -C home token check root
    [[ $status == 5 && $output == *CKR_PIN_INCORRECT* ]] || fail 'want it refused'
    refute grep -qF typed-4711 <<<"$output"
    equal "$(calls C_Login)" 1
    equal "$(grep -c 'user PIN of token' <<<"$output")" 1
}

@test "on a terminal: Ctrl-C or the end of input at a PIN prompt costs no try, and the terminal echoes again" {
    local key
    use_done_home
    type_root_pin
    # The shell behind it is asked whether its terminal echoes.
    printf '%s -C home token check root; echo "rc=$?"; stty -a | grep -q " -echo " && echo silent || echo echoes\n' \
        "$BUILD/bin/p11ca" >ask.sh
    for key in '\003' '\004\004'; do
        during="key $key"
        run on_terminal "expect -ex $pin_prompt; send {12}; send \"$key\"; expect -ex rc=5; expect -ex echoes" bash ask.sh
        [[ $status == 0 ]] || fail 'want exit status 5 and an echo'
        equal "$(calls C_Login)" 0
    done
}

@test "a real ceremony, confirmed step by step" {
    cp "$scripts/root.conf" script.conf
    in_room '
        expect {
            -ex "name?" { send "Ann Lee\r"; exp_continue }
            -ex "as YYYY-MM-DD HH:MM" { send "[clock format [clock seconds] -format {%Y-%m-%d %H:%M} -gmt 1]\r"; exp_continue }
            -ex "bag number and safe?" { send "B-17, safe 2\r"; exp_continue }
            -ex {[yes/no]} { send "yes\r"; exp_continue }
            -ex "the ceremony is complete" { }
        }'
    [[ $status == 0 && $output == *'the ceremony is complete'* ]] || fail 'want it complete'
    succeeds openssl verify -x509_strict -CAfile home/root.crt home/root.crt
    complete
}

@test "while one is at a question, another process is refused" {
    room_script '{ do = "say"; text = "x"; }, { do = "say"; text = "y"; }'
    script=$(cat script.conf)
    printf '%s -q -C home ceremony resume --yes script.conf; echo "rc=$?"\n%s -q -C home ceremony resume --yes --abandon script.conf; echo "rc=$?"\n%s -q -C home ceremony run --yes script.conf; echo "rc=$?"\n' \
        "$BUILD/bin/p11ca" "$BUILD/bin/p11ca" "$BUILD/bin/p11ca" >second.sh
    in_room '
        yes "do step 1 of 2?"
        expect -ex "do step 2 of 2? \[yes/no\] "
        set second [exec bash second.sh 2>@1]
        puts $second
        send "yes\r"' --people people.conf
    equal "$status" 0
    [[ $output == *$'transcript.jsonl: another process has it open\nrc=8\np11ca: '*$'transcript.jsonl: another process has it open\nrc=8\np11ca: home/ceremonies/'*': this ceremony is unfinished: '*$'\nrc=3'* ]] ||
        fail 'want them refused'
    equal "$(types)" 'begin start done start done end '
    complete
}
