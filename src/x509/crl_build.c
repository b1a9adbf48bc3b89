/* The to-be-signed bytes of a CRL, put together from a plan. */
#include "x509/crl.h"

#include <stdlib.h>
#include <string.h>

static void add_invalidity(const struct crl_entry *e, struct buf *b)
{
    der_add_generalized_time(b, e->invalid_since);
}

static void add_reason(const struct crl_entry *e, struct buf *b)
{
    uint8_t octet = (uint8_t)e->reason;

    der_add(b, DER_ENUMERATED, &octet, 1);
}

/* RFC 5280 5.3.1: unspecified is said by saying nothing. */
static bool has_reason(const struct crl_entry *e)
{
    return e->reason > CRL_UNSPECIFIED;
}

static bool has_invalidity(const struct crl_entry *e)
{
    return e->invalid_since != 0 && e->invalid_since != e->revoked_at;
}

/* In this order in the entry; none is critical (RFC 5280 5.3). */
static const struct {
    enum oid oid;
    bool (*wanted)(const struct crl_entry *e);
    void (*add)(const struct crl_entry *e, struct buf *b);
} entry_exts[] = {
    {OID_CRL_REASON, has_reason, add_reason},
    {OID_INVALIDITY_DATE, has_invalidity, add_invalidity},
};

static void add_entry_exts(const struct crl_entry *e, struct buf *b)
{
    size_t i, one, at = der_open(b);

    for (i = 0; i < sizeof(entry_exts) / sizeof(entry_exts[0]); i++) {
        if (!entry_exts[i].wanted(e))
            continue;
        one = der_open(b);
        entry_exts[i].add(e, b);
        ext_close(b, one, entry_exts[i].oid, false);
    }
    if (b->len != at)
        der_close(b, at, DER_SEQUENCE);
}

static void add_entry(const struct crl_entry *e, struct buf *b)
{
    size_t at = der_open(b);

    /* Not der_add_integer(): the very octets of the certificate. */
    der_add(b, DER_INTEGER, e->serial, e->serial_len);
    der_add_time(b, e->revoked_at);
    add_entry_exts(e, b);
    der_close(b, at, DER_SEQUENCE);
}

/* Positive integers in their shortest form: the longer is the greater, a leading zero octet being part of the form. */
static int by_serial(const void *a, const void *b)
{
    const struct crl_entry *x = a, *y = b;

    if (x->serial_len != y->serial_len)
        return x->serial_len < y->serial_len ? -1 : 1;
    return memcmp(x->serial, y->serial, x->serial_len);
}

/* The order is nobody's demand; it makes the same list the same bytes. */
static int add_sorted(struct crl_writer *w, const struct crl_plan *plan, struct p11ca_err *err)
{
    struct crl_entry *sorted;
    size_t i;

    if (plan->n == 0)
        return 0;
    sorted = calloc(plan->n, sizeof(*sorted));
    if (!sorted)
        return err_nomem(err);
    memcpy(sorted, plan->entries, plan->n * sizeof(*sorted));
    qsort(sorted, plan->n, sizeof(*sorted), by_serial);
    for (i = 0; i < plan->n; i++)
        crl_tbs_add(w, &sorted[i]);
    free(sorted);
    return 0;
}

static void add_aki(const struct crl_plan *plan, struct buf *b)
{
    size_t at = der_open(b);

    der_add(b, DER_CONTEXT(0), plan->issuer->ski, plan->issuer->ski_len);
    der_close(b, at, DER_SEQUENCE);
}

static void add_integer(struct buf *b, uint64_t v)
{
    uint8_t be[8];
    size_t i;

    for (i = 0; i < sizeof(be); i++)
        be[i] = (uint8_t)(v >> (56 - 8 * i));
    der_add_integer(b, be, sizeof(be));
}

static void add_number(const struct crl_plan *plan, struct buf *b)
{
    add_integer(b, plan->number);
}

static void add_base(const struct crl_plan *plan, struct buf *b)
{
    add_integer(b, plan->base);
}

/* distributionPoint [0] { fullName [0] { uniformResourceIdentifier [6] } } */
static void add_issuing_dp(const struct crl_plan *plan, struct buf *b)
{
    size_t seq = der_open(b), point = der_open(b), full = der_open(b);

    der_add(b, DER_CONTEXT(6), plan->issuing_url, strlen(plan->issuing_url));
    der_close(b, full, DER_CONTEXT_CONSTRUCTED(0));
    der_close(b, point, DER_CONTEXT_CONSTRUCTED(0));
    der_close(b, seq, DER_SEQUENCE);
}

static bool always(const struct crl_plan *plan)
{
    (void)plan;
    return true;
}

static bool is_delta(const struct crl_plan *plan)
{
    return plan->base != 0;
}

static bool is_part(const struct crl_plan *plan)
{
    return plan->issuing_url != NULL;
}

/* In this order in the CRL. RFC 5280 5.2: whoever does not know the last two must not take the CRL for a complete one. */
static const struct {
    enum oid oid;
    bool critical;
    bool (*wanted)(const struct crl_plan *plan);
    void (*add)(const struct crl_plan *plan, struct buf *b);
} exts[] = {
    {OID_AKI, false, always, add_aki},
    {OID_CRL_NUMBER, false, always, add_number},
    {OID_DELTA_CRL, true, is_delta, add_base},
    {OID_ISSUING_DP, true, is_part, add_issuing_dp},
};

static void add_exts(const struct crl_plan *plan, struct buf *b)
{
    size_t i, one, at = der_open(b);

    for (i = 0; i < sizeof(exts) / sizeof(exts[0]); i++) {
        if (!exts[i].wanted(plan))
            continue;
        one = der_open(b);
        exts[i].add(plan, b);
        ext_close(b, one, exts[i].oid, exts[i].critical);
    }
    der_close(b, at, DER_SEQUENCE);
    der_close(b, at, DER_CONTEXT_CONSTRUCTED(0));
}

void crl_tbs_begin(struct crl_writer *ret, const struct crl_plan *plan, struct buf *to)
{
    *ret = (struct crl_writer){.plan = plan, .to = to, .at = der_open(to)};
    der_add_uint(to, 1); /* v2 */
    der_add_raw(to, plan->issuer->alg->id);
    der_add_raw(to, plan->issuer->subject);
    der_add_time(to, plan->this_update);
    der_add_time(to, plan->next_update);
    ret->revoked = der_open(to);
}

void crl_tbs_add(struct crl_writer *w, const struct crl_entry *e)
{
    add_entry(e, w->to);
}

int crl_tbs_end(struct crl_writer *w, struct p11ca_err *err)
{
    /* RFC 5280 5.1.2.6: an empty list is absent. */
    if (w->to->len != w->revoked)
        der_close(w->to, w->revoked, DER_SEQUENCE);
    add_exts(w->plan, w->to);
    der_close(w->to, w->at, DER_SEQUENCE);
    return buf_ok(w->to) ? 0
                         : err_set(err, P11CA_BUG, "TBS", "CRL: no memory, or a time outside 1950 to 9999");
}

int crl_tbs_build(const struct crl_plan *plan, struct buf *ret, struct p11ca_err *err)
{
    struct crl_writer w;

    crl_tbs_begin(&w, plan, ret);
    return add_sorted(&w, plan, err) == 0 ? crl_tbs_end(&w, err) : -1;
}
