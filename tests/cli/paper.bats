#!/usr/bin/env bats
# What people hold in their hands: the paper before a ceremony, the report after it.

load common

setup_file() {
    p11ca -q init "$BATS_FILE_TMPDIR/home" --name Acme --softhsm >/dev/null
    # And a home in which nothing has happened yet.
    p11ca -q init "$BATS_FILE_TMPDIR/blank" --name Acme >/dev/null
}

setup() {
    use_home
    cp -a "$BATS_FILE_TMPDIR/blank" blank
}

# well_formed FILE: as XML, which is stricter than HTML; nothing from elsewhere, nothing that runs.
well_formed() {
    xmllint --noout --nonet "$1"
    refute grep -qiE '<(script|link|img|iframe|object)|javascript:|https?://|url\(|@import| on[a-z]+=' "$1"
}

# The text of a page, in one line: tags are gone, what was escaped is itself again.
text_of() {
    xmllint --nonet --xpath 'string(//body)' "$1" | tr -s ' \n' ' '
}

# What a text says without its boxes and line ends.
flat() {
    sed 's/[|+-]/ /g' "$1" | tr -s ' \n' ' '
}

narrow() {
    local widest
    widest=$(wc -L <"$1")
    ((widest <= 80)) || fail "$1: want lines of at most 80 columns, have $widest"
}

# A ceremony with six roles; what is asked for on paper, names with markup, long words.
big_script() {
    cat >big.conf <<'END'
title = "Root & <b>intermediate</b>";
purpose = "Make the root key.";
policy = "CP 6.1.1";
place = "Cage 14";
roles = { CA = "Ceremony administrator"; IW = "Internal witness"; EW = "External witness"; SO1 = "Security officer"; SO2 = "Second security officer"; SC = "Safe controller"; };
approvals = { need = 2; of = [ "SO1", "SO2" ]; };
steps = (
  { do = "check-clock"; by = "CA"; witness = [ "IW", "EW" ]; expect = "Both say UTC"; if-wrong = "Stop <now>"; },
  { do = "hash-announce"; by = "CA"; },
  { do = "init-token"; token = "root"; by = "SO1"; witness = "SO2"; },
  { do = "generate-key"; authority = "root"; algorithm = "P-384"; by = "CA"; witness = "EW"; },
  { do = "self-sign"; authority = "root"; by = "CA"; approve = [ "SO1", "SO2" ]; approved = true; days = 3650; },
  { do = "export"; authority = "root"; file = "anchor.pem"; },
  { do = "backup-note"; by = "SC"; text = "Put the token into a bag."; ask = "Number of the bag"; },
  { do = "say"; text = "wwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwww"; }
);
END
    printf 'CA = "Zoë <script>alert(1)</script>";\nEW = { name = "Dr. O'\''Neill \\"&\\" Söhne"; };\n' >people.conf
}

