#!/usr/bin/env bats
# Tokens that fail: lost, busy, lying. The fault-injecting module stands between p11ca and SoftHSM.

load common
load ceremony

setup_file() {
    prepare_home
}

setup() {
    use_home
    ec_request dev /CN=leaf-1
    issue=(timeout --kill-after=5 20 "$BUILD/bin/p11ca" -C home issue -a factory -p device --csr dev.csr -o out.crt)
    check=(timeout --kill-after=5 20 "$BUILD/bin/p11ca" -C home token check factory)
}

# What an order leaves that failed at the token: a serial reserved and explained, and nothing published.
reserved_and_explained() {
    local serial
    [[ ! -e out.crt ]] || fail 'want nothing published'
    succeeds p11ca -q -C home list --status reserved
    equal "${#lines[@]}" 1
    serial=${output%% *}
    [[ $output == *' reserved   factory    device '*' CN=leaf-1' ]] || fail 'want the reserved row'
    equal "$(sql "SELECT hex(serial), detail FROM event WHERE kind = 'fail'")" "$serial|${1#p11ca: }"
    equal "$(sql "SELECT count(*) FROM certificate WHERE subject = 'CN=leaf-1' AND (status <> 0 OR cert IS NOT NULL)")" 0
    succeeds p11ca -C home audit
    [[ $output == *"note: $serial: reserved at "*", never issued: interrupted or failed"* ]] || fail 'want it explained'
}

# Once the fault is gone, the same order finishes what was begun.
finishes() {
    local serial
    serial=$(p11ca -q -C home list --status reserved | cut -d' ' -f1)
    unset P11CA_FAULT
    succeeds "${issue[@]}"
    [[ $stderr == 'an interrupted run of this order was finished' ]] || fail 'want it said'
    equal "$(openssl x509 -in out.crt -noout -serial)" "serial=$serial"
    succeeds openssl verify -x509_strict -CAfile home/root.crt -untrusted home/factory.crt out.crt
    equal "$(p11ca -q -C home list --status reserved)" ''
    sound
}

@test "the fault module alone changes nothing" {
    use_fault_module
    succeeds "${issue[@]}"
    [[ $(calls C_Sign) -ge 1 && $(calls C_Login) == 1 ]] || fail "want the calls logged"
    succeeds openssl verify -x509_strict -CAfile home/root.crt -untrusted home/factory.crt out.crt
}

