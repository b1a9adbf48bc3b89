/* Asking an authenticator. Every step refuses or goes on; nothing later makes up for it. */
#include <string.h>

#include "auth/authenticator.h"
#include "auth/signed_by.h"
#include "base/text.h"
#include "x509/chain.h"

static int negative(struct p11ca_err *err, const char *code, const char *text)
{
    return err_set(err, P11CA_NEGATIVE, code, "%s", text);
}

static int check_time(const struct p11ca_identity *id, int64_t now, struct p11ca_err *err)
{
    char when[TEXT_TIME];

    if (now <= 0)
        return negative(err, "AUTH_CLOCK", "clock: want a time after 1970, have another");
    if (now < id->pub.not_before) {
        text_time(id->pub.not_before, when);
        return err_set(err, P11CA_NEGATIVE, "CERT_EARLY",
            "certificate: RFC 5280 4.1.2.5: notBefore: want a time until now, have %s", when);
    }
    if (now > id->pub.not_after) {
        text_time(id->pub.not_after, when);
        return err_set(err, P11CA_NEGATIVE, "CERT_EXPIRED",
            "certificate: RFC 5280 4.1.2.5: notAfter: want a time from now on, have %s", when);
    }
    return 0;
}

/* --- issuer --- */

static int check_issuer_time(const struct trusted *t, int64_t now, struct p11ca_err *err)
{
    if (t->issuer && (now < t->issuer->not_before || now > t->issuer->not_after))
        return negative(err, "ISSUER_EXPIRED",
            "issuer: RFC 5280 4.1.2.5: validity: want one that holds now, have another");
    return 0;
}

/* A wrong signature under a trusted name says more than that nobody is trusted. */
static int search_issuer(const struct p11ca_auth *auth, const struct p11ca_identity *id,
    const struct trusted **ret, struct p11ca_err *err)
{
    struct p11ca_err why;
    bool named = false;
    size_t i;

    negative(err, "ISSUER_UNTRUSTED",
        "issuer: want the octets of a trusted name and a signature by its key, or by a trusted key, have "
        "others");
    for (i = 0; i < auth->n_trusted; i++) {
        const struct trusted *t = &auth->trusted[i];
        const struct der name = t->issuer ? t->issuer->subject : DER_OF(NULL, 0);

        if (cert_signed_by(&id->cert, name, &t->spki, t->pub, &why) == 0) {
            seen_add(auth->seen, id->pub.sha256, i);
            *ret = t;
            return 0;
        }
        if (t->issuer && !named && strcmp(why.code, "ISSUER_OTHER") != 0) {
            named = true;
            *err = why;
        }
    }
    return -1;
}

static int find_issuer(const struct p11ca_auth *auth, const struct p11ca_identity *id,
    const struct trusted **ret, struct p11ca_err *err)
{
    int known = seen_find(auth->seen, id->pub.sha256);

    if (known < 0)
        return search_issuer(auth, id, ret, err);
    *ret = &auth->trusted[known];
    return 0;
}

/* --- usages and policies --- */

static int missing(struct p11ca_err *err, const char *code, const char *what, const char *want)
{
    return err_set(err, P11CA_NEGATIVE, code, "certificate: RFC 5280 %s: want %s, have it not", what, want);
}

static int check_usages(const struct p11ca_auth *auth, const struct p11ca_identity *id, struct p11ca_err *err)
{
    char text[EXT_TEXT];
    size_t i;

    for (i = 0; i < auth->ekus.n; i++) {
        if (!identity_has_eku(id, auth->ekus.v[i]))
            return missing(err, "EKU_MISSING", "4.2.1.12: extKeyUsage", auth->ekus.v[i]);
    }
    if ((id->facts.key_usage & auth->key_usage) != auth->key_usage) /* none without the extension */
        return missing(err, "KEY_USAGE_MISSING", "4.2.1.3: keyUsage", ext_ku_text(auth->key_usage, text));
    for (i = 0; i < auth->policies.n; i++) {
        if (!identity_has_policy(id, auth->policies.v[i]))
            return missing(err, "POLICY_MISSING", "4.2.1.4: certificatePolicies", auth->policies.v[i]);
    }
    return 0;
}

/* What TLS took may be weaker than what we do: GnuTLS takes an RSA key of 1,024 bits. */
static int check_key(const struct p11ca_identity *id, struct p11ca_err *err)
{
    if (id->key_fault.kind == P11CA_OK)
        return 0;
    *err = id->key_fault;
    err->kind = P11CA_NEGATIVE;
    return err_prefix(err, "certificate");
}

/* --- revocation --- */

static int refuse_revoked(const struct p11ca_revocation *r, struct p11ca_err *err)
{
    char when[TEXT_TIME];

    text_time(r->revoked_at, when);
    return err_set(err, P11CA_NEGATIVE, "REVOKED", "certificate: RFC 5280 5.3: revoked at %s, %s", when,
        p11ca_reason_text(r->reason));
}

static int refuse_stale(const struct p11ca_revocation *r, int64_t now, struct p11ca_err *err)
{
    char when[TEXT_TIME];
    bool early = now < r->this_update;

    text_time(early ? r->this_update : r->next_update, when);
    return err_set(err, P11CA_NEGATIVE, "REVOCATION_STALE",
        "CRL: RFC 5280 %s: want one in force now, have %s",
        early ? "5.1.2.4: thisUpdate" : "5.1.2.5: nextUpdate", when);
}

