# shellcheck shell=bash
# `p11ca batch` from beginning to end: preflight, ledger, certificates, report.

rows_batch() {
    cat <<END
batch_files|/s|p11ca batch: a directory of requests to a directory
batch_files_wall|/s|  by the clock of the whole process
batch_bundle|/s|p11ca batch: a directory of requests to a bundle
batch_bundle_wall|/s|  by the clock of the whole process
batch_keys|/s|p11ca batch: public keys to a directory
batch_keys_wall|/s|  by the clock of the whole process
batch_keys_bundle|/s|p11ca batch: public keys to a bundle
batch_keys_bundle_wall|/s|  by the clock of the whole process
END
}

# batch KEY INPUT OUTPUT [option...]: a lot in a home of its own.
batch() {
    local key=$1 home=home-$1-$RUN
    copy_home "$home"
    timed_rate "${key}_wall" "$N" p11ca -C "$home" batch -a factory -p device "$2" -o "$3" \
        --report "$key-$RUN.ndjson" "${@:4}"
    note "$key" "$(sed -nE 's|^[0-9]+ rows: .* ([0-9]+)/s$|\1|p' run.err)"
}

turn_batch() {
    batch batch_files requests "files-$RUN"
    good 'p11ca batch' "files-$RUN" "$N"
    batch batch_bundle requests "bundle-$RUN.pem" --format bundle
    split_bundle "bundle-$RUN.pem" "bundle-$RUN"
    good 'p11ca batch --format bundle' "bundle-$RUN" "$N"
    batch batch_keys keys.csv "keys-$RUN"
    good 'p11ca batch of keys' "keys-$RUN" "$N"
    batch batch_keys_bundle keys.csv "keys-$RUN.pem" --format bundle
    split_bundle "keys-$RUN.pem" "keys-bundle-$RUN"
    good 'p11ca batch of keys --format bundle' "keys-bundle-$RUN" "$N"
}
