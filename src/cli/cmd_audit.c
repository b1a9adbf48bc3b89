#include <p11ca/ledger.h>
#include <stdio.h>

#include "cli/commands.h"

struct findings {
    struct cli *cli;
    json_t *array;
};

static void show_finding(void *arg, enum p11ca_level level, const char *what, const char *found)
{
    struct findings *f = arg;
    const char *word = level == P11CA_BAD ? "fault" : "note";

    if (f->cli->json)
        json_array_append_new(f->array,
            json_pack("{s:s,s:o,s:o}", "level", word, "what", cli_text(what), "found", cli_text(found)));
    else
        cli_print("%s: %s: %s", word, what, found);
}

static void show_counts(struct cli *cli, const struct p11ca_audit *a, bool good, json_t *findings)
{
    if (cli->json) {
        cli_print_json(json_pack("{s:b,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:s,s:O}", "good", good, "authorities",
            (json_int_t)a->authorities, "certificates", (json_int_t)a->certificates, "reserved",
            (json_int_t)a->reserved, "events", (json_int_t)a->events, "crls", (json_int_t)a->crls, "files",
            (json_int_t)a->files, "faults", (json_int_t)a->faults, "head", a->head, "findings", findings));
        cli->json = false;
        return;
    }
    printf("%zu authorities, %zu certificates, %zu serials reserved and not used, %zu files, %zu events, %zu "
           "faults\n",
        a->authorities, a->certificates, a->reserved, a->files, a->events, a->faults);
    printf("ledger head %s\n", a->head);
}

static int run(struct cli *cli, struct p11ca_err *err)
{
    struct findings f = {cli, json_array()};
    struct p11ca_audit a = {0};
    AUTO_HOME home = NULL;
    int rc = cli_home(cli, &home, err);

    if (rc == 0) {
        rc = p11ca_audit(home, show_finding, &f, &a, err);
        if (rc == 0 || err->kind == P11CA_NEGATIVE)
            show_counts(cli, &a, rc == 0, f.array);
    }
    json_decref(f.array);
    return rc;
}

const struct command cmd_audit = {"audit", "", 0, 0, "check every invariant of the ledger again",
    "The database, the hash chain of its events, each certificate against its columns, its issuer's "
    "signature, its profile\n"
    "and its file, each lot ticket and CRL against its signature. Exit code 1 when there is a fault. Write "
    "the "
    "ledger head down: it fixes everything before "
    "it.",
    NULL, 0, run};
