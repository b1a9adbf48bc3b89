# shellcheck shell=bash
# A lot of a million public keys to a bundle, once: memory, and whether the end is as fast as the beginning.

: "${MILLION:=1000000}"

rows_million() {
    cat <<END
million_rate|/s|p11ca batch: $MILLION public keys to a bundle
million_first|/s|  the first tenth, by the times of the report
million_last|/s|  the last tenth
million_rss|MiB|  most memory in use (RSS)
END
}

# tenth KEY FIRST LAST: certificates per second between two rows of the report. Its times are whole seconds: counted is
# from the first row that has another time than the one before to the last such row.
tenth() {
    note "$1" "$(sed -n "$2,$3p" million.ndjson | jq '.time | fromdateiso8601' | awk '
        NR > 1 && $1 != before { if (!first) { first = NR; from = $1 } last = NR; to = $1 }
        { before = $1 }
        END { printf("%.6f", to > from ? (last - first) / (to - from) : NR) }')"
}

turn_million() {
    local size=$MILLION
    run "$BUILD/tests/lot" million.csv "$size" M
    copy_home home-million
    # It is the program's memory that is asked for, therefore no function of ours is between.
    timed_rate million_rate "$size" command time -v -o million.time "$BUILD/bin/p11ca" -C home-million batch -a factory \
        -p device million.csv -o million.pem --format bundle --report million.ndjson
    (($(grep -c '^-----BEGIN' million.pem) == size)) || die "want $size certificates in the bundle"
    awk -v step=$((size / 20 + 1)) '/^-----BEGIN/ { on = n++ % step == 0 } on' million.pem >million-sample.pem
    split_bundle million-sample.pem million-sample
    good 'p11ca batch of a million' million-sample "$(grep -c '^-----BEGIN' million-sample.pem)"
    tenth million_first 1 $((size / 10))
    tenth million_last $((size - size / 10 + 1)) "$size"
    note million_rss "$(awk '/Maximum resident/ { print $NF / 1024 }' million.time)"
}
