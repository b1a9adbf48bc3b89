/* The extensions of a client's certificate. */
#include <stdio.h>
#include <string.h>

#include "auth/identity.h"

/* What this library reads, and may therefore be critical (RFC 5280 4.2). */
static const enum oid understood[] = {
    OID_BASIC_CONSTRAINTS, OID_KEY_USAGE, OID_EXT_KEY_USAGE, OID_SAN, OID_POLICIES};

static bool is_understood(struct der oid)
{
    size_t i;

    for (i = 0; i < sizeof(understood) / sizeof(understood[0]); i++) {
        if (oid_is(oid, understood[i]))
            return true;
    }
    return false;
}

/* Of two, X509_get_ext_d2i(3) gives neither: who looks at NULL only takes them for none. */
static int check_exts(const struct tbs *t, struct p11ca_err *err)
{
    char text[OID_TEXT];
    size_t i, k;

    for (i = 0; i < t->n_exts; i++) {
        for (k = 0; k < i; k++) {
            if (der_equal(t->exts[i].oid, t->exts[k].oid))
                return err_set(err, P11CA_REFUSED, "CERT_EXT_TWICE",
                    "certificate: RFC 5280 4.2: extension %s: want it once, have it twice",
                    oid_text(t->exts[i].oid, text));
        }
        if (t->exts[i].critical && !is_understood(t->exts[i].oid))
            return err_set(err, P11CA_REFUSED, "CERT_EXT_CRITICAL",
                "certificate: RFC 5280 4.2: extension %s: want none that is critical and not understood, "
                "have one",
                oid_text(t->exts[i].oid, text));
    }
    return 0;
}

static int bad_ext(enum oid id, struct p11ca_err *err)
{
    return err_set(err, P11CA_REFUSED, "CERT_EXT_BAD",
        "certificate: extension %s: RFC 5280 4.2: want one DER value of its type, have something else",
        oid_name(id));
}

/* An OBJECT IDENTIFIER that begins a policy, or is an EKU. */
typedef int next_oid_fn(struct der *in, struct der *ret);

static int next_eku(struct der *in, struct der *ret)
{
    return der_next(in, DER_OID, ret);
}

/* RFC 5280 4.2.1.4; qualifiers are for people. */
static int next_policy(struct der *in, struct der *ret)
{
    struct der info, qualifiers;

    if (der_next(in, DER_SEQUENCE, &info) != 0 || der_next(&info, DER_OID, ret) != 0)
        return -1;
    return der_next_optional(&info, DER_SEQUENCE, &qualifiers) < 0 || info.len ? -1 : 0;
}

static bool is_listed(const char *const *v, size_t n, const char *dotted)
{
    size_t i;

    for (i = 0; i < n; i++) {
        if (strcmp(v[i], dotted) == 0)
            return true;
    }
    return false;
}

/* Each takes at least two octets of the value. */
static int read_oids(struct p11ca_identity *id, const struct cert_ext *ext, next_oid_fn *next,
    const char *const **ret, size_t *ret_n)
{
    const char **v = arena_alloc(&id->arena, (ext->value.len / 2 + 1) * sizeof(*v));
    struct der seq, oid;
    char dotted[OID_TEXT];
    size_t n = 0;

    if (!v || der_whole(ext->value, DER_SEQUENCE, &seq) != 0 || seq.len == 0)
        return -1;
    for (; seq.len; n++) {
        if (next(&seq, &oid) != 0 || oid_to_dotted(oid, dotted, sizeof(dotted)) != 0)
            return -1;
        v[n] = identity_text(id, dotted, strlen(dotted));
        if (!v[n])
            return -1;
    }
    *ret = v;
    *ret_n = n;
    return 0;
}

static int read_lists(struct p11ca_identity *id, struct p11ca_err *err)
{
    const struct cert_ext *eku = tbs_ext(&id->cert.t, OID_EXT_KEY_USAGE),
                          *policies = tbs_ext(&id->cert.t, OID_POLICIES);

    if (eku && read_oids(id, eku, next_eku, &id->pub.ekus, &id->pub.n_ekus) != 0)
        return bad_ext(OID_EXT_KEY_USAGE, err);
    if (policies && (!der_is_canonical(policies->value, DER_MAX_DEPTH) ||
                        read_oids(id, policies, next_policy, &id->pub.policies, &id->pub.n_policies) != 0))
        return bad_ext(OID_POLICIES, err);
    return 0;
}

int identity_read_exts(struct p11ca_identity *id, struct p11ca_err *err)
{
    char usage[EXT_TEXT] = "";

    if (check_exts(&id->cert.t, err) != 0 || tbs_facts(&id->cert.t, &id->facts, err) != 0 ||
        read_lists(id, err) != 0)
        return -1;
    id->pub.has_key_usage = id->facts.has_ku;
    if (id->facts.has_ku)
        ext_ku_text(id->facts.key_usage, usage);
    id->pub.key_usage = identity_text(id, usage, strlen(usage));
    return id->pub.key_usage ? 0 : err_nomem(err);
}

bool identity_has_eku(const struct p11ca_identity *id, const char *dotted)
{
    return is_listed(id->pub.ekus, id->pub.n_ekus, dotted);
}

bool identity_has_policy(const struct p11ca_identity *id, const char *dotted)
{
    return is_listed(id->pub.policies, id->pub.n_policies, dotted);
}
