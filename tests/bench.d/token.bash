# shellcheck shell=bash
# What the token and this machine can do, and how much of it the issuing takes: `p11ca bench`.

rows_token() {
    cat <<END
S|/s|S: C_Sign, one thread
V|/s|V: verify, one thread
V_all|/s|  on all cores at once
L|/s|L: the limit, cores / (1/S + 2/V)
rate_1|/s|p11ca bench: issuing, 1 job
ratio_1|ratio|  rate / L
rate_2|/s|p11ca bench: issuing, 2 jobs
ratio_2|ratio|  rate / L
rate_keys|/s|  public keys instead of requests
END
}

turn_token() {
    local jobs field
    for jobs in 1 2; do
        run p11ca -C home --json bench -a factory -n "$N" -j "$jobs"
        for field in S V V_all L; do
            note "$field" "$(jq ".$field" run.out)"
        done
        note "rate_$jobs" "$(jq .rate run.out)"
        note "ratio_$jobs" "$(jq .rate_per_L run.out)"
    done
    note rate_keys "$(jq .rate_keys run.out)"
}