@test "print: the ready scripts, as text" {
    local script sum step activities
    for script in root intermediate; do
        during=$script
        succeeds p11ca -C home ceremony print "$scripts/$script.conf"
        equal "$stderr" ''
        printf '%s\n' "$output" >paper.txt
        narrow paper.txt
        refute grep -qP '[^\x00-\x7f]|\t| $' paper.txt
        sum=$(sha256sum "$scripts/$script.conf" | cut -d' ' -f1)
        grep -qx "  $sum" paper.txt
        # Every step, in the words that the ceremony recorded.
        activities=$(sed '1,/^Steps$/d; /^Deviations$/,$d' paper.txt | grep '^|' | cut -c9-55 | tr -s ' \n' ' ')
        while IFS= read -r step; do
            [[ $activities == *"$step"* ]] || fail "want '$step' on the paper"
        done < <(jq -r 'select(.type == "start") | "[\(.kind)] \(.text)"' home/ceremonies/*-$script/transcript.jsonl)
        equal "$(grep -cE '^\| +[0-9]+ \| \[' paper.txt)" "$(grep -c 'do = "' "$scripts/$script.conf")"
    done
}

@test "print: hashes stand there in hex and words as the program shows them" {
    local sum row n=0
    sum=$(sha256sum "$scripts/root.conf" | cut -d' ' -f1)
    p11ca -C home ceremony print "$scripts/root.conf" >paper.txt
    p11ca -C home ceremony print "$scripts/root.conf" --html >paper.html
    while read -r row; do
        grep -qE "^  $row(  [A-Za-z]{4,11})( [A-Za-z]{4,11}){3}$" paper.txt || fail "want a row of words for $row"
        grep -E "^  $row " paper.txt | head -1 | tr -s ' ' '\n' | sed 1d >text.row
        xmllint --nonet --xpath "//tr[td[1] = '$row'][1]/td/text()" paper.html >html.row
        diff text.row html.row || fail 'want the same words in both'
        n=$((n + 1))
    done < <(fold -w 8 <<<"$sum")
    equal "$n" 8
    [[ $(text_of paper.html) == *"$sum"* ]] || fail 'want the hash as sha256sum prints it'
    # And those of the plan.
    sum=$(sha256sum home/ceremonies/*-root/plan.txt | cut -d' ' -f1)
    grep -qx "  $sum" paper.txt
    [[ $(text_of paper.html) == *"$sum"* ]] || fail 'want the hash of the plan'
}

@test "print --html: the ready scripts, well-formed" {
    local script text
    for script in root intermediate; do
        during=$script
        p11ca -C home ceremony print --html "$scripts/$script.conf" >paper.html
        well_formed paper.html
        text=$(text_of paper.html)
        while read -r kind; do
            [[ $text == *"$kind"* ]] || fail "want step $kind"
        done < <(sed -nE 's/.*do = "([a-z-]+)".*/\1/p' "$scripts/$script.conf")
        equal "$(xmllint --xpath 'count(//table[@class="steps"]/tbody/tr)' paper.html)" \
            "$(grep -c 'do = "' "$scripts/$script.conf")"
        equal "$(xmllint --xpath 'count(//table[@class="blank"]/tbody/tr)' paper.html)" 8
    done
}

@test "print: roles, names, facts, lines to write on, markup escaped" {
    local text role
    big_script
    succeeds p11ca -C blank ceremony print big.conf --people people.conf -o paper.html
    equal "$output" ''
    p11ca -C blank ceremony print big.conf --people people.conf >paper.txt
    well_formed paper.html
    narrow paper.txt
    text=$(text_of paper.html)
    for role in CA IW EW SO1 SO2 SC; do
        during=$role
        grep -qE "^\| $role +\|" paper.txt || fail 'want the role in a table'
        equal "$(xmllint --xpath "count(//table[@class='roles']//td[. = '$role'])" paper.html)" 1
        equal "$(xmllint --xpath "count(//table[@class='closing']//td[. = '$role'])" paper.html)" 1
    done
    during=
    for want in 'Root & <b>intermediate</b>' 'Make the root key.' 'CP 6.1.1' 'Cage 14' 'Zoë <script>alert(1)</script>' \
        'Ceremony administrator (CA, Zoë <script>alert(1)</script>)' "Dr. O'Neill \"&\" Söhne" 'Both say UTC' \
        'If it goes wrong: Stop <now>' 'Time on the wall, UTC' 'Number of the bag' '2 of SO1, SO2' \
        'Only with: the approvals of the plan' 'CN=Acme Root CA' 'EC P-384' 3650 'Deviations' \
        'The first four words of the hash of the to-be-signed bytes'; do
        [[ $text == *"$want"* ]] || fail "want '$want' in the HTML"
        [[ $(flat paper.txt) == *"${want//-/ }"* || $(tr -d ' |\n' <paper.txt) == *"${want// /}"* ]] ||
            fail "want '$want' in the text"
    done
    # Whoever acts, approves or watches initials the step.
    equal "$(xmllint --xpath '//table[@class="steps"]/tbody/tr[1]/td[3]/div/text()' paper.html | tr '\n' ' ')" 'CA IW EW '
    equal "$(xmllint --xpath '//table[@class="steps"]/tbody/tr[5]/td[3]/div/text()' paper.html | tr '\n' ' ')" 'CA SO1 SO2 '
}

@test "print: before the ceremony and after it, the same plan; no token is touched" {
    use_fault_module
    p11ca -C blank ceremony print "$scripts/root.conf" | grep -A 12 '^Plan of' >before.txt
    p11ca -C home ceremony print "$scripts/root.conf" | grep -A 12 '^Plan of' >after.txt
    diff before.txt after.txt
    equal "$(calls C_Login)" 0
    [[ ! -e blank/ledger.db ]] || fail 'want nothing written'
}

@test "print -o: the ending says what it is, nothing is overwritten" {
    succeeds p11ca -C home ceremony print "$scripts/root.conf" -o paper.html
    equal "$stderr" "paper.html: the paper of $scripts/root.conf"
    well_formed paper.html
    succeeds p11ca -C home ceremony print "$scripts/root.conf" -o paper.txt
    [[ $(head -1 paper.txt) == 'KEY CEREMONY SCRIPT' ]] || fail 'want text'
    succeeds p11ca -C home ceremony print "$scripts/root.conf" --html -o other
    cmp paper.html other
    refused 8 'p11ca: paper.html: exists, nothing is overwritten' p11ca -C home ceremony print "$scripts/root.conf" -o paper.html
    refused 8 'p11ca: none/paper.html: create: *' p11ca -C home ceremony print "$scripts/root.conf" -o none/paper.html
    succeeds p11ca -C home --json ceremony print "$scripts/root.conf"
    equal "$(jq -r '.format, (.paper | length > 2000)' <<<"$output" | tr '\n' ' ')" 'text true '
}

@test "print: refused as by check" {
    local none='steps = ( { do = "frob"; } );'
    printf 'title = "t";\n%s\n' "$none" >bad.conf
    refused 3 "p11ca: bad.conf:2: step 1: no step 'frob'*" p11ca -C home ceremony print bad.conf
    refused 3 'p11ca: none.conf: *' p11ca -C home ceremony print none.conf
    printf 'XX = "Somebody";\n' >people.conf
    refused 3 "p11ca: people.conf:1: no role 'XX' in *" p11ca -C home ceremony print "$scripts/root.conf" --people people.conf
    refused 3 "p11ca: *: verify-files: nothing makes 'root.crt', and it is not there" p11ca -C blank ceremony print "$scripts/intermediate.conf"
    refused 2 'p11ca: *' p11ca -C home ceremony print
}

@test "report: well-formed, with every step, artefact and hash of the transcript" {
    local dir text want
    for dir in home/ceremonies/*; do
        during=$dir
        well_formed "$dir/transcript.html"
        text=$(text_of "$dir/transcript.html")
        while IFS= read -r want; do
            [[ $text == *"$want"* ]] || fail "want '$want' in the report"
        done < <(
            sha256sum "$dir/transcript.jsonl" | cut -d' ' -f1
            jq -r '.plan, .configuration, .script.sha256?, .ceremony, .title, .sha256 | strings' "$dir/transcript.jsonl"
            jq -r '.files // [] | .[] | .sha256, .artefact // .file' "$dir/transcript.jsonl"
            jq -r 'select(.type == "start") | "Step \(.step): \(.kind)", .text' "$dir/transcript.jsonl"
        )
        [[ $text == *COMPLETE* ]] || fail 'want the outcome'
    done
}

@test "report: how to check it works as it is written, without p11ca" {
    cd home/ceremonies/*-root
    xmllint --nonet --xpath 'string(//pre)' transcript.html >"$BATS_TEST_TMPDIR/how.sh"
    succeeds sh "$BATS_TEST_TMPDIR/how.sh"
    [[ $output == *"$(jq -r 'select(.type == "tbs" and .step == 8) | .sha256' transcript.jsonl)  tbs.der"* ]] ||
        fail 'want the bytes that were approved'
    refute grep -q broken <<<"$output"
    # And it would notice.
    sed -i '3s/"done"/"Done"/' transcript.jsonl
    run sh "$BATS_TEST_TMPDIR/how.sh"
    [[ $output == *broken:* && $output == *'transcript.jsonl: FAILED'* ]] || fail 'want it noticed'
}

# Only where zbar-tools are.
@test "the QR code of the paper reads back as the script's hash" {
    command -v zbarimg >/dev/null || skip 'zbarimg is not installed'
    p11ca -C home ceremony print --html "$scripts/root.conf" >paper.html
    # Each rectangle of the drawing, four times as large.
    xmllint --nonet --xpath 'string(//*[local-name() = "path"]/@d)' paper.html | grep -oE 'M[0-9]+ [0-9]+h[0-9]+' |
        tr 'Mh' '  ' | awk '{ for (i = 0; i < $3; i++) dark[$2, $1 + i] = 1 }
            END { print "P1 180 180"; for (y = 0; y < 180; y++) { for (x = 0; x < 180; x++)
                printf "%d ", dark[int(y / 4), int(x / 4)]; print "" } }' >qr.pbm
    run --separate-stderr zbarimg --quiet --raw qr.pbm
    equal "$output" "sha256:$(sha256sum "$scripts/root.conf" | cut -d' ' -f1)"
}
