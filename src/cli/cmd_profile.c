#include <p11ca/profile.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "cli/commands.h"

/* --- profile list --- */

struct listed {
    const struct cli *cli;
    json_t *list; /* with --json */
};

static void list_one(void *arg, const struct p11ca_profile *p)
{
    struct listed *l = arg;

    if (l->list)
        json_array_append_new(l->list, json_pack("{s:s,s:s?,s:s?,s:b,s:b}", "name", p->name, "base", p->base,
                                           "about", p->about, "built_in", p->builtin, "ca", p->ca));
    else
        cli_print("%-16s %-9s %s%s", p->name, p->builtin ? "built in" : "own", p->about ? "" : "like ",
            p->about  ? p->about
            : p->base ? p->base
                      : "no other");
}

static int run_list(struct cli *cli, struct p11ca_err *err)
{
    struct listed l = {cli, cli->json ? json_array() : NULL};
    AUTO_HOME home = NULL;

    if (cli_home_if_any(cli, &home, err) != 0 || p11ca_profile_list(home, list_one, &l, err) != 0) {
        json_decref(l.list);
        return -1;
    }
    if (l.list)
        cli_print_json(l.list);
    return 0;
}

const struct command cmd_profile_list = {"profile list", "", 0, 0, "what kinds of certificates there are",
    "The built-in profiles, and those of the home's p11ca.conf. Without a home, the built-in ones.", NULL, 0,
    run_list};

/* --- profile show --- */

static void show_one(void *arg, const struct p11ca_profile_value *v)
{
    json_array_append_new(
        arg, json_pack("{s:s,s:s,s:s,s:s?,s:o}", "key", v->key, "value", v->value, "profile", v->by, "file",
                 v->file, "line", v->file ? json_integer(v->line) : json_null()));
}

static const char *member(const json_t *v, const char *key)
{
    return json_string_value(json_object_get(v, key));
}

static void print_values(const char *name, const json_t *values)
{
    const json_t *v;
    size_t i;

    cli_print("  %s = {", name);
    json_array_foreach(values, i, v)
    {
        if (member(v, "file"))
            cli_print("    %s = %s; # %s, %s:%d", member(v, "key"), member(v, "value"), member(v, "profile"),
                member(v, "file"), (int)json_integer_value(json_object_get(v, "line")));
        else
            cli_print("    %s = %s; # %s", member(v, "key"), member(v, "value"), member(v, "profile"));
    }
    cli_print("  };");
}

static int run_show(struct cli *cli, struct p11ca_err *err)
{
    const char *name = cli->args[0];
    json_t *values = json_array();
    AUTO_HOME home = NULL;

    if (cli_home_if_any(cli, &home, err) != 0 || p11ca_profile_show(home, name, show_one, values, err) != 0) {
        json_decref(values);
        return -1;
    }
    if (cli->json) {
        cli_print_json(json_pack("{s:s,s:o}", "name", name, "values", values));
        return 0;
    }
    print_values(name, values);
    json_decref(values);
    return 0;
}

const struct command cmd_profile_show = {"profile show", "NAME", 1, 1, "a profile as it is in effect",
    "Every key with its value, the profile that says so (its own, or one it inherits from), and where. What "
    "is printed\n"
    "is itself a profile that inherits from nothing.",
    NULL, 0, run_show};

/* --- profile check --- */

static void count_one(void *arg, const struct p11ca_profile *p)
{
    struct listed *l = arg;

    if (!p->builtin)
        list_one(l, p);
}

static int run_check(struct cli *cli, struct p11ca_err *err)
{
    struct listed l = {cli, cli->json ? json_array() : NULL};
    AUTO_HOME home = NULL;
    int rc;

    if (cli->n_args)
        rc = p11ca_profile_check(cli->args[0], count_one, &l, err);
    else
        rc = cli_home(cli, &home, err) == 0 ? p11ca_profile_list(home, count_one, &l, err) : -1;
    if (rc != 0) {
        json_decref(l.list);
        return -1;
    }
    if (l.list)
        cli_print_json(l.list);
    return 0;
}

const struct command cmd_profile_check = {"profile check", "[FILE]", 0, 1, "are one's own profiles sound",
    "Those of the home's p11ca.conf, or of a file for it to include: keys, inheritance, templates, and every "
    "value that\n"
    "is the same in all certificates, against its standard. Lists them; file and line of what is wrong.",
    NULL, 0, run_check};
