/* The keys that make extensions which are the same in every certificate. */
#include "x509/profile_read.h"

#include <stdlib.h>
#include <string.h>

#include "x509/constraints.h"
#include "x509/ext.h"
#include "x509/ext_info.h"

#define N(table) (sizeof(table) / sizeof((table)[0]))

/* value holds the extension's; it is emptied. */
int profile_fix_ext(struct profile_making *m, const config_setting_t *s, struct der oid, bool critical,
    struct buf *value, struct p11ca_err *err)
{
    struct fixed_ext *e = &m->fixed[m->p->n_fixed];
    AUTO_BUF tlv = BUF_INIT, id = BUF_INIT;
    size_t at = der_open(&tlv), i;

    for (i = 0; i < m->p->n_fixed; i++) {
        if (der_equal(m->fixed[i].oid, oid))
            return profile_refuse(m, s, err, "RFC 5280 4.2: want each extension once");
    }
    if (m->p->n_fixed == N(m->fixed))
        return profile_refuse(m, s, err, "want at most %zu extensions", N(m->fixed));
    buf_add(&tlv, value->p, value->len);
    ext_close_oid(&tlv, at, oid, critical);
    buf_add(&id, oid.p, oid.len);
    e->critical = critical;
    if (profile_keep_der(m, &id, &e->oid, err) != 0 || profile_keep_der(m, value, &e->value, err) != 0 ||
        profile_keep_der(m, &tlv, &e->tlv, err) != 0)
        return -1;
    m->p->n_fixed++;
    return 0;
}

struct policy {
    const char *oid, *cps;
};
static const struct conf_field policy_fields[] = {
    {"oid", CONF_STR, true, offsetof(struct policy, oid)},
    {"cps", CONF_STR, false, offsetof(struct policy, cps)},
};

static int read_policy(const struct profile_making *m, const config_setting_t *s, struct buf *oid,
    struct ext_policy *ret, struct p11ca_err *err)
{
    struct policy p = {NULL, NULL};
    AUTO_SANS uri = SAN_LIST_INIT;
    struct p11ca_err why;

    if (!config_setting_is_group(s))
        return profile_refuse(m, s, err, "want groups { oid = \"...\"; }");
    if (conf_fields(m->said->conf, s, "policies", policy_fields, N(policy_fields), &p, err) != 0)
        return -1;
    if (oid_from_dotted(p.oid, strlen(p.oid), oid) != 0 || !buf_ok(oid))
        return profile_refuse(m, s, err, "RFC 5280 4.2.1.4: want an object identifier, have '%s'", p.oid);
    if (p.cps && (san_add(&uri, SAN_URI, p.cps, &why) != 0 || strcmp(uri.v[0].text, p.cps) != 0))
        return profile_refuse(m, s, err, "cps: RFC 5280 4.2.1.4: want a URI, have '%s'", p.cps);
    *ret = (struct ext_policy){
        der_buf(oid), DER_OF((const uint8_t *)(p.cps ? p.cps : ""), p.cps ? strlen(p.cps) : 0)};
    return 0;
}

static bool policy_twice(const struct ext_policy *v, size_t n)
{
    size_t i;

    for (i = 0; i + 1 < n; i++) {
        if (der_equal(v[i].oid, v[n - 1].oid))
            return true;
    }
    return false;
}

int profile_policies(struct profile_making *m, config_setting_t *s, struct p11ca_err *err)
{
    struct buf oid[PROFILE_LIST_MAX] = {BUF_INIT};
    struct ext_policy v[PROFILE_LIST_MAX];
    AUTO_BUF value = BUF_INIT;
    size_t i, n = config_setting_is_list(s) ? (size_t)config_setting_length(s) : PROFILE_LIST_MAX + 1;
    int rc = 0;

    if (n > PROFILE_LIST_MAX)
        return profile_refuse(m, s, err, "want a list of at most %d", PROFILE_LIST_MAX);
    for (i = 0; i < n && rc == 0; i++) {
        rc = read_policy(m, config_setting_get_elem(s, (unsigned)i), &oid[i], &v[i], err);
        if (rc == 0 && policy_twice(v, i + 1))
            rc = profile_refuse(m, s, err, "RFC 5280 4.2.1.4: want each policy once");
    }
    if (rc == 0 && n) {
        ext_add_policies(&value, v, n);
        rc = profile_fix_ext(m, s, oid_der(OID_POLICIES), false, &value, err);
    }
    for (i = 0; i < PROFILE_LIST_MAX; i++)
        buf_done(&oid[i]);
    return rc;
}

static const struct conf_field constraint_fields[] = {
    {"permitted", CONF_STRS, false, 0},
    {"excluded", CONF_STRS, false, sizeof(struct conf_strs)},
};

