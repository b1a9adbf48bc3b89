/* crl: an authority's next revocation list. */
#include <p11ca/revoke.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/text.h"
#include "cli/commands.h"

#define DAYS_DEFAULT 7 /* CA/Browser Forum BR 4.9.7: of end entities, at most ten */
#define DAY          86400
#define HOUR         3600

static const struct cli_option options[] = {
    {"output", 'o', "FILE", "where the list goes (PEM; DER when it ends in .der)", false},
    {"der", 0, NULL, "DER, whatever FILE is called", false},
    {"delta", 0, NULL, "only what changed since the last complete list", false},
    {"partition", 0, "I", "the list of one of the authority's crl-partitions, from 1", false},
    {"days", 0, "N", "nextUpdate is so many days away (default: 7)", false},
    {"hours", 0, "N", "or so many hours", false},
    {"release", 0, NULL, "publish the list that was signed ahead and whose time has come", false},
    {"next", 0, NULL, "only say when the next lists have to be out", false},
    {"ics", 0, "FILE", "with --next: the same as a calendar", false},
    {"force", 0, NULL, "replace FILE", false},
};

static bool is_der(const char *path)
{
    size_t len = strlen(path);

    return len > 4 && strcmp(path + len - 4, ".der") == 0;
}

static void show(struct cli *cli, const char *file, const struct p11ca_crl *crl)
{
    static const char *const outcomes[] = {
        [P11CA_NEW] = "new", [P11CA_FINISHED] = "finished", [P11CA_REUSED] = "reused"};
    char until[TEXT_TIME];

    text_time(crl->next_update, until);
    if (cli->json)
        cli_print_json(json_pack("{s:s,s:s,s:I,s:o,s:o,s:o,s:I,s:s,s:o}", "authority", cli->args[0],
            "outcome", outcomes[crl->outcome], "number", (json_int_t)crl->number, "base",
            crl->base ? json_integer((json_int_t)crl->base) : json_null(), "this_update",
            cli_time(crl->this_update), "next_update", cli_time(crl->next_update), "entries",
            (json_int_t)crl->entries, "sha256", crl->sha256, "file", cli_text(file)));
    else if (crl->base)
        cli_print("%s: CRL %lld of '%s', delta to %lld, %zu entr%s, next update %s", file,
            (long long)crl->number, cli->args[0], (long long)crl->base, crl->entries,
            crl->entries == 1 ? "y" : "ies", until);
    else
        cli_print("%s: CRL %lld of '%s', %zu entr%s, next update %s", file, (long long)crl->number,
            cli->args[0], crl->entries, crl->entries == 1 ? "y" : "ies", until);
}

static int run_sign(struct cli *cli, struct p11ca_err *err)
{
    struct p11ca_crl_order o = {
        .output = cli_value(cli, "output"), .delta = cli_flag(cli, "delta"), .force = cli_flag(cli, "force")};
    struct p11ca_crl crl;
    AUTO_HOME home = NULL;

    o.der = cli_flag(cli, "der") || is_der(o.output);
    o.days = cli_value(cli, "days") || cli_value(cli, "hours") ? 0 : DAYS_DEFAULT;
    if (cli_value(cli, "partition") &&
        strspn(cli_value(cli, "partition"), "0") == strlen(cli_value(cli, "partition")))
        return err_set(err, P11CA_USAGE, "USAGE", "option --partition: want a number from 1");
    if (cli_number(cli, "partition", 1024, &o.partition, err) != 0 ||
        cli_number(cli, "days", 36525, &o.days, err) != 0 ||
        cli_number(cli, "hours", 1000000, &o.hours, err) != 0 || cli_home(cli, &home, err) != 0 ||
        p11ca_crl(home, cli->args[0], &o, &crl, err) != 0)
        return -1;
    show(cli, o.output, &crl);
    return 0;
}

static int run_release(struct cli *cli, struct p11ca_err *err)
{
    const struct p11ca_crl_order o = {.output = cli_value(cli, "output"),
        .der = cli_flag(cli, "der") || is_der(cli_value(cli, "output")),
        .force = cli_flag(cli, "force")};
    struct p11ca_crl crl;
    AUTO_HOME home = NULL;

    if (cli_home(cli, &home, err) != 0 || p11ca_crl_release(home, cli->args[0], &o, &crl, err) != 0)
        return -1;
    show(cli, o.output, &crl);
    return 0;
}

/* --- --next --- */

static void say_left(const struct p11ca_crl_deadline *d, char *dst, size_t size)
{
    char until[TEXT_TIME];

    text_time(d->next_update, until);
    if (!d->number)
        snprintf(dst, size, "no CRL yet%s", d->overdue ? ", overdue: certificates name its URL" : "");
    else if (d->overdue)
        snprintf(dst, size, "CRL %lld ended at %s: overdue", (long long)d->number, until);
    else
        snprintf(dst, size, "CRL %lld, next update %s, in %lld %s", (long long)d->number, until,
            (long long)(d->left / (d->left < 2 * DAY ? HOUR : DAY)), d->left < 2 * DAY ? "hours" : "days");
}

