/* The rules of OCSP responses: those of everybody, and those of ours, which are made beforehand, one certificate each. */
#include "x509/lint_row.h"

#include "base/text.h"

static bool have_time(struct lint *l, const char *rule, int64_t limit, int64_t found)
{
    char want[TEXT_TIME], time[TEXT_TIME];

    text_time(limit, want);
    text_time(found, time);
    return lint_have(l, "want a time %s, %s, have %s", rule, want, time);
}

static bool check_read(struct lint *l)
{
    (void)l;
    return true; /* asked before: nothing else could be */
}

/* --- the response --- */

static bool check_status(struct lint *l)
{
    static const char *const words[] = {
        "successful", "malformedRequest", "internalError", "tryLater", "", "sigRequired", "unauthorized"};

    return l->ocsp.status == 0 || lint_have(l, "want successful, have %s", words[l->ocsp.status]);
}

static bool check_der(struct lint *l)
{
    bool good = l->whole.der.p ? ocsp_is_canonical(l->whole.der) : der_is_canonical(l->tbs, DER_MAX_DEPTH);

    return good || lint_have(l, "want the one DER form, have another");
}

static bool check_weak(struct lint *l)
{
    char name[OID_TEXT];
    const char *weak = lint_weak_digest(l->ocsp.alg_id, name);

    return !weak || lint_have(l, "want SHA-256, SHA-384 or SHA-512, have %s", weak);
}

static bool check_signer(struct lint *l)
{
    if (l->signer)
        return true;
    l->why = l->signer_why;
    return lint_because(l);
}

static bool check_nocheck(struct lint *l)
{
    return !l->signer || !l->signer->cert.der.len || tbs_ext(&l->signer->cert.t, OID_OCSP_NOCHECK) ||
           lint_have(l, "want it in the signer's certificate, have none");
}

static bool check_responder(struct lint *l)
{
    const struct ocsp_tbs *t = &l->ocsp.t;
    struct der name;

    if (!l->signer)
        return true; /* another row */
    name = l->signer->cert.der.len ? l->signer->cert.t.subject : l->signer->ca->subject;
    if (t->by_name.p)
        return der_equal(t->by_name, name) || lint_have(l, "want the signer's subject, have another name");
    return der_equal(t->by_key, DER_OF(l->signer->key_sha1, SKI_LEN)) ||
           lint_have(l, "want SHA-1 of the signer's key, have another value");
}

static bool check_signature(struct lint *l)
{
    char name[OID_TEXT];

    if (l->signer && !sigalg_find(l->ocsp.alg_id) && !lint_weak_digest(l->ocsp.alg_id, name))
        return lint_have(l, "want one that can be verified, have one of another algorithm");
    return !l->signer || lint_verify(l, l->ocsp.alg_id, &l->signer->spki);
}

static bool check_certs(struct lint *l)
{
    struct der rest = l->ocsp.certs, cert;
    size_t n = 0;

    while (rest.len && der_next_any(&rest, &cert) == 0)
        n++;
    return n <= 1 || lint_have(l, "want at most the signer's, have %zu", n);
}

static bool check_produced(struct lint *l)
{
    const struct ocsp_signer *s = l->signer;

    if (s && l->ocsp.t.produced_at < s->not_before)
        return have_time(l, "from the signer's notBefore on", s->not_before, l->ocsp.t.produced_at);
    return !s || l->ocsp.t.produced_at <= s->not_after ||
           have_time(l, "up to the signer's notAfter", s->not_after, l->ocsp.t.produced_at);
}

static bool check_exts(struct lint *l)
{
    return l->ocsp.t.n_exts == 0 || lint_have(l, "want none, have %zu", l->ocsp.t.n_exts);
}

static bool check_one(struct lint *l)
{
    return l->ocsp.t.n_singles == 1 || lint_have(l, "want one answer, have %zu", l->ocsp.t.n_singles);
}

/* --- its answers --- */

static bool check_id(struct lint *l)
{
    struct ocsp_id ids[OCSP_HASHES];

    if (ocsp_ids(l->q.issuer, ids, &l->why) != 0)
        return lint_because(l);
    return ocsp_single_is_of(&l->single, ids, NULL) ||
           lint_have(l, "want SHA-1 or SHA-256 of the issuer's name and key, have others");
}