static int check_revocation(const struct p11ca_auth *auth, const struct trusted *by,
    const struct p11ca_identity *id, int64_t now, struct p11ca_revocation *ret, struct p11ca_err *err)
{
    *ret = (struct p11ca_revocation){.status = P11CA_STATUS_UNKNOWN};
    if (!auth->crls)
        return 0;
    crls_check_by(auth->crls, &by->spki, id, now, ret);
    switch (ret->status) {
    case P11CA_STATUS_GOOD:
        return 0;
    case P11CA_STATUS_REVOKED:
        return refuse_revoked(ret, err);
    case P11CA_STATUS_STALE:
        return now > ret->next_update && now - ret->next_update <= auth->stale_seconds
                   ? 0
                   : refuse_stale(ret, now, err);
    case P11CA_STATUS_UNKNOWN:
        break;
    }
    return auth->accept_unknown ? 0
                                : negative(err, "REVOCATION_UNKNOWN",
                                      "CRL: RFC 5280 6.3: want one of the certificate's issuer, have none");
}

/* --- chain --- */

/* Between are what the client sent and those that are trusted here, which it need not send. */
static int check_chain(const struct p11ca_auth *auth, const struct p11ca_identity *id,
    const struct p11ca_chain *between, int64_t now, struct p11ca_err *err)
{
    struct der intermediates[LIMIT_CHAIN + LIMIT_CAS], roots[LIMIT_CHAIN];
    struct chain chain = {.leaf = der_buf(&id->cert.der),
        .intermediates = intermediates,
        .roots = roots,
        .n_roots = auth->roots.n,
        .at = now};
    size_t i;

    if (auth->roots.n == 0)
        return 0;
    for (i = 0; i < auth->roots.n; i++)
        roots[i] = der_buf(&auth->roots.certs[i]);
    chain.n_intermediates = between ? between->n : 0;
    for (i = 0; i < chain.n_intermediates; i++)
        intermediates[i] = der_buf(&between->certs[i]);
    for (i = 0; i < auth->n_trusted; i++) {
        if (auth->trusted[i].issuer)
            intermediates[chain.n_intermediates++] = der_buf(&auth->trusted[i].issuer->cert);
    }
    return chain_verify(&chain, err);
}

/* --- who --- */

static const struct rule *find_rule(
    const struct p11ca_auth *auth, const struct p11ca_identity *id, const struct p11ca_name *who)
{
    const struct san_list *san = &id->sans[who - id->names];
    size_t i;

    for (i = 0; i < auth->n_rules; i++) {
        if (rule_fits(&auth->rules[i], who, san->n ? san : NULL))
            return &auth->rules[i];
    }
    return NULL;
}

static int check_who(const struct p11ca_auth *auth, const struct p11ca_identity *id,
    struct p11ca_decision *ret, struct p11ca_err *err)
{
    const struct rule *rule;

    if (p11ca_identity_principal(id, auth->kinds, auth->n_kinds, &ret->principal, err) != 0)
        return -1;
    rule = find_rule(auth, id, ret->principal);
    if (!rule)
        return err_set(err, P11CA_NEGATIVE, "NOT_ALLOWED",
            "%s '%.300s': want a rule that lets it in, have none", p11ca_name_kind(ret->principal->kind),
            ret->principal->text);
    ret->rule = rule->label;
    return 0;
}

static int check_pin(const struct p11ca_auth *auth, const struct p11ca_identity *id, int64_t now,
    struct p11ca_decision *ret, struct p11ca_err *err)
{
    const struct p11ca_pin *pin;

    if (!auth->pins)
        return 0;
    if (p11ca_pins_check(auth->pins, id, now, &pin, err) != 0)
        return -1;
    ret->pin = pin->label;
    return 0;
}

/* In the order of costs: what needs no public key first. */
static int check(const struct p11ca_auth *auth, const struct p11ca_identity *id,
    const struct p11ca_chain *chain, struct p11ca_decision *ret, struct p11ca_err *err)
{
    const int64_t now = auth->clock(auth->clock_arg);
    const struct trusted *by = NULL;

    if (check_time(id, now, err) != 0 || check_key(id, err) != 0 || check_usages(auth, id, err) != 0 ||
        check_who(auth, id, ret, err) != 0 || check_pin(auth, id, now, ret, err) != 0)
        return -1;
    if (find_issuer(auth, id, &by, err) != 0 || check_issuer_time(by, now, err) != 0 ||
        check_revocation(auth, by, id, now, &ret->revocation, err) != 0)
        return -1;
    return check_chain(auth, id, chain, now, err);
}

int p11ca_auth_check(const struct p11ca_auth *auth, const struct p11ca_identity *id,
    const struct p11ca_chain *chain, struct p11ca_decision *ret, struct p11ca_err *err)
{
    struct p11ca_decision d = {.pin = NULL};

    if (!auth || !id || !auth->sealed)
        return negative(err, "AUTH_OPEN", "authenticator: want a sealed one and an identity, have not both");
    if (check(auth, id, chain, &d, err) != 0)
        return -1;
    if (ret)
        *ret = d;
    return 0;
}
