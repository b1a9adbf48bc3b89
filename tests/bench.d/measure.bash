# shellcheck shell=bash
# Values, what becomes of them in the end, and what fails. Sourced by tests/bench; all of it happens in $WORK.


die() {
    echo "bench: $*" >&2
    exit 1
}

say() {
    echo "bench: $*" >&2
}

# note KEY VALUE: one value of one run.
note() {
    [[ -n $2 ]] || die "run $RUN: $1: no value"
    echo "$2" >>"$WORK/values/$1"
}

# The value of KEY that was noted last; nothing when there is none.
last() {
    [[ ! -e $WORK/values/$1 ]] || tail -n 1 "$WORK/values/$1"
}

# calc EXPRESSION: in floating point; its words are numbers and operators.
calc() {
    awk "BEGIN { printf \"%.6f\", $* }"
}

# run COMMAND...: what it says is seen only when it fails, and then nothing is measured any more. Commands that are
# functions return what fails in them: `set -e` does not hold in here.
run() {
    "$@" >"$WORK/run.out" 2>"$WORK/run.err" || {
        tail -n 5 "$WORK/run.out" "$WORK/run.err" >&2
        die "run $RUN: $1 failed: $*"
    }
}

# timed COMMAND...: runs it, and leaves the microseconds of the wall clock in $TOOK.
timed() {
    local start=${EPOCHREALTIME/./}
    run "$@"
    TOOK=$((${EPOCHREALTIME/./} - start))
    ((TOOK > 0)) || TOOK=1
}

# timed_rate KEY COUNT COMMAND...: notes COUNT per second.
timed_rate() {
    timed "${@:3}"
    note "$1" "$(calc "$2 * 1000000 / $TOOK")"
}

# timed_ms KEY COMMAND...: notes milliseconds.
timed_ms() {
    timed "${@:2}"
    note "$1" "$(calc "$TOOK / 1000")"
}

# note_ratio KEY A B: the ratio of two values of this run, when both are there: noise hits both.
note_ratio() {
    local a b
    a=$(last "$2")
    b=$(last "$3")
    [[ -z $a || -z $b ]] || note "$1" "$(calc "$a / $b")"
}

# Reads KEY|UNIT|WHAT from stdin; prints an object with median, least and most for each that has values.
objects() {
    local key unit what
    while IFS='|' read -r key unit what; do
        [[ -e $WORK/values/$key ]] || continue
        jq -cn --arg key "$key" --arg what "$what" --arg unit "$unit" --slurpfile values "$WORK/values/$key" '
            ($values | sort) as $v | ($v | length) as $n |
            {$key, $what, $unit, median: (($v[(($n - 1) / 2 | floor)] + $v[($n / 2 | floor)]) / 2),
                min: $v[0], max: $v[-1], $values}'
    done
}

# The objects on stdin as lines.
table() {
    printf '%-64s %10s %10s %10s\n' '' median min max
    jq -r '[.what, .median, .min, .max, .unit] | @tsv' | awk -F'\t' '
        function text(v) { return sprintf($5 == "ratio" ? "%.2f" : v < 100 ? "%.1f" : "%.0f", v) }
        { printf "%-64s %10s %10s %10s%s\n", $1, text($2), text($3), text($4), $5 == "ratio" ? "" : " " $5 }'
}