static void say_slots(const struct p11ca_crl_deadline *d, char *dst, size_t size)
{
    char next[TEXT_TIME], until[TEXT_TIME];

    text_time(d->slot_next, next);
    text_time(d->slots_until, until);
    dst[0] = '\0';
    if (d->slots && d->slots_void)
        snprintf(dst, size, "; %zu signed ahead, void: something was revoked since", d->slots);
    else if (d->slots)
        snprintf(dst, size, "; %zu signed ahead, next at %s, until %s", d->slots, next, until);
}

static json_t *deadline_json(const struct p11ca_crl_deadline *d)
{
    return json_pack("{s:s,s:o,s:o,s:o,s:o,s:b,s:I,s:I,s:b,s:o,s:o,s:o}", "authority", d->authority, "number",
        d->number ? json_integer((json_int_t)d->number) : json_null(), "this_update",
        cli_time(d->this_update), "next_update", cli_time(d->next_update), "days_left",
        d->number ? json_integer((json_int_t)(d->left / DAY)) : json_null(), "overdue", d->overdue,
        "revoked_since", (json_int_t)d->revoked, "slots", (json_int_t)d->slots, "slots_void", d->slots_void,
        "slot_next", cli_time(d->slot_next), "slots_until", cli_time(d->slots_until), "partition",
        d->part ? json_integer((json_int_t)d->part) : json_null());
}

static int show_deadline(void *arg, const struct p11ca_crl_deadline *d)
{
    char left[128], slots[160];
    char part[48] = "";
    json_t *rows = arg;

    if (d->part)
        snprintf(part, sizeof(part), ", partition %u of %u", d->part, d->parts);
    if (rows)
        return json_array_append_new(rows, deadline_json(d));
    say_left(d, left, sizeof(left));
    say_slots(d, slots, sizeof(slots));
    cli_print("%s%s: %s; revoked since: %zu%s", d->authority, part, left, d->revoked, slots);
    return 0;
}

static int run_next(struct cli *cli, struct p11ca_err *err)
{
    const char *authority = cli->n_args ? cli->args[0] : NULL, *ics = cli_value(cli, "ics");
    json_t *rows = cli->json ? json_array() : NULL;
    AUTO_HOME home = NULL;
    int rc = cli_home(cli, &home, err);

    if (rc == 0 && ics)
        rc = p11ca_crl_calendar(home, authority, ics, cli_flag(cli, "force"), err);
    if (rc == 0) {
        rc = p11ca_crl_deadlines(home, authority, show_deadline, rows, err);
        if (rows && (rc == 0 || err->kind == P11CA_NEGATIVE)) {
            cli_print_json(json_pack("{s:b,s:O}", "overdue", rc != 0, "deadlines", rows));
            cli->json = false;
        }
    }
    json_decref(rows);
    return rc;
}

/* --- which of them --- */

static int refuse_with(struct cli *cli, const char *mode, const char *const *none, struct p11ca_err *err)
{
    for (; *none; none++) {
        if (cli_value(cli, *none) || cli_flag(cli, *none))
            return err_set(err, P11CA_USAGE, "USAGE", "crl: option --%s: want it without --%s", *none, mode);
    }
    return 0;
}

static int check_sign(struct cli *cli, struct p11ca_err *err)
{
    if (!cli->n_args)
        return err_set(err, P11CA_USAGE, "USAGE", "crl: want an AUTHORITY");
    if (!cli_value(cli, "output"))
        return err_set(err, P11CA_USAGE, "USAGE", "crl: option --output FILE is missing");
    if (cli_value(cli, "ics"))
        return err_set(err, P11CA_USAGE, "USAGE", "crl: option --ics: want it with --next");
    return 0;
}

static int run(struct cli *cli, struct p11ca_err *err)
{
    static const char *const not_next[] = {
        "output", "days", "hours", "der", "delta", "release", "partition", NULL};
    static const char *const not_release[] = {"days", "hours", "delta", "partition", NULL};

    if (cli_flag(cli, "next"))
        return refuse_with(cli, "next", not_next, err) == 0 ? run_next(cli, err) : -1;
    if (check_sign(cli, err) != 0)
        return -1;
    if (cli_flag(cli, "release"))
        return refuse_with(cli, "release", not_release, err) == 0 ? run_release(cli, err) : -1;
    return run_sign(cli, err);
}

const struct command cmd_crl = {"crl", "[AUTHORITY]", 0, 1, "sign an authority's next revocation list",
    "Numbered by the ledger; complete, or with --delta what changed since the last complete one. The list is "
    "linted before the\n"
    "token is touched and verified before anybody sees it.\n"
    "With --next nothing is signed: it says when which list has to be out; exit code 1 when one is overdue.\n"
    "With --release the key is not needed: a ceremony has signed the list before.",
    CLI_OPTIONS(options), run};
