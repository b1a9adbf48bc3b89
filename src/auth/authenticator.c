/* Making an authenticator. */
#include "auth/authenticator.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

static int wrong(struct p11ca_err *err, const char *text)
{
    return err_set(err, P11CA_CONFIG, "AUTH_CONFIG", "authenticator: %s", text);
}

static int check_open(const struct p11ca_auth *auth, struct p11ca_err *err)
{
    return auth->sealed ? err_set(err, P11CA_CONFIG, "AUTH_SEALED",
                              "authenticator: want an open one, have a sealed one")
                        : 0;
}

static int64_t system_clock(void *arg)
{
    (void)arg;
    return (int64_t)time(NULL);
}

struct p11ca_auth *p11ca_auth_new(void)
{
    struct p11ca_auth *auth = calloc(1, sizeof(*auth));

    if (auth)
        auth->clock = system_clock;
    return auth;
}

void p11ca_auth_free(struct p11ca_auth *auth)
{
    size_t i;

    if (!auth)
        return;
    for (i = 0; i < auth->n_trusted; i++) {
        issuer_free(auth->trusted[i].issuer);
        EVP_PKEY_free(auth->trusted[i].pub);
    }
    for (i = 0; i < auth->n_rules; i++)
        rule_done(&auth->rules[i]);
    for (i = 0; i < auth->roots.n; i++)
        buf_done(&auth->roots.certs[i]);
    for (i = 0; i < auth->n_crl_paths; i++)
        free(auth->crl_paths[i]);
    free(auth->crl_paths);
    free(auth->rules);
    p11ca_crls_free(auth->own_crls);
    p11ca_pins_free(auth->own_pins);
    seen_free(auth->seen);
    free(auth);
}

/* --- issuers --- */

static int check_trust(const struct p11ca_auth *auth, struct p11ca_err *err)
{
    if (check_open(auth, err) != 0)
        return -1;
    return auth->n_trusted < LIMIT_CAS ? 0 : wrong(err, "trusted issuers: want at most 32, have more");
}

int p11ca_auth_trust_cert(struct p11ca_auth *auth, const void *cert, size_t len, struct p11ca_err *err)
{
    struct trusted *t = &auth->trusted[auth->n_trusted];

    if (check_trust(auth, err) != 0 || issuer_read(cert, len, &t->issuer, err) != 0)
        return -1;
    t->spki = t->issuer->spki;
    t->pub = t->issuer->pub;
    EVP_PKEY_up_ref(t->pub);
    auth->n_trusted++;
    return 0;
}

int p11ca_auth_trust_key(struct p11ca_auth *auth, const void *spki, size_t len, struct p11ca_err *err)
{
    struct trusted *t = &auth->trusted[auth->n_trusted];

    if (check_trust(auth, err) != 0 || spki_read_file(spki, len, &t->spki, err) != 0 ||
        spki_evp1(&t->spki, &t->pub, err) != 0)
        return -1;
    auth->n_trusted++;
    return 0;
}

/* --- what is required --- */

static int add_oid(struct oid_list *list, struct der oid, struct p11ca_err *err)
{
    if (list->n == AUTH_LIST)
        return wrong(err, "usages, policies: want at most 16, have more");
    if (oid_to_dotted(oid, list->v[list->n], OID_TEXT) != 0)
        return wrong(err, "usages, policies: want a dotted object identifier, have something else");
    list->n++;
    return 0;
}

static int add_dotted(struct oid_list *list, const char *dotted, struct p11ca_err *err)
{
    AUTO_BUF oid = BUF_INIT;

    if (oid_from_dotted(dotted, strlen(dotted), &oid) != 0)
        return wrong(
            err, "usages, policies: want a known name or a dotted object identifier, have something else");
    return add_oid(list, der_buf(&oid), err);
}

int p11ca_auth_require_eku(struct p11ca_auth *auth, const char *usage, struct p11ca_err *err)
{
    unsigned id;

    if (check_open(auth, err) != 0)
        return -1;
    for (id = OID_EKU_SERVER; id <= OID_EKU_ANY; id++) {
        if (strcmp(oid_name((enum oid)id), usage) == 0)
            return add_oid(&auth->ekus, oid_der((enum oid)id), err);
    }
    return add_dotted(&auth->ekus, usage, err);
}

int p11ca_auth_require_key_usage(struct p11ca_auth *auth, const char *usage, struct p11ca_err *err)
{
    unsigned bit = ext_ku_bit(usage);

    if (check_open(auth, err) != 0)
        return -1;
    if (!bit)
        return wrong(err, "key usage: want a name like digitalSignature, have something else");
    auth->key_usage |= bit;
    return 0;
}

int p11ca_auth_require_policy(struct p11ca_auth *auth, const char *dotted, struct p11ca_err *err)
{
    return check_open(auth, err) != 0 ? -1 : add_dotted(&auth->policies, dotted, err);
}

/* --- who --- */

static bool has_kind(const struct p11ca_auth *auth, enum p11ca_name_kind kind)
{
    size_t i = 0;

    while (i < auth->n_kinds && auth->kinds[i] != kind)
        i++;
    return i < auth->n_kinds;
}