static bool check_serial(struct lint *l)
{
    struct der n = l->single.serial;

    if (n.len == 0 || n.len > SERIAL_LEN)
        return lint_have(l, "want 1 to %d octets, have %zu", SERIAL_LEN, n.len);
    if (n.p[0] & 0x80)
        return lint_have(l, "want a positive number, have a negative one");
    return n.len > 1 || n.p[0] || lint_have(l, "want a positive number, have zero");
}

/* What is not known has no response made beforehand. */
static bool check_known(struct lint *l)
{
    return l->single.status != OCSP_UNKNOWN || lint_have(l, "want good or revoked, have unknown");
}

static bool check_this_update(struct lint *l)
{
    return l->single.this_update <= l->ocsp.t.produced_at ||
           have_time(l, "up to producedAt", l->ocsp.t.produced_at, l->single.this_update);
}

static bool check_next_update(struct lint *l)
{
    const struct ocsp_single *s = &l->single;

    if (!s->has_next_update)
        return !l->q.profile || lint_have(l, "want it, have none");
    if (s->next_update <= s->this_update)
        return have_time(l, "after thisUpdate", s->this_update, s->next_update);
    /* Nobody could verify it any more: the signer's certificate has ended. */
    return !l->q.profile || s->next_update <= l->signer->not_after ||
           have_time(l, "up to the signer's notAfter", l->signer->not_after, s->next_update);
}

static bool check_revoked_at(struct lint *l)
{
    const struct ocsp_single *s = &l->single;

    return s->status != OCSP_REVOKED || s->revoked_at <= s->this_update ||
           have_time(l, "up to thisUpdate", s->this_update, s->revoked_at);
}

static bool check_reason(struct lint *l)
{
    int reason = l->single.reason;

    if (reason > 10 || reason == 7 || reason == CRL_REMOVE)
        return lint_have(l, "want one of the reasons, have %d", reason);
    return !l->q.profile || reason != CRL_UNSPECIFIED ||
           lint_have(l, "want unspecified (0) left out, have it");
}

static bool check_single_exts(struct lint *l)
{
    return l->single.n_exts == 0 || lint_have(l, "want none, have %zu", l->single.n_exts);
}

/* --- the tables --- */

#define ALL    ON_OCSP
#define OURS   (ON_OCSP | ON_PROFILED)
#define THEIRS (ON_OCSP | ON_FOREIGN)

const struct lint_rule lint_rows_ocsp[] = {
    {"OCSP_SYNTAX", "RFC 6960 4.2.1", "form", LINT_ERROR, ALL | ON_FIXED, 0, check_read},
    {"OCSP_STATUS", "RFC 6960 4.2.1", "responseStatus", LINT_ERROR, ALL, 0, check_status},
    {.id = NULL},
};

/* Of one that is successful; the first of its kind is told once, however many answers there are. */
const struct lint_rule lint_rows_single[] = {
    {"OCSP_DER", "X.690 11", "encoding", LINT_ERROR, ALL, 0, check_der},
    {"OCSP_WEAK", "SP 800-57 5.6.1", "signature", LINT_ERROR, THEIRS, 0, check_weak},
    {"OCSP_SIGNER", "RFC 6960 4.2.2.2", "signer", LINT_ERROR, ALL | ON_BELOW, 0, check_signer},
    {"OCSP_NOCHECK", "RFC 6960 4.2.2.2.1", "id-pkix-ocsp-nocheck", LINT_WARNING, ALL | ON_BELOW, 0,
        check_nocheck},
    {"OCSP_RESPONDER", "RFC 6960 4.2.2.3", "responderID", LINT_ERROR, ALL | ON_BELOW, 0, check_responder},
    {"OCSP_SIGNATURE", "RFC 6960 3.2", "signature", LINT_ERROR, ALL | ON_BELOW | ON_FINISHED, 0,
        check_signature},
    {"OCSP_CERTS", "RFC 5019 2.2.1", "certs", LINT_WARNING, THEIRS, 0, check_certs},
    {"OCSP_PRODUCED", "RFC 6960 2.4", "producedAt", LINT_ERROR, ALL | ON_BELOW, 0, check_produced},
    {"OCSP_EXTS", "RFC 5019 2.2.1", "responseExtensions", LINT_ERROR, OURS, 0, check_exts},
    {"OCSP_ONE", "RFC 5019 2.2.1", "responses", LINT_ERROR, OURS, 0, check_one},
    {"OCSP_ID", "RFC 6960 4.1.1", "certID", LINT_ERROR, ALL | ON_BELOW, 0, check_id},
    {"OCSP_SERIAL", "RFC 5280 4.1.2.2", "serialNumber", LINT_ERROR, ALL, 0, check_serial},
    {"OCSP_KNOWN", "RFC 6960 2.2", "certStatus", LINT_ERROR, OURS, 0, check_known},
    {"OCSP_THIS_UPDATE", "RFC 6960 2.4", "thisUpdate", LINT_ERROR, OURS, 0, check_this_update},
    {"OCSP_NEXT_UPDATE", "RFC 6960 4.2.2.1", "nextUpdate", LINT_ERROR, ALL, 0, check_next_update},
    {"OCSP_REVOKED_AT", "RFC 6960 2.2", "revocationTime", LINT_ERROR, OURS, 0, check_revoked_at},
    {"OCSP_REASON", "RFC 5280 5.3.1", "revocationReason", LINT_ERROR, ALL, 0, check_reason},
    {"OCSP_SINGLE_EXTS", "RFC 5019 2.2.1", "singleExtensions", LINT_ERROR, OURS, 0, check_single_exts},
    {.id = NULL},
};
#define N_SINGLE (sizeof(lint_rows_single) / sizeof(lint_rows_single[0]))

