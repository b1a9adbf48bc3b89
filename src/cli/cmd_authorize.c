/* authorize: what a policy says to a client's request, and why. No home, no token, no ledger. */
#include <p11ca/auth.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/file.h"
#include "base/limits.h"
#include "cli/commands.h"

static const struct cli_option options[] = {
    {"policy", 0, "FILE", "the policy", true},
    {"service", 0, "NAME", "that is called", true},
    {"peer", 0, "CERT", "the client's certificate", true},
    {"method", 0, "METHOD", "of the request", false},
    {"path", 0, "PATH", "of the request, without a query", false},
    {"ca", 0, "FILE", "who may have signed it, when the policy has no authenticator; may be repeated", false},
    {"crl", 0, "FILE", "CRLs of these, a file or a folder; may be repeated", false},
    {"unverified", 0, NULL, "TLS has verified the certificate", false},
    {"explain", 0, NULL, "every rule of the service, and why it does not fit", false},
};

/* What is freed at the end. */
struct asking {
    struct p11ca_policy *policy;
    struct p11ca_auth *auth;
    struct p11ca_crls *crls;
    struct p11ca_identity *id;
    json_t *rules;
    char decided[P11CA_RULE_NAME];
    bool show; /* rules, as text */
};

static void done(struct asking *a)
{
    p11ca_identity_free(a->id);
    p11ca_auth_free(a->auth);
    p11ca_crls_free(a->crls);
    p11ca_policy_free(a->policy);
    json_decref(a->rules);
}

/* --- who says that the certificate is true --- */

static bool is_option(const struct cli_value *v, const char *name)
{
    return strcmp(v->option->name, name) == 0;
}

static int trust_file(const struct asking *a, const char *path, struct p11ca_err *err)
{
    AUTO_BUF file = BUF_INIT;

    if (file_read(path, LIMIT_CERT, &file, err) != 0)
        return -1;
    if (a->crls && p11ca_crls_add_ca(a->crls, file.p, file.len, err) != 0)
        return err_prefix(err, "%s", path);
    return p11ca_auth_trust_cert(a->auth, file.p, file.len, err) == 0 ? 0 : err_prefix(err, "%s", path);
}

static int load_crls(const struct cli *cli, const struct asking *a, struct p11ca_err *err)
{
    const char *paths[LIMIT_CRLS];
    size_t i, n = 0;

    for (i = 0; i < cli->n_values; i++) {
        if (!is_option(&cli->values[i], "crl"))
            continue;
        if (n == LIMIT_CRLS)
            return err_set(err, P11CA_USAGE, "USAGE", "option --crl: want at most %d", LIMIT_CRLS);
        paths[n++] = cli->values[i].value;
    }
    return p11ca_crls_load(a->crls, paths, n, err);
}

/* Everybody these authorities name: the policy's rules choose. */
static int make_auth(const struct cli *cli, struct asking *a, struct p11ca_err *err)
{
    enum p11ca_name_kind kinds[P11CA_NAME_KINDS];
    size_t n = p11ca_policy_kinds(a->policy, kinds), i;

    a->auth = p11ca_auth_new();
    a->crls = cli_flag(cli, "crl") ? p11ca_crls_new() : NULL;
    if (!a->auth || (cli_flag(cli, "crl") && !a->crls))
        return err_nomem(err);
    for (i = 0; i < n; i++) {
        if (p11ca_auth_principal(a->auth, kinds[i], err) != 0 ||
            p11ca_auth_allow_any(a->auth, kinds[i], err) != 0)
            return -1;
    }
    for (i = 0; i < cli->n_values; i++) {
        if (is_option(&cli->values[i], "ca") && trust_file(a, cli->values[i].value, err) != 0)
            return -1;
    }
    if (a->crls && load_crls(cli, a, err) != 0)
        return -1;
    if ((a->crls ? p11ca_auth_use_crls(a->auth, a->crls, false, 0, err)
                 : p11ca_auth_no_revocation(a->auth, err)) != 0)
        return -1;
    return p11ca_auth_seal(a->auth, err);
}

/* Nothing is taken for true that nobody verified, unless that is said. */
static int choose_auth(const struct cli *cli, struct asking *a, struct p11ca_err *err)
{
    const bool own = p11ca_policy_has_authenticator(a->policy), ca = cli_flag(cli, "ca"),
               unverified = cli_flag(cli, "unverified");

    if (cli_flag(cli, "crl") && !ca)
        return err_set(err, P11CA_USAGE, "USAGE", "option --crl: want --ca beside it");
    if (own + ca + unverified > 1 && !(own && unverified))
        return err_set(err, P11CA_USAGE, "USAGE",
            "authorize: want one of the policy's authenticator, --ca and --unverified, have more");
    if (unverified)
        return 0;
    if (own)
        return p11ca_auth_load(cli_value(cli, "policy"), NULL, NULL, &a->auth, err);
    if (ca)
        return make_auth(cli, a, err);
    return err_set(err, P11CA_USAGE, "USAGE",
        "authorize: want an authenticator in the policy, --ca, or --unverified when TLS has verified the "
        "certificate");
}

