/* revoke: certificates, lots, devices; holds taken back. */
#include <p11ca/revoke.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/err.h"
#include "base/text.h"
#include "cli/commands.h"

static const struct cli_option options[] = {
    {"reason", 'r', "R",
        "keyCompromise, superseded, cessationOfOperation, affiliationChanged, privilegeWithdrawn, "
        "certificateHold, "
        "unspecified, cACompromise or aACompromise",
        false},
    {"invalid-since", 0, "TIME", "since when it cannot be trusted: 2026-11-21 or 2026-11-21T03:05:00Z",
        false},
    {"because", 0, "TEXT", "why, for the ledger", false},
    {"lot", 0, "LOT", "all of a lot: its input as it was given, or the lot's SHA-256", false},
    {"id", 0, "ID", "all of a device", false},
    {"authority", 'a', "NAME", "only what this one has issued", false},
    {"undo", 0, NULL, "take certificateHold back", false},
    {"dry-run", 'n', NULL, "only say what would be done", false},
};

/* A day is its beginning. */
static int read_time(const struct cli *cli, int64_t *ret, struct p11ca_err *err)
{
    const char *text = cli_value(cli, "invalid-since"), *end;
    char again[TEXT_TIME];
    struct tm tm = {.tm_mday = 1};

    if (!text)
        return 0;
    end = strptime(text, strlen(text) == 10 ? "%Y-%m-%d" : "%Y-%m-%dT%H:%M:%SZ", &tm);
    if (end && !*end) {
        *ret = (int64_t)timegm(&tm);
        text_time(*ret, again); /* there is no 31st of June */
        if (*ret > 0 && strncmp(again, text, strlen(text) == 10 ? 10 : sizeof(again)) == 0)
            return 0;
    }
    return err_set(err, P11CA_USAGE, "USAGE",
        "option --invalid-since: want 2026-11-21 or 2026-11-21T03:05:00Z, have '%s'", text);
}

struct shown {
    struct cli *cli;
    json_t *rows; /* NULL: of a lot only the numbers are told */
    bool undo, dry_run;
};

static const char *const words[] = {
    [P11CA_REVOKED_NOW] = "revoked", [P11CA_REVOKED_ALREADY] = "already", [P11CA_REVOKED_LEFT] = "left"};

static const char *say_how(const struct shown *s, enum p11ca_revoked_how how)
{
    if (how == P11CA_REVOKED_NOW && s->undo)
        return s->dry_run ? "would be taken off hold" : "no longer on hold";
    if (how == P11CA_REVOKED_NOW)
        return s->dry_run ? "would be revoked" : "revoked";
    if (how == P11CA_REVOKED_LEFT)
        return "left as it is: revoked for another reason";
    return s->undo ? "already taken off hold" : "already revoked for this reason";
}

static int show_row(void *arg, const struct p11ca_record *r, enum p11ca_revoked_how how)
{
    struct shown *s = arg;

    if (s->cli->json) {
        json_array_append_new(s->rows, json_pack("{s:s,s:s,s:s,s:o}", "serial", r->serial, "authority",
                                           r->authority, "how", words[how], "device", cli_text(r->device)));
        return 0;
    }
    cli_print("%s %s %s: %s", r->serial, r->authority, r->subject, say_how(s, how));
    return 0;
}

static void show_total(const struct shown *s, const struct p11ca_revoked *n)
{
    size_t now = n->n[P11CA_REVOKED_NOW], already = n->n[P11CA_REVOKED_ALREADY],
           left = n->n[P11CA_REVOKED_LEFT];

    if (s->cli->json)
        cli_print_json(json_pack("{s:b,s:b,s:I,s:I,s:I,s:O?}", "dry_run", s->dry_run, "undo", s->undo,
            "revoked", (json_int_t)now, "already", (json_int_t)already, "left", (json_int_t)left,
            "certificates", s->rows));
    else if (!s->rows)
        cli_print(
            "%zu %s, %zu already, %zu left as they are", now, say_how(s, P11CA_REVOKED_NOW), already, left);
}

static int run_shown(struct shown *s, const struct p11ca_revoke_order *what, struct p11ca_err *err)
{
    struct p11ca_revoked n;
    AUTO_HOME home = NULL;

    if (cli_home(s->cli, &home, err) != 0 ||
        p11ca_revoke(home, what, s->rows ? show_row : NULL, s, &n, err) != 0)
        return -1;
    show_total(s, &n);
    if (n.n[P11CA_REVOKED_NOW] && !what->dry_run)
        cli_say(s->cli, "others learn of it by the next CRL: p11ca crl");
    return 0;
}

static int run(struct cli *cli, struct p11ca_err *err)
{
    struct p11ca_revoke_order what = {.certs = cli->args,
        .n_certs = cli->n_args,
        .lot = cli_value(cli, "lot"),
        .device = cli_value(cli, "id"),
        .authority = cli_value(cli, "authority"),
        .reason = cli_value(cli, "reason"),
        .because = cli_value(cli, "because"),
        .undo = cli_flag(cli, "undo"),
        .dry_run = cli_flag(cli, "dry-run")};
    struct shown s = {.cli = cli, .undo = what.undo, .dry_run = what.dry_run};
    int rc;

    if (read_time(cli, &what.invalid_since, err) != 0)
        return -1;
    s.rows = what.lot ? NULL : json_array();
    rc = run_shown(&s, &what, err);
    json_decref(s.rows);
    return rc;
}

const struct command cmd_revoke = {"revoke", "[SERIAL|FILE]...", 0, 16,
    "revoke certificates, a lot, a device",
    "Certificates that are named stand and fall together; a lot can be gone on with. No token is touched. "
    "Others learn of it by\n"
    "the next CRL. To revoke again for the same reason changes nothing; for another is refused, but for "
    "certificateHold, which\n"
    "may become final, and may be undone.",
    CLI_OPTIONS(options), run};
