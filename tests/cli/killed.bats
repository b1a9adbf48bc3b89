#!/usr/bin/env bats
# Every ready ceremony, killed at any moment and resumed, ends as one that nobody disturbed.

load common
load ready

setup_file() {
    make_homes
}

setup() {
    mkdir "$BATS_TEST_TMPDIR/work"
    cd "$BATS_TEST_TMPDIR/work"
}

# A fresh home for the script $1 in ./home, with the fault module between p11ca and SoftHSM.
begin_home() {
    rm -rf home calls kills
    cp -a "$BATS_FILE_TMPDIR/$(home_for "$1")" home
    [[ ! -e home/softhsm ]] ||
        sed -i "s|^directories.tokendir = .*|directories.tokendir = $PWD/home/softhsm/tokens|" home/softhsm/softhsm2.conf
    use_fault_module
}

run_script() {
    p11ca -q -C home ceremony run --yes "$scripts/$1.conf"
}

# Killed, resumed, and then as it should be.
resumes_to() {
    local want=$1 script=$2
    [[ $status == 137 ]] || fail 'want it killed'
    # Killed before the first line of the transcript, nothing has begun.
    if compgen -G 'home/ceremonies/*/transcript.jsonl' >/dev/null && [[ -n $(unfinished) ]]; then
        run --separate-stderr p11ca -q -C home ceremony resume --yes "$scripts/$script.conf"
    else
        run --separate-stderr run_script "$script"
    fi
    [[ $status == 0 ]] || fail 'want it to end well'
    diff <(echo "$want") <(state_of home) || fail 'want the state of an undisturbed run'
}

unfinished() {
    local dir
    for dir in home/ceremonies/*/; do
        [[ -e $dir/SHA256SUMS ]] || ! grep -qs . "$dir/transcript.jsonl" || echo "$dir"
    done
}

# Calls that change a token, and those around them in which a process is likely to die.
changing='C_InitToken|C_InitPIN|C_SetPIN|C_Login|C_GenerateKeyPair|C_GenerateKey|C_WrapKey|C_CopyObject|C_CreateObject|C_DestroyObject|C_SetAttributeValue|C_Sign'

killed_in_token() {
    local script=$1 want function n how
    begin_home "$script"
    run_script "$script"
    want=$(state_of home)
    cp calls all-calls
    while read -r function n; do
        for how in kill kill-after; do
            during="$script: $function:$n=$how"
            begin_home "$script"
            P11CA_FAULT="$function:$n=$how" run --separate-stderr run_script "$script"
            resumes_to "$want" "$script"
        done
    done < <(awk -v re="^($changing)\$" '$1 ~ re { print $1, ++seen[$1] }' all-calls)
}

# Before each line of the transcript is written: after every step, between what a step did and its record, and at the end.
killed_between_lines() {
    local script=$1 want n
    begin_home "$script"
    rm -rf home/tokens
    sed -i 's/kind = "fault"/kind = "softhsm2"/' home/p11ca.conf
    cp -a home begin
    LD_PRELOAD=$killat P11CA_KILL_LOG=$PWD/kills run_script "$script"
    want=$(state_of home)
    while read -r n; do
        during="$script: killed before write $n"
        rm -rf home
        cp -a begin home
        run --separate-stderr env LD_PRELOAD="$killat" P11CA_KILL_AT="$n" "$BUILD/bin/p11ca" -q -C home ceremony run --yes \
            "$scripts/$script.conf"
        resumes_to "$want" "$script"
    done < <(awk '$2 == "write" && $3 ~ /(transcript.jsonl|transcript.html.*|SHA256SUMS.*)$/ { print $1 }' kills)
}

@test "killed inside each token call that changes something: root.conf" {
    killed_in_token root
}

@test "killed inside each token call that changes something: intermediate.conf" {
    killed_in_token intermediate
}

@test "killed inside each token call that changes something: intermediate-from-request.conf" {
    killed_in_token intermediate-from-request
}

@test "killed inside each token call that changes something: crl-refresh.conf" {
    killed_in_token crl-refresh
}

@test "killed inside each token call that changes something: root-rollover.conf" {
    killed_in_token root-rollover
}

@test "killed inside each token call that changes something: intermediate-replacement.conf" {
    killed_in_token intermediate-replacement
}

@test "killed inside each token call that changes something: destroy-key.conf" {
    killed_in_token destroy-key
}

@test "killed inside each token call that changes something: lot-ticket.conf" {
    killed_in_token lot-ticket
}

@test "killed inside each token call that changes something: recovery-drill.conf" {
    killed_in_token recovery-drill
}

@test "killed before each line of the transcript: root.conf" {
    killed_between_lines root
}

@test "killed before each line of the transcript: intermediate.conf" {
    killed_between_lines intermediate
}

@test "killed before each line of the transcript: intermediate-from-request.conf" {
    killed_between_lines intermediate-from-request
}

@test "killed before each line of the transcript: crl-refresh.conf" {
    killed_between_lines crl-refresh
}

@test "killed before each line of the transcript: crl-year.conf" {
    killed_between_lines crl-year
}

@test "killed before each line of the transcript: root-rollover.conf" {
    killed_between_lines root-rollover
}

@test "killed before each line of the transcript: intermediate-replacement.conf" {
    killed_between_lines intermediate-replacement
}

@test "killed before each line of the transcript: destroy-key.conf" {
    killed_between_lines destroy-key
}

@test "killed before each line of the transcript: lot-ticket.conf" {
    killed_between_lines lot-ticket
}

@test "killed before each line of the transcript: recovery-drill.conf" {
    killed_between_lines recovery-drill
}
