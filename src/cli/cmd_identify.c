/* identify, thumbprint: who a certificate names, and how tokens are bound to it. No home, no token, no ledger. */
#include <p11ca/auth.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/text.h"
#include "cli/commands.h"

static const struct cli_option options[] = {
    {"principal", 0, "KIND", "a kind of name that counts; more of them in this order", false},
};

static void free_identity(struct p11ca_identity **id)
{
    p11ca_identity_free(*id);
}

/* --- who --- */

static int read_kinds(
    const struct cli *cli, enum p11ca_name_kind kinds[P11CA_NAME_KINDS], size_t *ret, struct p11ca_err *err)
{
    size_t i, n = 0;

    for (i = 0; i < cli->n_values; i++) {
        const char *word = cli->values[i].value;

        if (strcmp(cli->values[i].option->name, "principal") != 0)
            continue;
        if (n == P11CA_NAME_KINDS)
            return err_set(err, P11CA_USAGE, "USAGE", "option --principal: want each kind once");
        kinds[n] = p11ca_name_kind_find(word);
        if (kinds[n] == P11CA_NAME_KINDS || kinds[n] == P11CA_NAME_OTHER)
            return err_set(err, P11CA_USAGE, "USAGE",
                "option --principal: want a kind of name like SPIFFE, DNS, CN, have '%s'", word);
        n++;
    }
    *ret = n;
    return 0;
}

/* --- as text --- */

static void print_names(const struct p11ca_identity_facts *f)
{
    size_t i;

    for (i = 0; i < f->n_names; i++)
        cli_print("%-12s %s", p11ca_name_kind(f->names[i].kind), f->names[i].text);
}

static void print_list(const char *what, const char *const *v, size_t n)
{
    size_t i;

    for (i = 0; i < n; i++)
        cli_print("%-12s %s", what, v[i]);
}

static void print_identity(const struct p11ca_identity_facts *f, const struct p11ca_name *principal)
{
    char from[TEXT_TIME], until[TEXT_TIME], hex[2 * P11CA_SHA256 + 1];

    text_time(f->not_before, from);
    text_time(f->not_after, until);
    if (principal)
        cli_print("%-12s %s:%s", "principal", p11ca_name_kind(principal->kind), principal->text);
    print_names(f);
    if (f->trust_domain)
        cli_print("%-12s %s", "trust domain", f->trust_domain);
    cli_print("%-12s %s", "issuer", f->issuer);
    cli_print("%-12s %s", "serial", f->serial);
    cli_print("%-12s %s to %s", "valid", from, until);
    cli_print("%-12s %s", "key", f->key[0] ? f->key : "of an unknown kind");
    if (f->has_key_usage)
        cli_print("%-12s %s", "key usage", f->key_usage);
    print_list("usage", f->ekus, f->n_ekus);
    print_list("policy", f->policies, f->n_policies);
    text_hex_lower(f->sha256, sizeof(f->sha256), hex);
    cli_print("%-12s %s", "SHA-256", hex);
    text_hex_lower(f->spki_sha256, sizeof(f->spki_sha256), hex);
    cli_print("%-12s %s", "key SHA-256", hex);
    cli_print("%-12s %s", "x5t#S256", f->thumbprint);
}

/* --- as JSON --- */

static json_t *json_strings(const char *const *v, size_t n)
{
    json_t *list = json_array();
    size_t i;

    for (i = 0; i < n; i++)
        json_array_append_new(list, cli_text(v[i]));
    return list;
}

static json_t *json_name(const struct p11ca_name *name)
{
    return name ? json_pack("{s:s,s:o}", "kind", p11ca_name_kind(name->kind), "name", cli_text(name->text))
                : json_null();
}

static json_t *json_names(const struct p11ca_identity_facts *f)
{
    json_t *list = json_array();
    size_t i;

    for (i = 0; i < f->n_names; i++)
        json_array_append_new(list, json_name(&f->names[i]));
    return list;
}

static void print_json(const struct p11ca_identity_facts *f, const struct p11ca_name *principal)
{
    char hex[2 * P11CA_SHA256 + 1], spki[2 * P11CA_SHA256 + 1];

    text_hex_lower(f->sha256, sizeof(f->sha256), hex);
    text_hex_lower(f->spki_sha256, sizeof(f->spki_sha256), spki);
    cli_print_json(json_pack("{s:o,s:o,s:o,s:o,s:s,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:s,s:s,s:s}", "principal",
        json_name(principal), "names", json_names(f), "subject", cli_text(f->subject), "issuer",
        cli_text(f->issuer), "serial", f->serial, "not_before", cli_time(f->not_before), "not_after",
        cli_time(f->not_after), "key", f->key[0] ? cli_text(f->key) : json_null(), "key_usage",
        f->has_key_usage ? cli_text(f->key_usage) : json_null(), "trust_domain", cli_text(f->trust_domain),
        "path", cli_text(f->path), "extended_key_usage", json_strings(f->ekus, f->n_ekus), "policies",
        json_strings(f->policies, f->n_policies), "sha256", hex, "key_sha256", spki, "x5t#S256",
        f->thumbprint));
}

static int run(struct cli *cli, struct p11ca_err *err)
{
    __attribute__((cleanup(free_identity))) struct p11ca_identity *id = NULL;
    enum p11ca_name_kind kinds[P11CA_NAME_KINDS];
    const struct p11ca_name *principal = NULL;
    size_t n = 0;

    if (read_kinds(cli, kinds, &n, err) != 0 || p11ca_identity_load(cli->args[0], &id, err) != 0)
        return -1;
    if (n && p11ca_identity_principal(id, kinds, n, &principal, err) != 0)
        return err_prefix(err, "%s", cli->args[0]);
    if (cli->json)
        print_json(p11ca_identity_facts(id), principal);
    else
        print_identity(p11ca_identity_facts(id), principal);
    return 0;
}

static int run_thumbprint(struct cli *cli, struct p11ca_err *err)
{
    char text[P11CA_THUMBPRINT];

    if (p11ca_thumbprint_load(cli->args[0], text, err) != 0)
        return -1;
    if (cli->json)
        cli_print_json(json_pack("{s:s}", "x5t#S256", text));
    else
        cli_print("%s", text);
    return 0;
}

const struct command cmd_identify = {"identify", "CERT", 1, 1,
    "who a client certificate names, as services with libp11ca-auth see it",
    "PEM or DER. Nothing is verified but the form: exit code 4 when the certificate names nobody, 1 when it "
    "has no name of\nthe kinds asked for with --principal.",
    CLI_OPTIONS(options), run};

const struct command cmd_thumbprint = {"thumbprint", "CERT", 1, 1,
    "RFC 8705 x5t#S256 of a certificate, to which tokens are bound", NULL, NULL, 0, run_thumbprint};
