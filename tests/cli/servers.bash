# shellcheck shell=bash
# Servers of others, for as long as a test lasts. A file that loads this calls stop_servers in its teardown.

pids=()

stop_servers() {
    local pid
    for pid in "${pids[@]}"; do
        kill "$pid" 2>/dev/null || true
        # Reaped here, or it would outlive the test in the process table.
        wait "$pid" 2>/dev/null || true
    done
    pids=()
}

# A port nobody has. Whoever loses the race for it fails to start, and start_server tries another.
some_port() {
    echo $((20000 + RANDOM % 20000))
}

listens() {
    (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

# start_server FUNCTION: runs `FUNCTION PORT` in the background until it listens; sets $port.
start_server() {
    local attempt
    for attempt in 1 2 3 4 5; do
        port=$(some_port)
        ! listens "$port" || continue
        # bats waits for descriptor 3 to be closed by everybody.
        "$1" "$port" >"$BATS_TEST_TMPDIR/server.$attempt" 2>&1 3>&- </dev/null &
        pids+=("$!")
        while kill -0 "${pids[-1]}" 2>/dev/null; do
            ! listens "$port" || return 0
            sleep 0.05
        done
    done
    cat "$BATS_TEST_TMPDIR"/server.*
    fail 'no server came up'
}

# nginx_head DIR: the beginning of a configuration, up to what a test says within http: everything nginx writes is in DIR.
nginx_head() {
    local dir=$1
    cat <<END
daemon off;
master_process off;
pid $dir/pid;
error_log $dir/error.log;
events {}
http {
    access_log off;
    client_body_temp_path $dir/body;
    proxy_temp_path $dir/proxy;
    fastcgi_temp_path $dir/fastcgi;
    uwsgi_temp_path $dir/uwsgi;
    scgi_temp_path $dir/scgi;
END
}
