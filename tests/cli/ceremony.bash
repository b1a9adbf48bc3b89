# shellcheck shell=bash
# For the tests of ceremonies, after common.bash: scripts, people, folders, a room with a terminal.

# In setup_file: a home whose ceremonies are still to come (blank) and one with both done (home).
prepare_homes() {
    prepare_home
    mkdir "$BATS_FILE_TMPDIR/blank"
    cp -a "$BATS_FILE_TMPDIR/home/p11ca.conf" "$BATS_FILE_TMPDIR/home/pins" "$BATS_FILE_TMPDIR/blank/"
}

# In setup: a folder of the test's own with a blank home.
use_blank_home() {
    mkdir "$BATS_TEST_TMPDIR/work"
    cd "$BATS_TEST_TMPDIR/work"
    cp -a "$BATS_FILE_TMPDIR/blank" home
}

# In place of it: the home whose authorities can sign.
use_done_home() {
    rm -rf home
    copy_home home
    rm -r home/ceremonies
}

# script STEPS [MORE]: script.conf, steps from line 3 on.
script() {
    printf 'title = "A test";\n%ssteps = (\n%s\n);\n' "${2:+$2 }" "$1" >script.conf
}

# The same with four roles.
roles='roles = { CA = "Ceremony administrator"; CO1 = "Crypto officer"; CO2 = "Crypto officer"; IW = "Internal witness"; };'
room_script() {
    script "$1" "$roles ${2:-}"
}

# people.conf: names for all of them.
people() {
    printf '%s = "%s";\n' CA 'Ann Lee' CO1 'Bob Ray' CO2 'Cy Fox' IW 'Di Poe' >people.conf
}

# A second CA below the root, with a key of its own in the root's token: what signs does not need the factory's token.
add_authority() {
    sed -i -E '/^ *factory = \{ token = /i '"$1"' = { token = "root"; key = "'"$1"'"; subject = "CN='"$1"',O=Acme"; '"$2"' };' \
        home/p11ca.conf
}

run_it() {
    p11ca -q -C home ceremony run --yes script.conf "$@"
}

resume_it() {
    p11ca -q -C home ceremony resume --yes script.conf "$@"
}

# The folder of the only ceremony.
folder() {
    local all=(home/ceremonies/*)
    [[ ${#all[@]} == 1 && -d ${all[0]} ]] || fail "want one folder, have ${all[*]}"
    echo "${all[0]}"
}

# transcript FILTER [JQ-OPTION...]: what jq says of each line.
transcript() {
    jq -r "${@:2}" "$1" "$(folder)/transcript.jsonl"
}

types() {
    transcript .type | tr '\n' ' '
}

# The chain by sha256sum and jq alone, the sums, and whole lines.
chained() {
    local dir before='' line want=''
    dir=${1:-$(folder)}
    while IFS= read -r line; do
        want+="$before"$'\n'
        before=$(sha256sum <<<"$line")
        before=${before%% *}
    done <"$dir/transcript.jsonl"
    equal "$(jq -r .before "$dir/transcript.jsonl")" "${want%$'\n'}"
    equal "$(jq -r .line "$dir/transcript.jsonl")" "$(seq "$(wc -l <"$dir/transcript.jsonl")")"
    [[ -s $dir/transcript.jsonl && -z $(tail -c1 "$dir/transcript.jsonl") ]] || fail 'want whole lines'
    [[ ! -e $dir/SHA256SUMS ]] || (cd "$dir" && sha256sum --quiet -c SHA256SUMS) || fail 'want every sum right'
}

# The ledger's events of ceremonies, as "kind-of-event has-digest".
ceremony_events() {
    sql "SELECT CASE WHEN detail LIKE 'rehearsal %' THEN 'rehearsal' ELSE substr(detail, 1, instr(detail, ' ') - 1) END ||
        CASE WHEN digest IS NULL THEN '' ELSE '+' END FROM event WHERE kind = 'ceremony' ORDER BY seq" | tr '\n' ' '
}

# The end state of a complete ceremony: chained, summed up, and the ledger has its final hash.
complete() {
    local dir
    dir=${1:-$(folder)}
    chained "$dir"
    equal "$(tail -1 "$dir/transcript.jsonl" | jq -r '"\(.type) \(.outcome)"')" "end ${2:-complete}"
    equal "$(cut -c67- "$dir/SHA256SUMS" | sort)" "$({
        printf '%s\n' transcript.jsonl transcript.html
        jq -r 'select(.type == "end").files[].file' "$dir/transcript.jsonl"
    } | sort)"
    equal "$(cut -c67- "$dir/SHA256SUMS" | sort)" "$(cd "$dir" && find . -type f ! -name SHA256SUMS ! -path './countersignatures/*' |
        cut -c3- | sort)"
    equal "$(sql "SELECT lower(hex(digest)) FROM event WHERE kind = 'ceremony' AND digest IS NOT NULL ORDER BY seq DESC LIMIT 1")" \
        "$(sha256sum "$dir/transcript.jsonl" | cut -d' ' -f1)"
}

# on_terminal EXPECT-SCRIPT COMMAND...: the command on a pseudo-terminal of its own; exits as it does. What it runs is
# p11ca itself, without timeout, which would not let it have the terminal.
on_terminal() {
    local dialogue=$1
    shift
    TERM=dumb timeout --kill-after=5 60 expect -c "
        set timeout 10
        proc answer {question text} { expect -ex \$question; send -- \"\$text\r\" }
        proc yes {question} { answer \"\$question \\[yes/no\\] \" yes }
        proc no {question} { answer \"\$question \\[yes/no\\] \" no }
        spawn -noecho $*
        expect_after timeout { puts TIMEOUT; exit 99 } eof { puts EARLY-EOF; exit 98 }
        $dialogue
        expect_after
        expect eof
        catch wait result
        exit [lindex \$result 3]" </dev/null
}

# in_room DIALOGUE [OPTION...]: script.conf is run on a terminal; in_room_again: resumed.
in_room() {
    run on_terminal "$1" "$BUILD/bin/p11ca" -C home ceremony run script.conf "${@:2}"
    output=${output//$'\r'/}
}

in_room_again() {
    run on_terminal "$1" "$BUILD/bin/p11ca" -C home ceremony resume script.conf "${@:2}"
    output=${output//$'\r'/}
}