@test "CKR_DEVICE_REMOVED from C_OpenSession: an error, not a hang - for each of the first calls and for all" {
    local n
    for n in 1 2 3 '1+' '2+' '3+'; do
        rm -rf home calls out.crt
        copy_home home
        use_fault_module
        P11CA_FAULT="C_OpenSession:$n=CKR_DEVICE_REMOVED" run --separate-stderr "${issue[@]}"
        # Fewer sessions than that are opened: nothing was injected.
        if [[ $(calls C_OpenSession) -lt ${n%+} ]]; then
            [[ ${n%+} == 3 ]] || fail "want at least ${n%+} sessions"
            continue
        fi
        [[ $status == 6 ]] || fail "want exit status 6 for call $n"
        [[ $stderr == "p11ca: "*CKR_DEVICE_REMOVED* && ${#stderr_lines[@]} == 1 ]] || fail "want it named for call $n"
        [[ $output == '' && ! -e out.crt ]] || fail "want nothing published for call $n"
    done
    rm -f calls
    succeeds "${issue[@]}"
}

@test "CKR_DEVICE_REMOVED from C_OpenSession: every command that uses the token" {
    use_fault_module
    export P11CA_FAULT='C_OpenSession:*=CKR_DEVICE_REMOVED'
    refused 6 "p11ca: token 'factory': C_OpenSession: CKR_DEVICE_REMOVED*" "${check[@]}"
    refused 6 "p11ca: token 'factory': C_OpenSession: CKR_DEVICE_REMOVED*" p11ca -C home request factory -o out.csr
    refused 6 "p11ca: token 'factory': C_OpenSession: CKR_DEVICE_REMOVED*" p11ca -C home bench -a factory -n 1
    refused 6 "p11ca: token 'factory': C_OpenSession: CKR_DEVICE_REMOVED*" p11ca -C home install factory home/factory.crt
}

@test "CKR_DEVICE_REMOVED anywhere else: an error, not a hang" {
    use_fault_module
    local function
    for function in C_Initialize C_GetSlotList C_Login C_FindObjectsInit C_FindObjects C_GetAttributeValue C_SignInit C_Sign; do
        rm -f calls out.crt
        P11CA_FAULT="$function:1+=CKR_DEVICE_REMOVED" run --separate-stderr "${issue[@]}"
        [[ $(calls "$function") -ge 1 ]] || fail "want $function called"
        [[ $status == 6 && $output == '' && ! -e out.crt ]] || fail "want exit status 6 and nothing else for $function"
        [[ $stderr == "p11ca: "*CKR_DEVICE_REMOVED* && ${#stderr_lines[@]} == 1 ]] || fail "want it named for $function"
    done
}

@test "a garbage signature is caught: nothing published, the serial reserved and explained" {
    use_fault_module
    P11CA_FAULT='C_Sign:*=garbage' run --separate-stderr "${issue[@]}"
    [[ $status == 6 && $output == '' && ${#stderr_lines[@]} == 1 ]] || fail 'want exit status 6'
    [[ $stderr == "p11ca: token 'factory': key '$(key_label factory)': "*signature* ]] || fail 'want the signature named'
    reserved_and_explained "$stderr"
    finishes
}

@test "a garbage signature is caught in requests and by the doctor" {
    use_fault_module
    export P11CA_FAULT='C_Sign:*=garbage'
    run --separate-stderr "${check[@]}"
    [[ $status == 6 && $stderr == *"self-test signature: does not verify"* ]] || fail 'want the doctor to see it'
    run --separate-stderr p11ca -C home request factory -o out.csr
    [[ $status != 0 && ! -e out.csr && $output == '' ]] || fail 'want no request'
    # A token that lies is not a bug in p11ca.
    equal "$status" 6
}

@test "a garbage signature never becomes a root certificate" {
    use_fault_module
    add_authority other 'profile = "root-ca";'
    script '{ do = "generate-key"; authority = "other"; algorithm = "P-256"; }'
    succeeds run_it
    script '{ do = "self-sign"; authority = "other"; }'
    P11CA_FAULT='C_Sign:*=garbage' run --separate-stderr run_it
    [[ $status == 6 && ! -e home/other.crt ]] || fail 'want nothing published'
    equal "$(sql "SELECT count(*) FROM authority WHERE name = 'other' AND cert IS NOT NULL")" 0
}

@test "CKR_FUNCTION_FAILED from C_Sign" {
    use_fault_module
    P11CA_FAULT='C_Sign:*=CKR_FUNCTION_FAILED' run --separate-stderr "${issue[@]}"
    [[ $status == 6 && $output == '' && ${#stderr_lines[@]} == 1 ]] || fail 'want exit status 6'
    [[ $stderr == "p11ca: "*CKR_FUNCTION_FAILED* ]] || fail 'want it named'
    reserved_and_explained "$stderr"
    finishes
}

@test "CKR_USER_NOT_LOGGED_IN from C_SignInit: an error, and no second login" {
    use_fault_module
    P11CA_FAULT='C_SignInit:*=CKR_USER_NOT_LOGGED_IN' run --separate-stderr "${issue[@]}"
    [[ ($status == 5 || $status == 6) && $output == '' && ${#stderr_lines[@]} == 1 ]] || fail 'want exit status 5 or 6'
    [[ $stderr == "p11ca: "*CKR_USER_NOT_LOGGED_IN* ]] || fail 'want it named'
    equal "$(calls C_Login)" 1
    reserved_and_explained "$stderr"
    finishes
}

@test "a token with one session, or two: enough, or an error - never a hang" {
    use_fault_module
    local n
    for n in 2 3; do
        rm -f calls out.crt
        P11CA_FAULT="C_OpenSession:$n+=CKR_SESSION_COUNT" run --separate-stderr "${issue[@]}"
        [[ $(calls C_OpenSession) -ge $n ]] || continue
        if [[ $status != 0 ]]; then
            [[ $status == 6 && $output == '' && ! -e out.crt ]] || fail 'want exit status 6'
            [[ $stderr == "p11ca: "*CKR_SESSION_COUNT* && ${#stderr_lines[@]} == 1 ]] || fail 'want it named'
        fi
    done
    [[ $(calls C_OpenSession) -ge 2 ]]
}

@test "a wrong PIN is tried once, and appears nowhere" {
    use_fault_module
    printf 'wrong-pin-4711\n' >home/pins/factory
    refused 5 "p11ca: token 'factory': login: CKR_PIN_INCORRECT; tries left: not told, more than 1 (CKF_USER_PIN_COUNT_LOW)" \
        "${issue[@]}"
    equal "$(calls C_Login)" 1
    rm calls
    run --separate-stderr "${check[@]}"
    equal "$status" 5
    equal "$(calls C_Login)" 1
    refute grep -qF wrong-pin-4711 <<<"$output$stderr"
    refute grep -rqF wrong-pin-4711 home/ledger.db home/softhsm
}

@test "a locked PIN, no PIN, the last try: said before a PIN is given away" {
    use_fault_module
    P11CA_FAULT='C_Login:1=CKR_PIN_LOCKED' run --separate-stderr "${issue[@]}"
    equal "$status" 5
    [[ $stderr == "p11ca: token 'factory': login: CKR_PIN_LOCKED"* ]] || fail 'want it named'
    equal "$(calls C_Login)" 1
}

@test "PIN from the environment, from a descriptor; missing, empty, absent" {
    local pin
    pin=$(cat home/pins/factory)
    sed -i 's|pin = "file:pins/factory"|pin = "env:FACTORY_PIN"|' home/p11ca.conf
    refused 5 "p11ca: token 'factory': PIN: environment variable FACTORY_PIN is not set" "${issue[@]}"
    FACTORY_PIN='' refused 5 "p11ca: token 'factory': PIN: want at least one character, have none" "${issue[@]}"
    FACTORY_PIN=$pin succeeds "${issue[@]}"
    rm out.crt
    sed -i 's|pin = "env:FACTORY_PIN"|pin = "fd:9"|' home/p11ca.conf
    ec_request dev /CN=leaf-2
    succeeds "${issue[@]}" 9<<<"$pin"
    rm out.crt
    ec_request dev /CN=leaf-3
    sed -i 's|pin = "fd:9"|pin = "prompt"|' home/p11ca.conf
    # setsid: without a terminal nobody can be asked.
    refused 5 "p11ca: token 'factory': user PIN of token 'factory': no terminal to ask on; *" setsid --wait "${issue[@]}"
    sed -i 's|pin = "prompt"; so-pin = "file:pins/factory-so"|pin = "file:pins/none"; so-pin = "file:pins/factory-so"|' home/p11ca.conf
    refused 8 "p11ca: token 'factory': PIN file: home/pins/none: No such file or directory" "${issue[@]}"
}

@test "no core file, no PIN in the arguments" {
    use_fault_module
    P11CA_FAULT='C_Sign:1=sleep:3000' "${issue[@]}" >/dev/null 2>&1 &
    local job=$! pid tries
    for ((tries = 0; tries < 200; tries++)); do
        [[ ! -e calls ]] || ! grep -q '^C_Login' calls || break
        sleep 0.02
    done
    pid=$(pgrep -P "$job" -x p11ca)
    equal "$(sed -nE 's/^Max core file size +([0-9]+) .*/\1/p' "/proc/$pid/limits")" 0
    refute grep -qF "$(cat home/pins/factory)" "/proc/$pid/cmdline"
    wait "$job"
}

@test "a module that is not there" {
    use_fault_module /nowhere/libnone.so
    refused 6 "p11ca: token 'factory': *no module file found (looked for /nowhere/libnone.so)" "${issue[@]}"
}

@test "a module that is no PKCS#11 module, no library, cannot load" {
    local crypto
    crypto=$(ldconfig -p | sed -nE 's/^\s*libcrypto\.so\.3 .* => (.*)/\1/p' | head -1)
    use_fault_module "$crypto"
    refused 6 "p11ca: token 'factory': $crypto: not a PKCS#11 module: no C_GetFunctionList" "${issue[@]}"
    use_fault_module "$PWD/dev.csr"
    refused 6 "p11ca: token 'factory': *dev.csr: *" "${issue[@]}"
}

@test "a kind nobody knows, a kind with a mistake: exit 3, the file named" {
    sed -i 's/kind = "softhsm2"/kind = "frob"/' home/p11ca.conf
    refused 3 "p11ca: token 'factory': kind 'frob': no file home/tokens/frob.conf, *" "${issue[@]}"
    mkdir home/tokens
    printf 'description = "d";\nmodule = [ "/x.so" ];\nfrob = 1;\n' >home/tokens/frob.conf
    refused 3 "p11ca: token 'factory': home/tokens/frob.conf:3: *frob*" "${issue[@]}"
    printf 'description = "d";\nmodule = [ "x.so" ];\n' >home/tokens/frob.conf
    refused 3 "p11ca: token 'factory': home/tokens/frob.conf: module 'x.so': want an absolute path" "${issue[@]}"
}
