#!/usr/bin/env bats
# The folder of a ceremony, two years later: whatever was changed in it is found and named, and other people's tools agree.

load common

# ceremonies HOME: a home with the ceremonies of this file, which have their line numbers from it.
ceremonies() {
    mkdir "$1"
    cp -a tokens/p11ca.conf tokens/pins "$1"
    p11ca -q -C "$1" ceremony run --yes root.conf
    p11ca -q -C "$1" ceremony run --yes intermediate.conf
}

setup_file() {
    cd "$BATS_FILE_TMPDIR"
    p11ca -q init tokens --name Acme --softhsm >/dev/null
    cat >root.conf <<'END'
title = "Root key ceremony";
purpose = "Generate the root key.";
steps = (
  { do = "say"; text = "From here on nobody enters or leaves the room."; },
  { do = "init-token"; token = "root"; },
  { do = "generate-key"; authority = "root"; algorithm = "P-256"; },
  { do = "self-sign"; authority = "root"; },
  { do = "export"; authority = "root"; file = "trust-anchor.pem"; }
);
END
    cat >intermediate.conf <<'END'
title = "Intermediate CA ceremony";
steps = (
  { do = "say"; text = "The root token and the blank factory token are at this machine."; },
  { do = "init-token"; token = "factory"; },
  { do = "generate-key"; authority = "factory"; algorithm = "P-256"; },
  { do = "request"; authority = "factory"; file = "factory.csr"; },
  { do = "sign-request"; authority = "root"; for = "factory"; request = "factory.csr"; certificate = "factory-signed.crt"; },
  { do = "install"; authority = "factory"; certificate = "factory-signed.crt"; },
  { do = "export"; authority = "factory"; file = "factory-chain.pem"; chain = true; },
  { do = "say"; text = "Remove the root token."; }
);
END
    # Two homes of one configuration: the second one's ceremonies stand for the rehearsal's.
    ceremonies home
    ceremonies other
}