int p11ca_auth_principal(struct p11ca_auth *auth, enum p11ca_name_kind kind, struct p11ca_err *err)
{
    if (check_open(auth, err) != 0)
        return -1;
    if ((unsigned)kind >= P11CA_NAME_KINDS || kind == P11CA_NAME_OTHER)
        return wrong(err, "principal: want a kind of name with a grammar, have another");
    if (has_kind(auth, kind))
        return wrong(err, "principal: want each kind once, have one twice");
    auth->kinds[auth->n_kinds++] = kind;
    return 0;
}

static int add_rule(
    struct p11ca_auth *auth, enum p11ca_name_kind kind, const char *text, struct p11ca_err *err)
{
    struct rule rule, *rules;

    if (check_open(auth, err) != 0)
        return -1;
    if (auth->n_rules == LIMIT_RULES)
        return wrong(err, "rules: want at most 4096, have more");
    if (rule_make(kind, text, &rule, err) != 0)
        return -1;
    rules = realloc(auth->rules, (auth->n_rules + 1) * sizeof(*rules));
    if (!rules) {
        rule_done(&rule);
        return err_nomem(err);
    }
    auth->rules = rules;
    auth->rules[auth->n_rules++] = rule;
    return 0;
}

int p11ca_auth_allow(
    struct p11ca_auth *auth, enum p11ca_name_kind kind, const char *text, struct p11ca_err *err)
{
    return text ? add_rule(auth, kind, text, err) : wrong(err, "rule: want a name, have none");
}

int p11ca_auth_allow_any(struct p11ca_auth *auth, enum p11ca_name_kind kind, struct p11ca_err *err)
{
    return add_rule(auth, kind, NULL, err);
}

/* --- the rest --- */

int p11ca_auth_use_crls(struct p11ca_auth *auth, struct p11ca_crls *crls, bool accept_unknown,
    int64_t stale_seconds, struct p11ca_err *err)
{
    if (check_open(auth, err) != 0)
        return -1;
    if (auth->revocation_said)
        return wrong(err, "revocation: want it said once, have it twice");
    if (stale_seconds < 0 || stale_seconds > INT64_C(100) * 366 * 86400)
        return wrong(err, "revocation: want 0 to a hundred years of seconds, have another number");
    auth->revocation_said = true;
    auth->crls = crls;
    auth->accept_unknown = accept_unknown;
    auth->stale_seconds = stale_seconds;
    return 0;
}

int p11ca_auth_no_revocation(struct p11ca_auth *auth, struct p11ca_err *err)
{
    return p11ca_auth_use_crls(auth, NULL, false, 0, err);
}

int p11ca_auth_use_pins(struct p11ca_auth *auth, const struct p11ca_pins *pins, struct p11ca_err *err)
{
    if (check_open(auth, err) != 0)
        return -1;
    auth->pins = pins;
    return 0;
}

int p11ca_auth_verify_chain(struct p11ca_auth *auth, const void *root, size_t len, struct p11ca_err *err)
{
    return check_open(auth, err) != 0 ? -1 : certs_add(&auth->roots, root, len, err);
}

int p11ca_auth_clock(struct p11ca_auth *auth, p11ca_clock_fn *fn, void *arg, struct p11ca_err *err)
{
    if (check_open(auth, err) != 0)
        return -1;
    auth->clock = fn ? fn : system_clock;
    auth->clock_arg = arg;
    return 0;
}

/* --- sealing --- */

/* A rule that can let nobody in is a mistake: somebody believes that it does. */
static int check_rules(const struct p11ca_auth *auth, struct p11ca_err *err)
{
    size_t i;

    if (auth->n_rules == 0)
        return wrong(err, "want a rule that lets somebody in, have none");
    for (i = 0; i < auth->n_rules; i++) {
        if (!has_kind(auth, auth->rules[i].kind))
            return err_set(err, P11CA_CONFIG, "AUTH_CONFIG",
                "authenticator: rule '%s': want a kind that is among the principals, have another",
                auth->rules[i].label);
    }
    return 0;
}

int p11ca_auth_seal(struct p11ca_auth *auth, struct p11ca_err *err)
{
    if (check_open(auth, err) != 0)
        return -1;
    if (auth->n_trusted == 0)
        return wrong(err, "want a trusted issuer, have none");
    if (auth->n_kinds == 0)
        return wrong(err, "want a kind of principal, have none");
    if (!auth->revocation_said)
        return wrong(err, "want CRLs, or a word that there is no revocation, have neither");
    if (check_rules(auth, err) != 0)
        return -1;
    if (auth->ekus.n == 0 && p11ca_auth_require_eku(auth, "clientAuth", err) != 0)
        return -1;
    if (!auth->key_usage)
        auth->key_usage = USAGE_DIGITAL_SIGNATURE;
    auth->seen = seen_new();
    if (!auth->seen)
        return err_nomem(err);
    auth->sealed = true;
    return 0;
}