/* "DNS:acme.example" */
static int add_constraints(const struct profile_making *m, const config_setting_t *s,
    const struct conf_strs *v, bool excluded, struct constraints *list, struct p11ca_err *err)
{
    struct p11ca_err why;
    size_t i;

    for (i = 0; i < v->n; i++) {
        const char *colon = strchr(v->v[i], ':');
        enum san_type type = colon ? san_type_find(v->v[i], (size_t)(colon - v->v[i])) : SAN_TYPES;

        if (type == SAN_TYPES)
            return profile_refuse(m, s, err, "RFC 5280 4.2.1.10: want KIND:NAME, have '%s'", v->v[i]);
        if (constraints_add(list, excluded, type, colon + 1, &why) != 0)
            return profile_refuse(m, s, err, "%s", why.msg);
    }
    return 0;
}

int profile_name_constraints(struct profile_making *m, config_setting_t *s, struct p11ca_err *err)
{
    struct conf_strs v[2] = {{NULL, 0}, {NULL, 0}};
    AUTO_CONSTRAINTS list = CONSTRAINTS_INIT;
    AUTO_BUF value = BUF_INIT;
    int rc;

    if (!config_setting_is_group(s))
        return profile_refuse(m, s, err, "want { permitted = [ ... ]; excluded = [ ... ]; }");
    rc = conf_fields(m->said->conf, s, m->key, constraint_fields, N(constraint_fields), v, err);
    if (rc == 0)
        rc = add_constraints(m, s, &v[0], false, &list, err);
    if (rc == 0)
        rc = add_constraints(m, s, &v[1], true, &list, err);
    if (rc == 0 && list.n) {
        constraints_to_der(&list, &value);
        rc = profile_fix_ext(m, s, oid_der(OID_NAME_CONSTRAINTS), true, &value, err);
    }
    free(v[0].v);
    free(v[1].v);
    return rc;
}

int profile_tls_feature(struct profile_making *m, config_setting_t *s, struct p11ca_err *err)
{
    unsigned v[PROFILE_LIST_MAX], found[PROFILE_LIST_MAX];
    AUTO_BUF value = BUF_INIT;
    int i, n = config_setting_is_array(s) ? config_setting_length(s) : -1, number;
    size_t n_found;

    if (n < 0 || n > PROFILE_LIST_MAX)
        return profile_refuse(m, s, err, "RFC 7633 4.1: want numbers of TLS extensions, [ 5 ]");
    for (i = 0; i < n; i++) {
        /* Of 5L, another type, the profile's text would say nothing. */
        if (config_setting_type(config_setting_get_elem(s, (unsigned)i)) != CONFIG_TYPE_INT)
            return profile_refuse(m, s, err, "RFC 7633 4.1: want numbers from 1 to 65535");
        number = config_setting_get_int_elem(s, i);
        if (number < 1 || number > 65535)
            return profile_refuse(m, s, err, "RFC 7633 4.1: want numbers from 1 to 65535");
        v[i] = (unsigned)number;
    }
    if (n == 0)
        return 0;
    ext_add_tls_features(&value, v, (size_t)n);
    if (ext_read_tls_features(der_buf(&value), found, PROFILE_LIST_MAX, &n_found) != 0)
        return profile_refuse(m, s, err, "RFC 7633 4.1: want each number once");
    return profile_fix_ext(m, s, oid_der(OID_TLS_FEATURE), false, &value, err);
}

int profile_no_rev_avail(struct profile_making *m, config_setting_t *s, struct p11ca_err *err)
{
    AUTO_BUF value = BUF_INIT;

    if (config_setting_type(s) != CONFIG_TYPE_BOOL)
        return profile_refuse(m, s, err, "want true or false");
    if (!config_setting_get_bool(s))
        return 0;
    ext_add_null(&value);
    return profile_fix_ext(m, s, oid_der(OID_NO_REV_AVAIL), false, &value, err);
}

int profile_masa_url(struct profile_making *m, config_setting_t *s, struct p11ca_err *err)
{
    const char *url = config_setting_get_string(s);
    AUTO_BUF value = BUF_INIT;
    AUTO_SANS list = SAN_LIST_INIT;
    struct p11ca_err why;
    struct der back;

    if (!url)
        return profile_refuse(m, s, err, "RFC 8995 2.3.2: want a URI");
    ext_add_masa_url(&value, url);
    if (san_add(&list, SAN_URI, url, &why) != 0 || ext_read_masa_url(der_buf(&value), &back) != 0)
        return profile_refuse(m, s, err, "RFC 8995 2.3.2: want a URI, have '%s'", url);
    return profile_fix_ext(m, s, oid_der(OID_MASA_URL), false, &value, err);
}
