#include <p11ca/token.h>
#include <stdio.h>

#include "cli/commands.h"

struct listing {
    struct cli *cli;
    json_t *array;
};

static const char *pin_state(const struct p11ca_token_info *t)
{
    if (!t->initialized)
        return "blank";
    if (t->pin_locked)
        return "PIN LOCKED";
    if (t->pin_final_try)
        return "LAST PIN TRY";
    if (t->pin_count_low)
        return "wrong PIN seen";
    return t->user_pin_set ? "ready" : "no user PIN";
}

static void show_token(void *arg, const struct p11ca_token_info *t)
{
    struct listing *l = arg;

    if (l->cli->json) {
        json_array_append_new(l->array,
            json_pack("{s:o,s:s,s:o,s:o,s:o,s:o,s:I,s:b,s:b,s:b,s:b,s:b,s:b}", "name", cli_text(t->name),
                "kind", t->kind, "label", cli_text(t->label), "serial", cli_text(t->serial), "model",
                cli_text(t->model), "manufacturer", cli_text(t->manufacturer), "slot", (json_int_t)t->slot,
                "initialized", t->initialized, "user_pin_set", t->user_pin_set, "pin_pad", t->pin_pad,
                "pin_count_low", t->pin_count_low, "pin_final_try", t->pin_final_try, "pin_locked",
                t->pin_locked));
        return;
    }
    cli_print("%-12s %-10s %-32s %-16s %-16s %s", t->name ? t->name : "-", t->kind,
        t->initialized ? t->label : "-", t->serial[0] ? t->serial : "-", t->model, pin_state(t));
}

static int run_list(struct cli *cli, struct p11ca_err *err)
{
    struct listing l = {cli, json_array()};
    AUTO_HOME home = NULL;

    if (cli_home(cli, &home, err) != 0 || p11ca_token_list(home, show_token, &l, err) != 0) {
        json_decref(l.array);
        return -1;
    }
    if (cli->json)
        cli_print_json(l.array);
    else
        json_decref(l.array);
    return 0;
}

const struct command cmd_token_list = {"token list", "", 0, 0,
    "the tokens that are there, and what p11ca.conf calls them",
    "Columns: name in p11ca.conf, kind, label, serial, model, state.", NULL, 0, run_list};

static const char *const levels[] = {[P11CA_GOOD] = "good", [P11CA_WEAK] = "weak", [P11CA_BAD] = "bad"};

static void show_finding(void *arg, enum p11ca_level level, const char *what, const char *found)
{
    struct listing *l = arg;

    if (l->cli->json)
        json_array_append_new(l->array, json_pack("{s:s,s:o,s:o}", "level", levels[level], "what",
                                            cli_text(what), "found", cli_text(found)));
    else
        cli_print("%-5s %-30s %s", levels[level], what, found);
}

static int run_check(struct cli *cli, struct p11ca_err *err)
{
    struct listing l = {cli, json_array()};
    AUTO_HOME home = NULL;
    int rc = cli_home(cli, &home, err);

    if (rc == 0) {
        rc = p11ca_token_check(home, cli->args[0], show_finding, &l, err);
        if (cli->json) {
            json_t *o =
                json_pack("{s:s,s:b,s:O}", "token", cli->args[0], "good", rc == 0, "findings", l.array);

            cli_print_json(o);
            cli->json = false; /* the fault is in it */
        }
    }
    json_decref(l.array);
    return rc;
}

const struct command cmd_token_check = {"token check", "NAME", 1, 1,
    "a doctor's visit to a token and the keys on it",
    "Mechanisms, PIN counters, sessions, every attribute of every authority's key against the key policy, "
    "and a self-test\n"
    "signature by each, verified by OpenSSL. Exit code 6 when something is bad.",
    NULL, 0, run_check};

static int run_init(struct cli *cli, struct p11ca_err *err)
{
    AUTO_HOME home = NULL;

    if (cli_home(cli, &home, err) != 0 || p11ca_token_init(home, cli->args[0], err) != 0)
        return -1;
    if (cli->json)
        cli_print_json(json_pack("{s:s,s:b}", "token", cli->args[0], "initialized", true));
    else
        cli_say(cli, "token '%s' is initialised", cli->args[0]);
    return 0;
}

const struct command cmd_token_init = {"token init", "NAME", 1, 1, "initialise a blank token",
    "Gives the one blank token of the binding its label (from uri) and PINs (from so-pin and pin). A token "
    "that matches the\n"
    "uri already is refused: nothing is erased.",
    NULL, 0, run_init};
