/* lint: what is wrong with a certificate, a CRL, a request or an OCSP response, whoever made it. */
#include <p11ca/lint.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "cli/commands.h"

static const struct cli_option options[] = {
    {"profile", 'p', "NAME", "judge by this profile, too", false},
    {"issuer", 0, "FILE", "the issuer's certificate: name, key identifier, signature, validity", false},
    {"rules", 0, "LIST", "families of rules: br, idevid, ldevid, matter, spiffe, ocsp, piv", false},
    {"list", 0, NULL, "all rules, instead of asking them", false},
};

static const char *const words[] = {
    [P11CA_LINT_ERROR] = "error", [P11CA_LINT_WARNING] = "warning", [P11CA_LINT_NOTICE] = "notice"};

/* --- --list --- */

static void show_rule(void *arg, const struct p11ca_lint_rule *rule)
{
    const char *fixed = rule->fixed ? " (never skipped)" : "";

    if (arg)
        json_array_append_new(arg, json_pack("{s:s,s:s,s:s,s:s,s:s,s:b}", "id", rule->id, "severity",
                                       words[rule->severity], "source", rule->source, "field", rule->field,
                                       "applies", rule->applies, "skippable", !rule->fixed));
    else
        cli_print("%-24s %-8s %s: %s: %s%s", rule->id, words[rule->severity], rule->source, rule->field,
            rule->applies, fixed);
}

static int run_list(struct cli *cli, struct p11ca_err *err)
{
    json_t *rules = cli->json ? json_array() : NULL;

    if (cli->n_args)
        return err_set(err, P11CA_USAGE, "USAGE", "option --list wants no FILE");
    p11ca_lint_rules(show_rule, rules);
    if (rules)
        cli_print_json(rules);
    return 0;
}

/* --- findings --- */

struct showing {
    const struct cli *cli;
    json_t *objects; /* NULL: as text */
};

static json_t *text_or_null(const char *text)
{
    return text[0] ? cli_text(text) : json_null();
}

static json_t *finding_json(const struct p11ca_lint_finding *f)
{
    return json_pack("{s:s,s:s,s:s,s:s,s:s,s:o,s:o,s:o}", "severity", words[f->rule.severity], "id",
        f->rule.id, "code", f->code, "source", f->rule.source, "field", f->rule.field, "wanted",
        text_or_null(f->wanted), "found", text_or_null(f->have), "message", cli_text(f->message));
}

static void add_object(json_t *objects, const struct p11ca_lint_object *o)
{
    json_t *findings = json_array();
    size_t i;

    for (i = 0; i < o->n; i++)
        json_array_append_new(findings, finding_json(&o->findings[i]));
    json_array_append_new(
        objects, json_pack("{s:I,s:s,s:o,s:I,s:I,s:I,s:o}", "number", (json_int_t)o->number, "kind", o->kind,
                     "subject", cli_text(o->subject), "errors", (json_int_t)o->errors, "warnings",
                     (json_int_t)o->warnings, "notices", (json_int_t)o->notices, "findings", findings));
}

/* The code is said where it says more than the rule's id. */
static void print_finding(const struct p11ca_lint_finding *f)
{
    bool other = strcmp(f->code, f->rule.id) != 0;

    cli_print("  %-7s %s%s%s%s: %s", words[f->rule.severity], f->rule.id, other ? " (" : "",
        other ? f->code : "", other ? ")" : "", f->message);
}

static void show_object(void *arg, const struct p11ca_lint_object *o)
{
    struct showing *s = arg;
    size_t i;

    if (s->objects) {
        add_object(s->objects, o);
        return;
    }
    cli_print("%s %zu: %s", o->kind, o->number, o->subject[0] ? o->subject : "(no name)");
    for (i = 0; i < o->n; i++)
        print_finding(&o->findings[i]);
}

static const char *plural(size_t n)
{
    return n == 1 ? "" : "s";
}

static void show_sum(struct showing *s, const struct p11ca_lint_sum *sum)
{
    if (s->objects)
        cli_print_json(json_pack("{s:b,s:I,s:I,s:I,s:O}", "good", sum->errors == 0, "errors",
            (json_int_t)sum->errors, "warnings", (json_int_t)sum->warnings, "notices",
            (json_int_t)sum->notices, "objects", s->objects));
    else
        cli_print("%zu object%s, %zu error%s, %zu warning%s, %zu notice%s", sum->objects,
            plural(sum->objects), sum->errors, plural(sum->errors), sum->warnings, plural(sum->warnings),
            sum->notices, plural(sum->notices));
}

static int run(struct cli *cli, struct p11ca_err *err)
{
    const struct p11ca_lint_order order = {
        .file = cli->n_args ? cli->args[0] : NULL,
        .profile = cli_value(cli, "profile"),
        .issuer = cli_value(cli, "issuer"),
        .rules = cli_value(cli, "rules"),
    };
    struct showing s = {.cli = cli};
    struct p11ca_lint_sum sum;
    AUTO_HOME home = NULL;
    int rc;

    if (cli_flag(cli, "list"))
        return run_list(cli, err);
    if (!order.file)
        return err_set(err, P11CA_USAGE, "USAGE", "lint: want FILE, or --list");
    if (order.profile && cli_home_if_any(cli, &home, err) != 0)
        return -1;
    s.objects = cli->json ? json_array() : NULL;
    rc = p11ca_lint(home, &order, show_object, &s, &sum, err);
    if (rc == 0 || err->kind == P11CA_NEGATIVE) {
        show_sum(&s, &sum);
        cli->json = false; /* the answer is in it */
    }
    json_decref(s.objects);
    return rc;
}

const struct command cmd_lint = {"lint", "[FILE]", 0, 1,
    "every rule that a certificate, CRL, request or OCSP response breaks",
    "Anybody's, in PEM (a bundle, too) or DER; - reads the standard input. Neither token nor ledger is "
    "touched.\n"
    "Exit code 1 when a finding is an error; warnings and notices are shown only.",
    CLI_OPTIONS(options), run};