/* --- the answer --- */

static const char *effect_of(const struct p11ca_rule_answer *r)
{
    return r->deny ? "deny" : "allow";
}

static void take_rule(void *arg, const struct p11ca_rule_answer *r)
{
    struct asking *a = arg;

    if (r->decides)
        snprintf(a->decided, sizeof(a->decided), "%s", r->name);
    if (a->show)
        cli_print("%s %-5s %s: %s: %s", r->decides ? "*" : " ", effect_of(r), r->name, r->where, r->why);
    if (a->rules)
        json_array_append_new(
            a->rules, json_pack("{s:s,s:s,s:o,s:b,s:b,s:s}", "name", r->name, "effect", effect_of(r), "where",
                          cli_text(r->where), "fits", r->fits, "decides", r->decides, "why", r->why));
}

static const struct p11ca_name *principal_of(const struct asking *a)
{
    enum p11ca_name_kind kinds[P11CA_NAME_KINDS];
    size_t n = p11ca_policy_kinds(a->policy, kinds);
    const struct p11ca_name *name = NULL;
    struct p11ca_err why;

    return p11ca_identity_principal(a->id, kinds, n, &name, &why) == 0 ? name : NULL;
}

static json_t *json_principal(const struct p11ca_name *name)
{
    return name ? json_pack("{s:s,s:o}", "kind", p11ca_name_kind(name->kind), "name", cli_text(name->text))
                : json_null();
}

static void print_json(const struct cli *cli, const struct asking *a, const struct p11ca_err *refused)
{
    cli_print_json(json_pack("{s:b,s:o,s:o,s:o,s:o,s:o,s:o}", "allowed", refused == NULL, "service",
        cli_text(cli_value(cli, "service")), "principal", json_principal(principal_of(a)), "rule",
        cli_text(a->decided[0] ? a->decided : NULL), "code", cli_text(refused ? refused->code : NULL),
        "message", cli_text(refused ? refused->msg : NULL), "rules",
        a->rules ? json_incref(a->rules) : json_null()));
}

static void print_text(const struct cli *cli, const struct asking *a)
{
    const struct p11ca_name *name = principal_of(a);

    cli_print("allowed: service '%s': %s '%s': rule '%s'", cli_value(cli, "service"),
        name ? p11ca_name_kind(name->kind) : "", name ? name->text : "", a->decided);
}

static int decide(const struct cli *cli, struct asking *a, struct p11ca_err *err)
{
    const struct p11ca_request request = {.service = cli_value(cli, "service"),
        .id = a->id,
        .method = cli_value(cli, "method"),
        .path = cli_value(cli, "path")};

    if (a->auth && p11ca_auth_check(a->auth, a->id, NULL, NULL, err) != 0)
        return -1;
    return p11ca_policy_explain(a->policy, &request, take_rule, a, err);
}

static int run(struct cli *cli, struct p11ca_err *err)
{
    __attribute__((cleanup(done))) struct asking a = {.policy = p11ca_policy_new()};
    int rc;

    if (!a.policy)
        return err_nomem(err);
    if (p11ca_policy_load(a.policy, cli_value(cli, "policy"), err) != 0 || choose_auth(cli, &a, err) != 0 ||
        p11ca_identity_load(cli_value(cli, "peer"), &a.id, err) != 0)
        return -1;
    a.show = cli_flag(cli, "explain") && !cli->json;
    a.rules = cli_flag(cli, "explain") && cli->json ? json_array() : NULL;
    rc = decide(cli, &a, err);
    if (cli->json && (rc == 0 || err->kind == P11CA_NEGATIVE)) {
        print_json(cli, &a, rc == 0 ? NULL : err);
        cli->json = false; /* the answer is in it */
    } else if (rc == 0) {
        print_text(cli, &a);
    }
    return rc;
}

const struct command cmd_authorize = {"authorize", "", 0, 0,
    "whether a policy allows a client's request, as services with libp11ca-auth ask it",
    "The certificate is checked by the policy's authenticator, or against --ca; --unverified says that TLS "
    "did it.\n"
    "Exit code 1 when the answer is no.",
    CLI_OPTIONS(options), run};
