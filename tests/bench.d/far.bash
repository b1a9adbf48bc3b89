# shellcheck shell=bash
# A token in the network: SoftHSM behind a module that waits 5 ms in C_Sign, with sessions enough for 16 at once.
#
# The limit is the smaller of what the sessions can sign and what the cores can do, with S and L as measured in this run:
#   min(16 / (5 ms + 1/S), L)
# The first alone would be 3200/s, were the token's own work for nothing.

FAR_SESSIONS=16
FAR_MS=5

rows_far() {
    cat <<END
far_limit|/s|far token, $FAR_MS ms, $FAR_SESSIONS sessions: min($FAR_SESSIONS / ($FAR_MS ms + 1/S), L)
far_rate|/s|  p11ca bench
far_ratio|ratio|  rate / limit
far_batch|/s|  p11ca batch: a directory of requests to a bundle
END
}

# One session more than that: one stays logged in beside those that sign.
prepare_far() {
    copy_home home-far
    mkdir -p home-far/tokens
    cat >home-far/tokens/fault.conf <<END
description = "SoftHSM, far away";
module = [ "$BUILD/tests/fault.so" ];
store-env = "SOFTHSM2_CONF";
max-sessions = $((FAR_SESSIONS + 1));
END
    sed -i 's/kind = "softhsm2"/kind = "fault"/' home-far/p11ca.conf
}

far_p11ca() {
    P11CA_FAULT_MODULE=$MODULE P11CA_FAULT="C_Sign:*=sleep:$FAR_MS" p11ca "$@"
}

# The limit by the S and L noted last.
note_far_limit() {
    local by_sessions
    by_sessions=$(calc "$FAR_SESSIONS / ($FAR_MS / 1000 + 1 / $(last S))")
    note far_limit "$(calc "$by_sessions < $(last L) ? $by_sessions : $(last L)")"
}

turn_far() {
    local home=home-far-$RUN
    note_far_limit
    run far_p11ca -C home-far --json bench -a factory -n "$N"
    note far_rate "$(jq .rate run.out)"
    note_ratio far_ratio far_rate far_limit
    cp -a home-far "$home"
    timed_rate far_batch "$N" far_p11ca -C "$home" batch -a factory -p device requests -o "far-$RUN.pem" --format bundle
    split_bundle "far-$RUN.pem" "far-$RUN"
    good 'p11ca batch at a far token' "far-$RUN" "$N"
}