setup() {
    use_home
    day=$(basename home/ceremonies/*-root | cut -c1-10)
    root=home/ceremonies/$day-root
    inter=home/ceremonies/$day-intermediate
}

# --- changing a folder ---

sum() {
    sha256sum "$@" | cut -c1-64
}

# The hashes of SHA256SUMS made anew: what anybody can do.
resum() {
    local name
    while IFS= read -r name; do
        echo "$(sum "$1/$name")  $name"
    done < <(cut -c67- "$1/SHA256SUMS") >sums
    mv sums "$1/SHA256SUMS"
}

# Every 'before' and SHA256SUMS made anew: what somebody can do who has read the format.
rechain() {
    local before='' line rest
    while IFS= read -r line; do
        rest=${line#*\"before\":\"}
        line=${line%%\"before\":*}\"before\":\"$before\"${rest#*\"}
        printf '%s\n' "$line"
        before=$(printf '%s\n' "$line" | sum)
    done <"$1/transcript.jsonl" >chain
    mv chain "$1/transcript.jsonl"
    resum "$1"
}

# edit DIR FILTER: the lines through jq, and the chain made anew. A forger cannot have the report written anew by this
# very program without its version in the first line, so another one stands there: the report is not compared.
edit() {
    jq -c "(if .environment then .environment.version = \"0\" else . end) | $2" "$1/transcript.jsonl" >edited
    [[ -s edited ]]
    mv edited "$1/transcript.jsonl"
    rechain "$1"
}

# good DIR: exit status 0, no fault.
good() {
    succeeds p11ca -q ceremony verify "$1"
    refute grep -q '^bad' <<<"$output"
}

# found DIR PATTERN: exit status 1, one line on stderr that fits the pattern whole; nothing written.
found() {
    local before
    before=$(find "$1" -exec ls -ld --time-style=full-iso {} + | sum)
    run --separate-stderr p11ca ceremony verify "$1"
    equal "$status" 1
    # The pattern is one on purpose.
    # shellcheck disable=SC2053
    [[ $stderr == "p11ca: $1/"$2 ]] || fail "want '$1/$2' on stderr"
    equal "${#stderr_lines[@]}" 1
    grep -q '^bad: ' <<<"$output" || fail 'want the fault among the findings'
    equal "$(find "$1" -exec ls -ld --time-style=full-iso {} + | sum)" "$before"
}

# fresh: a copy of the root ceremony to spoil.
fresh() {
    rm -rf copy
    cp -a "${1:-$root}" copy
}

# --- good ones ---

@test "verify: both ceremonies of a home, offline, with the final hash that sha256sum gives" {
    local dir
    for dir in "$root" "$inter"; do
        good "$dir"
        equal "$(grep -oE '^  [0-9a-f]{8}  ' <<<"$output" | tr -d ' \n')" "$(sum "$dir/transcript.jsonl")"
    done
    [[ $output == *"good: previous: $(sum "$root/transcript.jsonl"): '$day-root', beside this folder"* ]] || fail 'want the one before'
    [[ $output == *"good: artefacts/05-factory-signed.crt: certificate of 'CN=Acme Factory CA 20"*": verifies under 'CN=Acme Root CA "* ]] || fail 'want the issuer'
    succeeds p11ca --json ceremony verify "$inter/"
    equal "$(jq -r '.good, .sha256, (.words | split(" ") | length), ([.findings[] | select(.good | not)] | length)' <<<"$output" | tr '\n' ' ')" \
        "true $(sum "$inter/transcript.jsonl") 32 0 "
    # Elsewhere, without a home; the one before is not there.
    mkdir away
    cp -a "$inter" away/x
    good away/x
    [[ $output == *'not beside this folder'* ]] || fail 'want it said'
}

@test "verify: read-only, without HOME, without a token" {
    chmod -R a-w "$root"
    cp -a "$root" copy
    rm -rf home
    HOME=/nonexistent SOFTHSM2_CONF=/nonexistent good copy
    chmod -R u+w copy
}

@test "verify: no folder, no ceremony" {
    answers 8 'p11ca: none: No such file or directory' p11ca ceremony verify none
    mkdir empty
    found empty 'transcript.jsonl: is missing'
    answers 2 'p11ca: usage: *' p11ca ceremony verify
}

@test "verify: a ceremony that failed, was resumed, was abandoned" {
    local dir
    cat >script.conf <<'END'
title = "A request";
steps = (
  { do = "say"; text = "x"; },
  { do = "request"; authority = "factory"; file = "again.csr"; },
  { do = "export"; authority = "factory"; file = "again.pem"; }
);
END
    mv home/pins/factory pin
    answers 8 "p11ca: step 2, request: *" p11ca -q -C home ceremony run --yes script.conf
    dir=$(echo home/ceremonies/*-script)
    found "$dir" 'transcript.jsonl: unfinished: has no end; 1 steps are done (p11ca ceremony resume)'
    cp -a home other
    succeeds p11ca -q -C other ceremony resume --yes --abandon other/ceremonies/*-script/script.conf
    good other/ceremonies/*-script
    [[ $output == *'good: transcript.jsonl: abandoned, 1 of 3 steps, in order'* ]] || fail 'want it said'
    mv pin home/pins/factory
    succeeds p11ca -q -C home ceremony resume --yes script.conf
    good "$dir"
    [[ $output == *'good: transcript.jsonl: complete, 3 of 3 steps, in order'* ]] || fail 'want it said'
    equal "$(jq -r .type "$dir/transcript.jsonl" | grep -cE 'failed|resumed')" 2
    # Without the line that says why it was started twice.
    jq -c 'select(.type != "failed" and .type != "resumed")' "$dir/transcript.jsonl" | jq -c '.line = input_line_number' >x
    mv x "$dir/transcript.jsonl"
    edit "$dir" .
    found "$dir" 'transcript.jsonl:5: step 2 is started while step 2 is under way'
}

@test "verify: a CRL, by its issuer" {
    local hash
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=Elsewhere -keyout else.key -out else.crt 2>/dev/null
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout same.key -out same.crt -subj \
        "/$(openssl x509 -in home/root.crt -noout -subject -nameopt RFC2253 | sed 's/^subject=//' | awk -F, '{ print $2 "/" $1 }')" 2>/dev/null
    : >index
    printf '[ca]\ndefault_ca = d\n[d]\ndatabase = index\ndefault_md = sha256\n' >ca.conf
    with_crl() { # NAME
        openssl ca -config ca.conf -gencrl -crldays 9 -cert "$1.crt" -keyfile "$1.key" -out crl 2>/dev/null
        fresh
        cp crl copy/artefacts/05-trust-anchor.pem
        hash=$(sum crl)
        edit copy '(.files[]? | select((.artefact // .file) == "artefacts/05-trust-anchor.pem") | .sha256) = "'"$hash"'"'
    }
    with_crl else
    good copy
    [[ $output == *"good: artefacts/05-trust-anchor.pem: CRL: by 'CN=Elsewhere': the issuer is not in this folder"* ]] || fail 'want the issuer'
    with_crl same
    found copy "artefacts/05-trust-anchor.pem: CRL: its signature is not by the key of 'CN=Acme Root CA "*"' in artefacts/04-root.crt"
}

# --- one octet ---

@test "one bit in every line of a transcript: this line or the next one is named" {
    local n=1 line offset=0 last
    last=$(wc -l <"$root/transcript.jsonl")
    while IFS= read -r line; do
        # In the middle, and in what a string says: the first leaves JSON or not, the second does.
        for at in $((${#line} / 2)) $((${#line} - 12)); do
            during="line $n octet $at"
            fresh
            flip copy/transcript.jsonl $((offset + at))
            if ((n == last)); then
                found copy '@(transcript.jsonl:'"$n"'|SHA256SUMS:1): *'
            else
                found copy "transcript.jsonl:@($n|$((n + 1))): *"
            fi
        done
        offset=$((offset + ${#line} + 1))
        n=$((n + 1))
    done <"$root/transcript.jsonl"
    equal "$n" $((last + 1))
}

@test "one bit in any file of the folder: the file is named" {
    local file size at
    for file in script.conf plan.txt transcript.html SHA256SUMS artefacts/04-factory.csr artefacts/05-tbs.der \
        artefacts/05-factory-signed.crt artefacts/06-factory.crt artefacts/07-factory-chain.pem; do
        size=$(stat -c %s "$inter/$file")
        for at in 0 $((size / 3)) $((size / 2)) $((size - 1)); do
            during="$file at $at"
            fresh "$inter"
            flip "copy/$file" "$at"
            found copy "*$file*"
        done
    done
}

# --- lines ---

@test "a line is taken out: the place is named" {
    local n last
    last=$(wc -l <"$root/transcript.jsonl")
    for ((n = 1; n < last; n++)); do
        during="line $n"
        fresh
        sed -i "${n}d" copy/transcript.jsonl
        found copy "transcript.jsonl:$n: line: want number $n, have $((n + 1)): a line is missing, inserted or out of place"
    done
    fresh
    sed -i '$d' copy/transcript.jsonl
    found copy 'transcript.jsonl: unfinished: has no end; 5 steps are done (p11ca ceremony resume)'
}

@test "two lines change places, one is put in: the place is named" {
    local n last
    last=$(wc -l <"$root/transcript.jsonl")
    for ((n = 1; n < last; n++)); do
        during="lines $n and $((n + 1))"
        fresh
        sed -i "${n}{h;d};$((n + 1))G" copy/transcript.jsonl
        found copy "transcript.jsonl:$n: line: want number $n, have $((n + 1)): a line is missing, inserted or out of place"
    done
    fresh
    sed -i '5p' copy/transcript.jsonl
    found copy 'transcript.jsonl:6: line: want number 6, have 5: a line is missing, inserted or out of place'
    fresh
    sed -i '5{s/"line":5/"line":50/}' copy/transcript.jsonl
    found copy 'transcript.jsonl:5: line: want number 5, have 50: it was changed'
    fresh
    sed -i '5{s/"before":"[0-9a-f]/"before":"x/}' copy/transcript.jsonl
    found copy "transcript.jsonl:5: before: want $(sed -n 4p "$root/transcript.jsonl" | sum), the SHA-256 of the line before: line 4 or the 'before' of this one was changed"
}

@test "cut off: in the middle of the last line, of another one, at nothing" {
    fresh
    truncate -s -7 copy/transcript.jsonl
    found copy "transcript.jsonl:$(wc -l <"$root/transcript.jsonl"): the last line was cut off: it has no newline"
    fresh
    truncate -s 100 copy/transcript.jsonl
    found copy 'transcript.jsonl:1: the last line was cut off: it has no newline'
    fresh
    : >copy/transcript.jsonl
    found copy 'transcript.jsonl:1: want a transcript, have an empty file'
}

@test "what a line says is escaped" {
    fresh
    sed -i '3s/"type":"done"/"type":"\\u001b[31m"/' copy/transcript.jsonl
    rechain copy
    found copy "transcript.jsonl:3: type: no type '\\\\x1b[[]31m'"
    fresh
    sed -i $'3s/"type"/\e\a"type"/' copy/transcript.jsonl
    found copy 'transcript.jsonl:3: want a JSON object: *'
    refute grep -q $'[\e\a]' <<<"$stderr$output"
}

# --- files ---

@test "files: replaced, added, removed; links; SHA256SUMS adapted or not" {
    fresh
    cp "$inter/artefacts/06-factory.crt" copy/artefacts/04-root.crt
    found copy 'artefacts/04-root.crt: SHA-256: want * [(]transcript.jsonl:11), have *'
    resum copy
    found copy 'artefacts/04-root.crt: SHA-256: want * [(]transcript.jsonl:11), have *'

    fresh
    echo x >copy/artefacts/04-extra.crt
    found copy 'artefacts/04-extra.crt: nothing lists it: it is no part of the ceremony'
    fresh
    echo x >copy/.hidden
    found copy '.hidden: nothing lists it: *'
    echo "$(sum copy/.hidden)  .hidden" >>copy/SHA256SUMS
    found copy "SHA256SUMS:+([0-9]): '.hidden': is no file of this ceremony"

    local file
    for file in transcript.jsonl script.conf plan.txt artefacts/04-tbs.der artefacts/05-trust-anchor.pem transcript.html SHA256SUMS; do
        during=$file
        fresh
        rm "copy/$file"
        found copy "*$file: *"
        fresh
        mv "copy/$file" elsewhere
        ln -s ../elsewhere "copy/$file"
        found copy "*$file: *"
    done
    during=
    fresh
    sed -i 3d copy/SHA256SUMS
    found copy 'SHA256SUMS: does not list script.conf'
    fresh
    sed -i '3s/  /  ..\//' copy/SHA256SUMS
    found copy 'SHA256SUMS:3: want 64 hex digits, two spaces and a name in this folder'
    fresh
    sed -i 3p copy/SHA256SUMS
    found copy 'SHA256SUMS:4: script.conf: stands there twice'
}

@test "the report is what the transcript gives: a changed one is found also with adapted SHA256SUMS" {
    fresh
    echo '<!-- -->' >>copy/transcript.html
    found copy 'SHA256SUMS:2: transcript.html: SHA-256: *'
    resum copy
    found copy 'transcript.html: is not the report that the transcript gives'
}

@test "a private key in the folder is told" {
    edit "$root" '(select(.type == "end") | .note) = "-----BEGIN PRIVATE KEY-----"'
    found "$root" 'transcript.jsonl: holds a private key: treat it as disclosed'
}

# --- a chain made anew ---

# forged FILTER PATTERN [FOLDER]
forged() {
    during=$1
    fresh "${3:-$inter}"
    edit copy "$1"
    found copy "$2"
    during=
}

# Only the hash on the paper - or in the ledger, or as the next ceremony's "previous" - can tell a forgery in what nothing
# else in the folder bears out: names, times that move together, what people typed, host and operator, failed attempts
# left out, attributes that were read of a key, and a whole ceremony made anew with other keys.
@test "made anew after a change: found where something else bears it out" {
    local other
    other=$(printf x | sum)
    fresh "$inter"
    edit copy .
    good copy
    [[ $output == *'good: transcript.html: was written by another version than this one ('*'): only its hash is checked'* ]] || fail 'want it said'
    forged '(select(.type == "done" and .step == 5) | .result.serial) = "01"' 'transcript.jsonl:13: serial: no certificate of step 5 has 01'
    forged '(select(.type == "done" and .step == 5) | .result.certificate) = "AB"' 'transcript.jsonl:13: certificate: no file of step 5 is the one with SHA-256 AB'
    forged '(select(.type == "done" and .step == 3) | .result.key.sha256) = "ab"' 'transcript.jsonl:7: public key: no file of step 3 is the one with SHA-256 ab'
    forged '(select(.type == "done" and .step == 3) | .result.crl) = "AB"' 'transcript.jsonl:7: CRL: no file of step 3 is the one with SHA-256 AB'
    forged '(select(.step == 5 and .sha256) | .sha256) = "'"$other"'"' 'transcript.jsonl:@(11: sha256|13: no file)*'
    forged '(select(.type == "tbs") | .number) = "01"' 'transcript.jsonl:11: number: want that of line 13, *, have 01'
    forged '(select(.type == "approved") | .by.role) = "nobody"' "transcript.jsonl:12: by: the script has no role 'nobody'"
    forged 'if .type == "approved" then .type = "resumed" else . end' 'transcript.jsonl:13: *'
    forged '(select(.type == "end") | .outcome) = "fine"' "transcript.jsonl:20: outcome: want 'complete' or 'abandoned', have 'fine'"
    forged '(select(.type == "end") | .steps) = 7' 'transcript.jsonl:20: steps: says 7 are done, the lines before say 8'
    forged '(select(.type == "end") | .files) |= .[:-1]' "transcript.jsonl:20: files: does not list 'artefacts/07-factory-chain.pem', which line 17 speaks of"
    forged '(select(.type == "end") | .files[] | select(.file == "artefacts/05-tbs.der") | .sha256) = "'"$other"'"' "transcript.jsonl:20: files: 'artefacts/05-tbs.der': line 13 has another hash for it"
    forged '(select(.line == 9) | .files[0].artefact) = "artefacts/../SHA256SUMS"' "transcript.jsonl:9: files: 'artefacts/../SHA256SUMS': want artefacts/04-NAME"
    forged '(select(.line == 1) | .title) = "Tea"' "transcript.jsonl:1: title: want that of the script, 'Intermediate CA ceremony', have 'Tea'"
    forged '(select(.line == 1) | .script.sha256) = "'"$other"'"' 'script.conf: SHA-256: want *'
    forged '(select(.line == 1) | .plan) = "'"$other"'"' 'plan.txt: SHA-256: want *'
    forged '(select(.line == 9) | .time) = "2001-01-01T00:00:00Z"' 'transcript.jsonl:9: time: 2001-01-01T00:00:00Z: lies before that of a line before it, *'
    forged '(select(.line == 9) | .time) = "yesterday"' "transcript.jsonl:9: time: want one as 2026-11-21T09:30:00Z, have 'yesterday'"
    forged '(select(.line == 9) | .rehearsal) = true' 'transcript.jsonl:9: rehearsal: want it in every line or in none: line 1 has none'
    forged '(select(.line == 8) | .kind) = "say"' "transcript.jsonl:8: kind: want 'request', have 'say'"
    forged '(select(.line == 8) | .witness) = [{"role":"operator","title":"Operator"}]' 'transcript.jsonl:8: witness: want 0, have 1'
    forged '(select(.line == 8) | .step) = 5' 'transcript.jsonl:8: step 5 is started: want step 4, the first that is not done'
    forged 'if .line == 9 then .type = "failed" else . end' 'transcript.jsonl:10: step 5 is started: want step 4, the first that is not done'
    forged 'if .line == 8 then .type = "resumed" else . end' 'transcript.jsonl:9: done: step 4 was not started before'
}

@test "made anew after a change of words: found when the version is this one's" {
    jq -c '(select(.line == 8) | .text) = "Have some tea"' "$inter/transcript.jsonl" >x
    mv x "$inter/transcript.jsonl"
    rechain "$inter"
    found "$inter" "transcript.jsonl:8: text: want 'Write the request of authority 'factory', signed by its key, to factory.csr'"
    [[ $output == *'bad: transcript.html: is not the report that the transcript gives'* ]] || fail 'want the report, too'
}

@test "lines left out or put in, and made anew" {
    fresh "$inter"
    jq -c 'select(.type != "approved")' copy/transcript.jsonl | jq -c '.line = input_line_number' >x
    mv x copy/transcript.jsonl
    edit copy .
    found copy "transcript.jsonl:12: step 5 is done: role 'operator' has not approved the bytes of line 11"
    fresh "$inter"
    jq -c 'select(.type != "approved" and .type != "tbs")' copy/transcript.jsonl | jq -c '.line = input_line_number' >x
    mv x copy/transcript.jsonl
    edit copy .
    found copy 'transcript.jsonl:11: step 5 signs: no line shows the bytes'
    fresh "$inter"
    { cat copy/transcript.jsonl; tail -n 1 copy/transcript.jsonl; } | jq -c '.line = input_line_number' >x
    mv x copy/transcript.jsonl
    edit copy .
    found copy 'transcript.jsonl:20: end: want it in the last line only, have 21 lines'
    fresh "$inter"
    jq -c 'select((.step // 0) < 8) | if .type == "end" then .steps = 7 else . end' copy/transcript.jsonl | jq -c '.line = input_line_number' >x
    mv x copy/transcript.jsonl
    edit copy .
    found copy "transcript.jsonl:18: outcome: 'complete' with 7 of 8 steps done"
}

@test "another certificate, and all hashes made anew: its signature, the approved bytes" {
    local cert hex der
    # By another key under the same names, with the hashes of the lines adapted.
    openssl ecparam -name prime256v1 -genkey -noout -out key
    openssl req -x509 -new -key key -subj '/O=Acme/CN=Acme Root CA 2026' -days 10 -out other.crt 2>/dev/null
    cp other.crt "$root/artefacts/04-root.crt"
    cert=$(sum other.crt)
    hex=$(openssl x509 -in other.crt -outform DER | sum | tr a-f A-F)
    edit "$root" '(select(.line == 11) | .files[1].sha256) = "'"$cert"'" | (select(.line == 11) | .result.certificate) = "'"$hex"'"
        | (select(.type == "end") | .files[] | select(.file == "artefacts/04-root.crt") | .sha256) = "'"$cert"'"'
    found "$root" 'transcript.jsonl:11: serial: no certificate of step 4 has *'
    [[ $output == *'bad: transcript.jsonl:11: no file of step 4 is signed over the bytes approved in line 9'* ]] || fail 'want the bytes, too'

    # The signature alone.
    der=$inter/artefacts/05-factory-signed.crt
    openssl x509 -in "$der" -outform DER -out x.der
    flip x.der -1
    openssl x509 -inform DER -in x.der -out "$der"
    cert=$(sum "$der")
    hex=$(sum x.der | tr a-f A-F)
    edit "$inter" '(select(.line == 13) | .files[1].sha256) = "'"$cert"'" | (select(.line == 13) | .result.certificate) = "'"$hex"'"
        | (select(.type == "end") | .files[] | select(.file == "artefacts/05-factory-signed.crt") | .sha256) = "'"$cert"'"'
    found "$inter" "artefacts/05-factory-signed.crt: certificate of 'CN=Acme Factory CA "*"its signature is not by the key of 'CN=Acme Root CA "*"' in artefacts/07-factory-chain.pem"
}

# --- approvals ---

# approve ROLE: the key of the role signs plan.txt; the line goes in before step 4's signature.
approve() {
    local key sig
    openssl ecparam -name prime256v1 -genkey -noout -out "$1.key"
    openssl pkey -in "$1.key" -pubout -out "$root/artefacts/approval-$1.pem"
    key=$(openssl pkey -in "$1.key" -pubout -outform DER | sum)
    sig=$(openssl dgst -sha256 -sign "$1.key" "$root/plan.txt" | od -An -tx1 -v | tr -d ' \n')
    jq -nc '{line: 0, before: "", time: $time, type: "approval", role: $role, name: "Somebody", plan: $plan, key: $key, signature: $sig}' \
        --arg time "$(sed -n 8p "$root/transcript.jsonl" | jq -r .time)" --arg role "$1" --arg plan "$(sum "$root/plan.txt")" --arg key "$key" --arg sig "$sig" >approval
    sed -i '8r approval' "$root/transcript.jsonl"
}

# The root ceremony as it would be with a script that asks for two approvals of three.
with_approvals() {
    sed -i 's|^steps = (|roles = { operator = "Operator"; A = "a"; B = "b"; C = "c"; };\napprovals = { need = 2; of = [ "A", "B", "C" ]; };\nsteps = (|; s|do = "self-sign";|& approved = true;|' "$root/script.conf"
    for role in "$@"; do
        approve "$role"
    done
    # The done line of the step has the keys, too, as it is when the program collects approvals.
    for role in "$@"; do
        jq -nc '{file: $file, artefact: $file, sha256: $sha256}' --arg file "artefacts/approval-$role.pem" --arg sha256 "$(sum "$root/artefacts/approval-$role.pem")"
    done >keys
    cut -d'"' -f4 keys | sed 's/^/                                                                  /' >>"$root/SHA256SUMS"
    jq -c --slurpfile keys keys '.line = input_line_number
        | if .type == "done" and .step == 4 then .files = $keys + .files else . end
        | if .type == "end" then .files += [$keys[] | {file, sha256}] else . end
        | if .type == "begin" then .script.sha256 = $script | .roles += [{role: "A", title: "a"}, {role: "B", title: "b"}, {role: "C", title: "c"}] else . end
        | if .type == "end" then .files[0].sha256 = $script else . end' --arg script "$(sum "$root/script.conf")" "$root/transcript.jsonl" >x
    mv x "$root/transcript.jsonl"
    edit "$root" .
}

@test "approvals: enough of them, by keys that are in the folder, over plan.txt" {
    with_approvals A B
    good "$root"
    [[ $output == *"role 'A' (Somebody) has signed plan.txt with key $(openssl pkey -in A.key -pubout -outform DER | sum)"* ]] || fail 'want it told'
    fresh
    edit copy '(select(.role == "A") | .signature) |= sub("^30"; "31")'
    found copy "transcript.jsonl:10: approval of role 'A': signature: want one by this key with ecdsa-with-SHA256, have another"
    fresh
    edit copy '(select(.role == "A") | .key) = "00"'
    found copy "transcript.jsonl:10: approval of role 'A': artefacts/approval-A.pem: want the key with SHA-256 00"
    fresh
    edit copy '(select(.role == "A") | .role) = "B"'
    found copy "*"
    fresh
    edit copy '(select(.role == "A") | .plan) = "00"'
    found copy 'transcript.jsonl:10: approval: plan: want that of line 1'
    fresh
    cp copy/artefacts/approval-A.pem copy/artefacts/approval-C.pem
    found copy 'artefacts/approval-C.pem: nothing lists it: *'
}

@test "approvals: one of two is not enough; an operator may not approve" {
    with_approvals A
    found "$root" 'transcript.jsonl:12: step 4 is done with 1 approvals of the plan: want 2'
}

@test "approvals: by a role that the script does not ask" {
    with_approvals A operator
    found "$root" "transcript.jsonl:9: approval: the script does not ask role 'operator' for one"
}

# --- countersignatures ---

@test "countersign: with a token's key, verified by openssl; what is not this transcript is refused" {
    local cms=copy/countersignatures/Ann-Lee.p7s
    fresh
    succeeds p11ca -C home ceremony countersign copy --token factory --key "$(key_label factory)" --certificate home/factory.crt --name Ann-Lee
    good copy
    [[ $output == *"good: countersignatures/Ann-Lee.p7s: this transcript, signed by 'CN=Acme Factory CA "*'whether to trust that certificate is yours to judge'* ]] || fail 'want the signer'
    succeeds openssl cms -verify -binary -inform DER -noverify -content copy/transcript.jsonl -in "$cms" -out /dev/null
    succeeds openssl cms -verify -binary -inform DER -CAfile home/root.crt -purpose any -content copy/transcript.jsonl -in "$cms" -out /dev/null
    # In PEM as well.
    openssl cms -cmsout -inform DER -in "$cms" -outform PEM -out copy/countersignatures/pem.p7s
    good copy
    rm copy/countersignatures/pem.p7s

    # Nothing is overwritten.
    refused 8 "p11ca: $cms: exists, nothing is overwritten" \
        p11ca -C home ceremony countersign copy --token factory --key "$(key_label factory)" --certificate home/factory.crt --name Ann-Lee
    # Of another transcript, changed, nobody's, with content, with SHA-1, with something behind it.
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=c -keyout c.key -out c.crt 2>/dev/null
    openssl cms -sign -binary -md sha1 -in copy/transcript.jsonl -signer c.crt -inkey c.key -outform DER -out sha1
    openssl cms -sign -binary -nodetach -in copy/transcript.jsonl -signer c.crt -inkey c.key -outform DER -out inside
    openssl crl2pkcs7 -nocrl -certfile c.crt -outform DER -out nobody
    openssl cms -sign -binary -in copy/plan.txt -signer c.crt -inkey c.key -outform DER -out another
    cp "$cms" sig
    cp sig changed
    flip changed $(($(stat -c %s sig) - 1))
    { cat sig; echo; } >longer
    for bad in sha1:'want a digest of SHA-256, SHA-384 or SHA-512' inside:'want it detached, have content in it' nobody:'nobody has signed' \
        another:'want one over this very transcript, by the key of a certificate in it, have another' \
        changed:'want one over this very transcript, by the key of a certificate in it, have another' longer:'want CMS SignedData in DER or PEM, have something else'; do
        during=$bad
        cp "${bad%%:*}" "$cms"
        found copy "countersignatures/Ann-Lee.p7s: countersignature: ${bad#*:}"
    done
    during=
    rm "$cms"
    echo x >copy/countersignatures/x.txt
    found copy 'countersignatures/x.txt: want only NAME.p7s in this folder'
}

@test "countersign: refused before the token is touched, and after" {
    use_fault_module
    local args=(--token factory --key "$(key_label factory)" --certificate home/factory.crt)
    refused 2 "p11ca: name '../x': want 1 to 32 letters, digits and '-'" p11ca -C home ceremony countersign "$root" "${args[@]}" --name ../x
    refused 2 "p11ca: name '': want *" p11ca -C home ceremony countersign "$root" "${args[@]}" --name ''
    refused 8 'p11ca: none: No such file or directory' p11ca -C home ceremony countersign "$root" --token factory --key x --certificate none --name x
    fresh
    flip copy/plan.txt 3
    refused 1 'p11ca: copy/plan.txt: SHA-256: *' p11ca -C home ceremony countersign copy "${args[@]}" --name x
    refused 2 "p11ca: no token 'frob' in home/p11ca.conf" p11ca -C home ceremony countersign "$root" --token frob --key x --certificate home/factory.crt --name x
    equal "$(calls C_Login)" 0
    refused 4 "p11ca: certificate: public key: want that of key '$(key_label factory)' in token 'factory', have another" \
        p11ca -C home ceremony countersign "$root" --token factory --key "$(key_label factory)" --certificate home/root.crt --name x
    equal "$(calls C_Sign)" 0
    # A key that may leave its token is no witness.
    on_token factory --keypairgen --key-type EC:prime256v1 --label loose --extractable --id 77 >/dev/null 2>&1
    refused 6 "p11ca: *key 'loose'*: *" p11ca -C home ceremony countersign "$root" --token factory --key loose --certificate home/factory.crt --name x
    equal "$(calls C_Sign)" 0
    [[ ! -e $root/countersignatures ]] || fail 'want nothing made'
}

# --- comparing ---

# rehearsal KIND: the other home's ceremony, marked.
rehearsal() {
    rm -rf reh
    cp -a "$BATS_FILE_TMPDIR/other/ceremonies/"*"-$1" reh
    edit reh "(.rehearsal = true) | ${2:-.}"
}

# differs PATTERN: the comparison of reh with $inter.
differs() {
    run --separate-stderr p11ca ceremony compare reh "$inter"
    equal "$status" 1
    # The pattern is one on purpose.
    # shellcheck disable=SC2053
    [[ $stderr == "p11ca: $inter: "$1 ]] || fail "want '$1'"
    equal "${#stderr_lines[@]}" 1
}

@test "compare: a rehearsal and its ceremony differ in keys, serials, times" {
    rehearsal intermediate
    succeeds p11ca -q ceremony compare reh "$inter"
    refute grep -q '^bad' <<<"$output"
    [[ $output == *'good: step 5, done.result.serial: differs, as it must'* && $output == *'good: ceremonies: one script, one plan, 8 steps with equal results'* ]] || fail 'want it told'
    succeeds p11ca --json ceremony compare reh "$inter"
    equal "$(jq -r .good <<<"$output")" true
    rehearsal root
    succeeds p11ca -q ceremony compare reh "$root"
}

@test "compare: other differences are faults" {
    rehearsal intermediate '(select(.line == 9) | .result.attribute) = true'
    differs 'step 4, done.result.attribute: want true, as in the rehearsal, have nothing'
    rehearsal intermediate '(select(.line == 9) | .result.list) = [1, 2]'
    differs 'step 4, done.result.list: want [[]1,2[]], as in the rehearsal, have nothing'
    rehearsal intermediate '(select(.line == 9) | .result.attributes) = [{object: "private", name: "CKA_SIGN", value: "true"}]'
    edit "$inter" '(select(.line == 9) | .result.attributes) = [{object: "private", name: "CKA_SIGN", value: "false"}]'
    differs 'step 4, done.result.attributes.private.CKA_SIGN.value: want "true", as in the rehearsal, have "false"'
    rehearsal intermediate '(select(.line == 9) | .result.attributes) = [{object: "private", name: "CKA_ID", value: "01"}]'
    edit "$inter" '(select(.line == 9) | .result.attributes) = [{object: "private", name: "CKA_ID", value: "02"}]'
    succeeds p11ca ceremony compare reh "$inter"
    rehearsal intermediate '(select(.line == 9) | .result) = {token: {serial: "1", model: "a"}}'
    edit "$inter" '(select(.line == 9) | .result) = {token: {serial: "1", model: "b"}}'
    differs 'step 4, done.result.token.serial: want another than in the rehearsal, have the same'
    edit "$inter" '(select(.line == 9) | .result) = {}'
    rehearsal intermediate '(select(.line == 13) | .result.outcome) = "finished"'
    differs 'step 5, done.result.outcome: want "finished", as in the rehearsal, have "new"'
    rehearsal intermediate '(select(.type == "end") | .outcome) = "abandoned"'
    differs 'end.outcome: want "abandoned", as in the rehearsal, have "complete"'
    rehearsal root
    differs 'begin.title: *'
    # The same ceremony twice: what must differ does not.
    cp -a "$inter" reh2
    rm -rf reh
    mv reh2 reh
    edit reh '.rehearsal = true'
    differs '*: want another than in the rehearsal, have the same'
    [[ $output == *'bad: step 5, tbs.sha256: want another than in the rehearsal, have the same'* ]] || fail 'want the bytes'
}

# swap FILE NAME: another artefact in the rehearsal, its hash wherever it stands.
swap() {
    local hash
    cp "$1" "reh/artefacts/$2"
    hash=$(sum "$1")
    edit reh '(.files[]? | select((.artefact // .file) == "artefacts/'"$2"'") | .sha256) = "'"$hash"'"'
}

@test "compare: certificates, requests and other files, parsed" {
    local name days
    name=$(openssl x509 -in "$inter/artefacts/06-factory.crt" -noout -subject -nameopt RFC2253 | sed 's/^subject=//')
    name=/$(awk -F, '{ print $2 "/" $1 }' <<<"$name")
    days=3650
    cat >ext <<'END'
[good]
basicConstraints = critical, CA:TRUE, pathlen:0
keyUsage = critical, keyCertSign, cRLSign
extendedKeyUsage = serverAuth, clientAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[usage]
basicConstraints = critical, CA:TRUE, pathlen:0
keyUsage = critical, keyCertSign
extendedKeyUsage = serverAuth, clientAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[less]
basicConstraints = critical, CA:TRUE, pathlen:0
END
    openssl ecparam -name prime256v1 -genkey -noout -out p256.key
    openssl ecparam -name secp384r1 -genkey -noout -out p384.key
    # Under an issuer that is not in the folder: verified as far as that goes.
    make() { # KEY SUBJECT DAYS SECTION
        openssl req -new -key "$1" -subj "$2" -out made.csr
        openssl req -x509 -new -key p256.key -subj /CN=Elsewhere -days 9000 -out elsewhere.crt
        openssl x509 -req -in made.csr -CA elsewhere.crt -CAkey p256.key -CAcreateserial -sha256 -days "$3" -extfile ext -extensions "$4" -out made.crt 2>/dev/null
    }
    try() { # PATTERN KEY SUBJECT DAYS SECTION
        make "${@:2}"
        rehearsal intermediate
        swap made.crt 06-factory.crt
        run --separate-stderr p11ca ceremony compare reh "$inter"
        equal "$status" 1
        grep -qxF "bad: step 6, artefacts/06-factory.crt: $1: want it as in the rehearsal, have another" <<<"$output" || fail "want $1"
    }
    try issuer p256.key "$name" "$days" good
    try subject p256.key /CN=x "$days" good
    try 'kind of key' p384.key "$name" "$days" good
    try 'days of validity' p256.key "$name" 3649 good
    try 'value of extension keyUsage' p256.key "$name" "$days" usage
    try 'number of extensions' p256.key "$name" "$days" less
    openssl req -new -key p384.key -subj /CN=x -out made.csr
    rehearsal intermediate
    swap made.csr 04-factory.csr
    run --separate-stderr p11ca ceremony compare reh "$inter"
    [[ $output == *'bad: step 4, artefacts/04-factory.csr: subject: '*'bad: step 4, artefacts/04-factory.csr: kind of key: '* ]] || fail 'want both'
    rehearsal intermediate
    echo text >text
    swap text 07-factory-chain.pem
    differs 'step 7, artefacts/07-factory-chain.pem: neither certificate, request, CRL, public key nor ticket: want it as in the rehearsal, have another'
}

@test "compare: the first is a rehearsal; both are verified before" {
    answers_compare() {
        run --separate-stderr p11ca ceremony compare "$1" "$2"
        equal "$status" 1
        [[ $stderr == "p11ca: $3" ]] || fail "want '$3'"
    }
    rehearsal intermediate
    answers_compare "$inter" reh 'reh: rehearsal: want the first to be one: only the second is'
    answers_compare "$inter" "$inter" "$inter: rehearsal: want the first to be one: neither is"
    flip reh/plan.txt 1
    run --separate-stderr p11ca ceremony compare reh "$inter"
    [[ $status == 1 && $output == '' && $stderr == 'p11ca: reh/plan.txt: SHA-256: '* ]] || fail 'want the fault of the first'
    run --separate-stderr p11ca ceremony compare "$inter" reh
    [[ $status == 1 && $output == '' && $stderr == 'p11ca: reh/plan.txt: SHA-256: '* ]] || fail 'want the fault of the second'
}

# --- other people's tools ---

@test "sha256sum, jq and openssl come to the same conclusions" {
    local dir before line at
    for dir in "$root" "$inter"; do
        (cd "$dir" && sha256sum --strict --quiet -c SHA256SUMS)
        before=
        while IFS= read -r line; do
            equal "$(jq -r .before <<<"$line")" "$before"
            before=$(sum <<<"$line")
        done <"$dir/transcript.jsonl"
    done
    # The chain as the program itself says it.
    run --separate-stderr p11ca ceremony verify "$inter"
    sed -n 's/^  chain: //p' <<<"$stderr" >chain.sh
    [[ -s chain.sh ]]
    (cd "$inter" && equal "$(bash ../../../chain.sh)" '')
    sed -i '7s/request/tseuqer/' "$inter/transcript.jsonl" && sed -i '6s/P-256/P-257/' "$inter/transcript.jsonl"
    (cd "$inter" && [[ $(bash ../../../chain.sh | head -n 1) == 'broken: {"line":7,'* ]])
    # What was approved is what openssl finds signed.
    openssl x509 -in "$root/artefacts/04-root.crt" -pubkey -noout >pub
    openssl asn1parse -in "$root/artefacts/04-root.crt" -strparse 4 -noout -out tbs
    cmp tbs "$root/artefacts/04-tbs.der"
    at=$(openssl asn1parse -in "$root/artefacts/04-root.crt" | awk -F: '/BIT STRING/ { last = $1 } END { print last + 0 }')
    openssl asn1parse -in "$root/artefacts/04-root.crt" -strparse "$at" -noout -out sig
    succeeds openssl dgst -sha256 -verify pub -signature sig tbs
}
