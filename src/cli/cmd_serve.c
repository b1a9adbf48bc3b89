#include <p11ca/stream.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "cli/commands.h"
#include "cli/stop.h"

static const struct cli_option options[] = {
    {"authority", 'a', "NAME", "who issues", true},
    {"profile", 'p', "NAME", "of every request", true},
    {"socket", 0, "PATH", "where stations connect", true},
    {"allow-uid", 0, "UID", "another user whose stations may; may be repeated", false},
    {"output", 'o', "DIR", "publish the certificates here, too: DEVICE.crt", false},
    {"ticket", 0, "FILE", "a lot ticket, its signature beside it in FILE.p7s", false},
    {"jobs", 'j', "N", "threads (default: the number of cores)", false},
};

/* The highest is (uid_t)-1, which is nobody's. */
#define MAX_UID 4294967294u

static int read_uid(const char *text, unsigned *ret, struct p11ca_err *err)
{
    unsigned long long n;
    char *end;

    n = strtoull(text, &end, 10);
    if (*text < '0' || *text > '9' || *end || n > MAX_UID)
        return err_set(err, P11CA_USAGE, "USAGE",
            "option --allow-uid: want a whole number from 0 to %u, have '%s'", MAX_UID, text);
    *ret = (unsigned)n;
    return 0;
}

static int read_uids(const struct cli *cli, unsigned *v, size_t *ret_n, struct p11ca_err *err)
{
    size_t i, n = 0;

    for (i = 0; i < cli->n_values; i++) {
        if (strcmp(cli->values[i].option->name, "allow-uid") == 0 &&
            read_uid(cli->values[i].value, &v[n++], err) != 0)
            return -1;
    }
    *ret_n = n;
    return 0;
}

static int run(struct cli *cli, struct p11ca_err *err)
{
    struct p11ca_stream stream = {
        .authority = cli_value(cli, "authority"),
        .profile = cli_value(cli, "profile"),
        .output = cli_value(cli, "output"),
        .ticket = cli_value(cli, "ticket"),
    };
    unsigned uids[CLI_MAX_VALUES];
    struct p11ca_socket socket = {.path = cli_value(cli, "socket"), .uids = uids};
    struct p11ca_stream_result r;
    AUTO_HOME home = NULL;
    int stop, rc;

    if (read_uids(cli, uids, &socket.n_uids, err) != 0 ||
        cli_number(cli, "jobs", 64, &stream.jobs, err) != 0 || cli_home(cli, &home, err) != 0 ||
        cli_stop_fd(&stop, err) != 0)
        return -1;
    rc = p11ca_serve(home, &stream, &socket, stop, &r, err);
    if (r.stations)
        cli_say(cli, "%zu stations, %zu requests: %zu issued, %zu reused, %zu rejected, %zu not tried",
            r.stations, r.requests, r.issued, r.reused, r.rejected, r.not_tried);
    return rc;
}

const struct command cmd_serve = {"serve", "", 0, 0,
    "issue to stations through a Unix socket, until a signal ends it",
    "A station writes requests, an NDJSON object a line with csr or spki in it, and reads an answer a line, "
    "in the "
    "same order,\n"
    "each once its certificate is durable. SIGTERM, SIGINT or SIGHUP: no more is read, what was read is "
    "answered, the "
    "socket is\n"
    "removed; a second one ends it at once. Whose answer got lost asks again, and gets the same certificate.",
    CLI_OPTIONS(options), run};