/* --- asking --- */

/* Our own are judged as by a profile, which is that of ocsp_build.c. */
static const struct profile own_ocsp = {.name = "OCSP response"};

struct telling {
    lint_tell_fn *fn;
    void *arg;
    bool told[N_SINGLE];
};

static bool tell_once(void *arg, const struct lint_rule *rule, const struct p11ca_err *finding)
{
    struct telling *t = arg;
    bool *told = &t->told[rule - lint_rows_single];

    if (*told)
        return true;
    *told = true;
    return t->fn(t->arg, rule, finding);
}

/* ocsp_tbs_read() has been through all of them. */
static bool ask(struct lint *l, lint_tell_fn *fn, void *arg)
{
    struct telling t = {.fn = fn, .arg = arg};
    struct der in = l->ocsp.t.singles;

    while (in.len && ocsp_next_single(&in, &l->single) == 0) {
        if (!lint_ask(l, lint_rows_single, tell_once, &t))
            return false;
    }
    return true;
}

static bool stop(void *arg, const struct lint_rule *rule, const struct p11ca_err *finding)
{
    (void)rule;
    *(struct p11ca_err *)arg = *finding;
    return false;
}

int ocsp_tbs_lint(struct der tbs, const struct ocsp_signer *signer, struct p11ca_err *err)
{
    struct lint l = {
        .tbs = tbs, .errors_only = true, .signer = signer, .q = {.profile = &own_ocsp, .issuer = signer->ca}};

    if (ocsp_tbs_read(tbs, &l.ocsp.t, err) != 0)
        return -1;
    return ask(&l, stop, err) ? 0 : -1;
}

struct all {
    lint_finding_fn *fn;
    void *arg;
};

static bool pass(void *arg, const struct lint_rule *rule, const struct p11ca_err *finding)
{
    const struct all *all = arg;

    all->fn(all->arg, rule, finding);
    return true;
}

/* The first certificate that is with it, or none: the CA itself. */
static struct ocsp_signer *find_signer(struct lint *l)
{
    struct der certs = l->ocsp.certs, cert;
    struct ocsp_signer *signer = NULL;
    int rc;

    if (!l->q.issuer)
        return NULL;
    if (certs.len && der_next_any(&certs, &cert) == 0 && !der_equal(cert, der_buf(&l->q.issuer->cert)))
        rc = ocsp_signer_read(l->q.issuer, cert, &signer, &l->signer_why);
    else
        rc = ocsp_signer_ca(l->q.issuer, &signer, &l->signer_why);
    return rc == 0 ? signer : NULL;
}

void lint_ocsp(struct der response, const struct lint_question *q, lint_finding_fn *fn, void *arg)
{
    struct lint l = {.q = {.issuer = q->issuer}, .whole = {.der = response}};
    struct all all = {fn, arg};
    struct ocsp_signer *signer;
    struct p11ca_err why;

    if (ocsp_read(response, &l.ocsp, &why) != 0) {
        fn(arg, &lint_rows_ocsp[0], &why);
        return;
    }
    l.tbs = l.ocsp.tbs;
    l.whole.alg_id = l.ocsp.alg_id;
    l.whole.sig = l.ocsp.sig;
    l.signer = signer = find_signer(&l);
    if (lint_ask(&l, lint_rows_ocsp, pass, &all))
        (void)ask(&l, pass, &all);
    ocsp_signer_free(signer);
}
