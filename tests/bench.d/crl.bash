# shellcheck shell=bash
# A list of everything that a factory has ever revoked, at the sizes of the ledger: made from the ledger, linted, signed in the
# token, verified, recorded and published, beside `openssl ca -gencrl` of the same rows with a software key. The rows are the
# database's own work: nothing is issued for them.

rows_crl() {
    local size
    for size in $LEDGER_SIZES; do
        cat <<END
crl_${size}_p11ca|ms|CRL of $size entries: p11ca crl
crl_${size}_openssl|ms|  openssl ca -gencrl
END
    done
}

prepare_crl() {
    local size home
    for size in $LEDGER_SIZES; do
        home=home-crl-$size
        copy_home "$home"
        say "$size revoked certificates"
        sqlite3 -batch "$home/ledger.db" "INSERT INTO certificate (authority, serial, status, profile, subject, sig_alg, spki_sha256,
            request_sha256, tbs_sha256, not_before, not_after, reserved_at, issued_at, revoked_at, reason, changed)
            WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $size)
            SELECT (SELECT id FROM authority WHERE name = 'factory'), CAST(x'40' || randomblob(19) AS BLOB), 3, 'device', 'CN=x',
            'ecdsa-with-SHA256', randomblob(32), randomblob(32), randomblob(32), 1735689600, 4102444799, 1735689600, 1735689600,
            1735689600 + i % 1000000, 1, 1 FROM n"
        mkdir "openssl-crl-$size"
        sqlite3 -batch "$home/ledger.db" "SELECT hex(serial) FROM certificate WHERE status = 3" |
            awk '{ printf "R\t330101000000Z\t250101000000Z,keyCompromise\t%s\tunknown\t/CN=x\n", $1 }' >"openssl-crl-$size/index"
        echo 01 >"openssl-crl-$size/number"
        printf '[ca]\ndefault_ca=d\n[d]\ndatabase=%s/index\ncrlnumber=%s/number\ndefault_md=sha256\n' \
            "openssl-crl-$size" "openssl-crl-$size" >"openssl-crl-$size/ca.cnf"
    done
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout crl-peer.key -subj /CN=peer -out crl-peer.crt 2>/dev/null
}

turn_crl() {
    local size
    for size in $LEDGER_SIZES; do
        timed_ms "crl_${size}_p11ca" p11ca -C "home-crl-$size" crl factory -o "crl-$size-$RUN.crl"
        grep -q ", $size entries, " run.out || die "run $RUN: p11ca crl: want $size entries"
        timed_ms "crl_${size}_openssl" openssl ca -config "openssl-crl-$size/ca.cnf" -gencrl -crldays 7 -cert crl-peer.crt \
            -keyfile crl-peer.key -out "peer-$size-$RUN.crl"
        openssl crl -in "crl-$size-$RUN.crl" -noout -verify -CAfile "home-crl-$size/factory.crt" 2>run.out ||
            die "run $RUN: p11ca crl: does not verify"
    done
}
