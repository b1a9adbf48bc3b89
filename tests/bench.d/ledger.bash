# shellcheck shell=bash
# The ledger of a factory that has been at work for years: rows that tests/intake/rows.c makes, and then the same lots and
# questions at every size, with a list of one in a hundred. Lists of everything have a part of their own.

LEDGER_LOT=1000
AUDITED=100000 # a larger one takes minutes to audit, every signature being verified

rows_ledger() {
    local size
    for size in $LEDGER_SIZES; do
        cat <<END
ledger_${size}_rows|/s|ledger of $size: rows made by tests/intake/rows.c
ledger_${size}_lot|ms|  p11ca batch of $LEDGER_LOT requests to a directory
ledger_${size}_show|ms|  p11ca show SERIAL
ledger_${size}_list|ms|  p11ca list --limit 100 --after SERIAL
ledger_${size}_crl|ms|  p11ca crl of $((size / 100)) entries
ledger_${size}_audit|ms|  p11ca audit
END
    done
}

# Questions are asked about the row in the middle.
prepare_ledger() {
    local size home
    for size in $LEDGER_SIZES; do
        home=home-ledger-$size
        copy_home "$home"
        say "a ledger of $size rows"
        timed_rate "ledger_${size}_rows" "$size" "$BUILD/tests/rows" "$home" "$size"
        ((size > AUDITED)) || timed_ms "ledger_${size}_audit" p11ca -C "$home" audit
        sqlite3 -batch "$home/ledger.db" "SELECT hex(serial) FROM certificate WHERE id >= $size / 2 ORDER BY id LIMIT 1" \
            >"$home/middle"
        # One in a hundred is revoked, and of the CA that makes the list, as the database's own work: it would not let a
        # certificate change its CA, and what is measured is the list.
        sqlite3 -batch "$home/ledger.db" "DROP TRIGGER certificate_identity; UPDATE certificate SET status = 3,
            revoked_at = issued_at, reason = 1, changed = (SELECT max(seq) FROM event), authority =
            (SELECT id FROM authority WHERE name = 'factory') WHERE id % 100 = 0 AND status = 1"
    done
}

turn_ledger() {
    local size
    run "$BUILD/tests/lot" "lot-$RUN" "$LEDGER_LOT" "L$RUN"
    for size in $LEDGER_SIZES; do
        turn_ledger_of "$size"
    done
}

turn_ledger_of() {
    local key=ledger_$1 home=home-ledger-$1 out=ledger-$1-$RUN middle
    middle=$(<"$home/middle")
    timed_ms "${key}_lot" p11ca -C "$home" batch -a factory -p device "lot-$RUN" -o "$out"
    good "p11ca batch with $1 in the ledger" "$out" "$LEDGER_LOT"
    timed_ms "${key}_show" p11ca -C "$home" show "$middle"
    sleep 1 # one second has one list: asked for twice, it is the same again
    timed_ms "${key}_crl" p11ca -C "$home" crl factory -o "ledger-$1-$RUN.crl"
    grep -q ", $(($1 / 100)) entr" run.out || die "run $RUN: p11ca crl: want $(($1 / 100)) entries, have: $(<run.out)"
    timed_ms "${key}_list" p11ca -C "$home" list --limit 100 --after "$middle"
    (($(wc -l <run.out) == 100)) || die "run $RUN: p11ca list: want 100 rows, have $(wc -l <run.out)"
}
