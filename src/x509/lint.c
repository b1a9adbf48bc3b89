/* Asking the rows: which apply, and what a finding says. */
#include "x509/lint.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "x509/lint_row.h"

bool lint_have(struct lint *l, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(l->text, sizeof(l->text), fmt, ap);
    va_end(ap);
    return false;
}

bool lint_because(struct lint *l)
{
    l->told = true;
    return false;
}

/* --- the rules themselves --- */

static const struct lint_rule *const tables[] = {lint_rows_rfc5280, lint_rows_ext, lint_rows_profile,
    lint_rows_br, lint_rows_device, lint_rows_services, lint_rows_crl, lint_rows_entry, lint_rows_csr,
    lint_rows_ocsp, lint_rows_single};
#define N_CERT_TABLES 6
#define N_TABLES      (sizeof(tables) / sizeof(tables[0]))

const struct lint_rule *lint_rule_at(size_t i)
{
    const struct lint_rule *row;
    size_t k;

    for (k = 0; k < N_TABLES; k++) {
        for (row = tables[k]; row->id; row++) {
            if (i-- == 0)
                return row;
        }
    }
    return NULL;
}

const struct lint_rule *lint_rule_find(const char *id)
{
    const struct lint_rule *rule;
    size_t i;

    for (i = 0; (rule = lint_rule_at(i)); i++) {
        if (strcmp(rule->id, id) == 0)
            return rule;
    }
    return NULL;
}

bool lint_rule_exists(const char *id)
{
    return lint_rule_find(id) != NULL;
}

const char *lint_severity_text(enum lint_severity severity)
{
    static const char *const words[] = {
        [LINT_ERROR] = "error", [LINT_WARNING] = "warning", [LINT_NOTICE] = "notice"};

    return words[severity];
}

static const struct {
    unsigned bit;
    const char *name;
} families[] = {
    {RULES_BR, "br"},
    {RULES_IDEVID, "idevid"},
    {RULES_LDEVID, "ldevid"},
    {RULES_MATTER, "matter"},
    {RULES_SPIFFE, "spiffe"},
    {RULES_OCSP, "ocsp"},
    {RULES_PIV, "piv"},
};
#define N_FAMILIES (sizeof(families) / sizeof(families[0]))

const char *lint_family_at(size_t i)
{
    return i < N_FAMILIES ? families[i].name : NULL;
}

unsigned lint_family(const char *name, size_t len)
{
    size_t i;

    for (i = 0; i < N_FAMILIES; i++) {
        if (strlen(families[i].name) == len && memcmp(families[i].name, name, len) == 0)
            return families[i].bit;
    }
    return 0;
}

int lint_families(const char *names, unsigned *ret, struct p11ca_err *err)
{
    unsigned bits = 0, bit;
    size_t len;

    for (;; names += len + 1) {
        len = strcspn(names, ",");
        bit = lint_family(names, len);
        if (!bit)
            return err_set(err, P11CA_USAGE, "USAGE",
                "rules: want br, idevid, ldevid, matter, spiffe, ocsp, piv, with commas between, have '%.*s'",
                (int)(len < 32 ? len : 32), names);
        bits |= bit;
        if (!names[len])
            break;
    }
    *ret = bits;
    return 0;
}

static void add_word(char dst[LINT_APPLIES], const char *word)
{
    size_t len = strlen(dst);

    snprintf(dst + len, LINT_APPLIES - len, "%s%s", len ? ", " : "", word);
}

const char *lint_applies_text(const struct lint_rule *rule, char dst[LINT_APPLIES])
{
    static const struct {
        unsigned bit;
        const char *word;
    } words[] = {
        {ON_CA, "CA"},
        {ON_LEAF, "leaf"},
        {ON_ROOT, "self-issued"},
        {ON_ISSUED, "issued"},
        {ON_BELOW, "issuer at hand"},
        {ON_FINISHED, "signed"},
        {ON_PROFILED, "our own"},
        {ON_FOREIGN, "without profile"},
    };
    size_t i;

    snprintf(dst, LINT_APPLIES, "%s",
        rule->where & ON_CSR     ? "request"
        : rule->where & ON_OCSP  ? "OCSP response"
        : rule->where & ON_ENTRY ? "CRL entry"
        : rule->where & ON_CRL   ? "CRL"
                                 : "certificate");
    for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (rule->where & words[i].bit)
            add_word(dst, words[i].word);
    }
    for (i = 0; i < N_FAMILIES; i++) {
        if (rule->rules & families[i].bit)
            add_word(dst, families[i].name);
    }
    return dst;
}

/* --- skips --- */

static int bad_skip(
    const struct profile *p, const struct lint_skip *skip, const char *text, struct p11ca_err *err)
{
    char rule[64];

    text_escape(skip->rule ? skip->rule : "", skip->rule ? strlen(skip->rule) : 0, rule, sizeof(rule));
    return err_set(err, P11CA_CONFIG, "PROFILE", "profile '%s': skip '%s': %s", p->name, rule, text);
}

int lint_check_skips(const struct profile *p, struct p11ca_err *err)
{
    const struct lint_rule *rule;
    size_t i, k;

    for (i = 0; i < p->n_skips; i++) {
        const struct lint_skip *skip = &p->skips[i];

        rule = skip->rule ? lint_rule_find(skip->rule) : NULL;
        if (!rule || rule->where & (ON_CRL | ON_ENTRY | ON_CSR | ON_OCSP))
            return bad_skip(p, skip, "want the id of a rule for certificates (p11ca lint --list)", err);
        if (rule->where & ON_FIXED)
            return bad_skip(p, skip, "want a rule that may be skipped, have one that may never be", err);
        if (!skip->reason || strspn(skip->reason, " \t") == strlen(skip->reason))
            return bad_skip(p, skip, "want a reason, have none", err);
        for (k = 0; k < i; k++) {
            if (strcmp(p->skips[k].rule, skip->rule) == 0)
                return bad_skip(p, skip, "want each rule once, have it twice", err);
        }
    }
    return 0;
}

/* What lint_check_skips() would refuse skips nothing. */
static bool is_skipped(const struct lint *l, const struct lint_rule *rule)
{
    const struct profile *p = l->q.profile;
    size_t i;

    if (rule->where & ON_FIXED)
        return false;
    for (i = 0; i < p->n_skips; i++) {
        if (p->skips[i].rule && strcmp(p->skips[i].rule, rule->id) == 0)
            return p->skips[i].reason && p->skips[i].reason[0];
    }
    return false;
}

const char *lint_skip_text(const struct lint_skip *skip, char dst[LINT_SKIP_TEXT])
{
    int n = snprintf(dst, LINT_SKIP_TEXT, "%s: ", skip->rule);

    text_escape(skip->reason, strlen(skip->reason), dst + n, LINT_SKIP_TEXT - (size_t)n);
    return dst;
}

/* --- asking --- */

/* The ON_* that do not hold: no rule with one of them is asked. */
static unsigned absent(const struct lint *l)
{
    return (l->q.profile ? ON_FOREIGN : ON_PROFILED) | (l->facts_ok ? 0u : ON_READABLE) |
           (l->spki_ok ? 0u : ON_KEYED) | (l->whole.der.p ? 0u : ON_FINISHED) |
           (l->q.issuer ? 0u : ON_BELOW) | (l->is_ca ? ON_LEAF : ON_CA) |
           (l->self_issued ? ON_ISSUED : ON_ROOT);
}

static inline bool applies(const struct lint *l, const struct lint_rule *rule, unsigned missing)
{
    return !(rule->where & missing) && (!rule->rules || rule->rules & l->rules) &&
           (rule->severity == LINT_ERROR || !l->errors_only) &&
           !(l->q.profile && l->q.profile->n_skips && is_skipped(l, rule));
}

void lint_tell(struct lint *l, const struct lint_rule *rule, struct p11ca_err *ret)
{
    if (l->told)
        *ret = l->why;
    else if (rule->where & ON_ENTRY)
        err_set(ret, P11CA_REFUSED, rule->id, "CRL: entry %s: %s: %s: %s", l->serial, rule->source,
            rule->field, l->text);
    else
        err_set(ret, P11CA_REFUSED, rule->id, "%s%s: %s: %s",
            rule->where & ON_CRL    ? "CRL: "
            : rule->where & ON_OCSP ? "OCSP response: "
                                    : "",
            rule->source, rule->field, l->text);
    if (ret->kind == P11CA_NEGATIVE)
        ret->kind = P11CA_REFUSED;
    if (l->q.profile && !(rule->where & (ON_CRL | ON_ENTRY | ON_OCSP)) &&
        strncmp(ret->msg, "profile ", 8) != 0)
        err_prefix(ret, "profile '%s'", l->q.profile->name);
}

bool lint_ask(struct lint *l, const struct lint_rule *rows, lint_tell_fn *fn, void *arg)
{
    const unsigned missing = absent(l);
    struct p11ca_err finding;

    for (; rows->id; rows++) {
        l->told = false;
        if (!applies(l, rows, missing) || rows->check(l))
            continue;
        lint_tell(l, rows, &finding);
        if (!fn(arg, rows, &finding))
            return false;
    }
    return true;
}

bool lint_verify(struct lint *l, struct der alg_id, const struct spki *key)
{
    const struct sigalg *alg = sigalg_find(alg_id);

    if (!alg) /* another row */
        return true;
    if (alg->rsa != (key->kind == KEY_RSA))
        return lint_have(l, "want one by the issuer's key, have %s, which it cannot make", alg->text);
    if (sigalg_verify_by(key, alg, l->tbs, l->whole.sig, &l->why) == 0)
        return true;
    return l->why.kind == P11CA_NEGATIVE ? lint_have(l, "want one by the issuer's key, have another")
                                         : lint_because(l);
}

const char *lint_weak_digest(struct der alg_id, char dst[OID_TEXT])
{
    static const enum oid weak[] = {OID_ECDSA_SHA1, OID_ECDSA_SHA224, OID_RSA_SHA1, OID_RSA_SHA224,
        OID_RSA_MD5, OID_RSA_MD4, OID_RSA_MD2};
    struct der seq, oid;
    size_t i;

    if (der_whole(alg_id, DER_SEQUENCE, &seq) != 0 || der_next(&seq, DER_OID, &oid) != 0)
        return NULL;
    for (i = 0; i < sizeof(weak) / sizeof(weak[0]); i++) {
        if (oid_is(oid, weak[i]))
            return oid_text(oid, dst);
    }
    return NULL;
}

/* --- certificates --- */

static int start(struct lint *l, struct p11ca_err *err)
{
    struct p11ca_err better;

    if (tbs_read(l->tbs, &l->t, err) != 0) {
        if (der_check(l->tbs, DER_MAX_DEPTH, "certificate", &better) != 0)
            *err = better;
        return -1;
    }
    l->rules = l->q.rules | (l->q.profile ? l->q.profile->rules : 0);
    l->f.pathlen = -1;
    l->facts_ok = tbs_facts(&l->t, &l->f, &l->facts_why) == 0;
    l->spki_ok = spki_read(l->t.spki.p, l->t.spki.len, &l->spki, &l->spki_why) == 0;
    l->self_issued = der_equal(l->t.issuer, l->t.subject);
    l->is_ca = l->f.is_ca || (!l->f.has_bc && l->self_issued);
    return 0;
}

static bool ask_all(struct lint *l, lint_tell_fn *fn, void *arg)
{
    size_t i;

    for (i = 0; i < N_CERT_TABLES; i++) {
        if (!lint_ask(l, tables[i], fn, arg))
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

int tbs_lint(
    struct der tbs, const struct profile *profile, const struct issuer *issuer, struct p11ca_err *err)
{
    struct lint l = {.tbs = tbs, .errors_only = true, .q = {.profile = profile, .issuer = issuer}};

    if (start(&l, err) != 0)
        return -1;
    return ask_all(&l, stop, err) ? 0 : -1;
}

struct errors {
    lint_fn *fn;
    void *arg;
    int n;
};

static bool pass_error(void *arg, const struct lint_rule *rule, const struct p11ca_err *finding)
{
    struct errors *e = arg;

    (void)rule;
    e->fn(e->arg, finding);
    e->n++;
    return true;
}

int tbs_lint_each(struct der tbs, const struct profile *profile, const struct issuer *issuer, lint_fn *fn,
    void *arg, struct p11ca_err *err)
{
    struct lint l = {.tbs = tbs, .errors_only = true, .q = {.profile = profile, .issuer = issuer}};
    struct errors e = {fn, arg, 0};

    if (start(&l, err) != 0)
        return -1;
    (void)ask_all(&l, pass_error, &e);
    return e.n;
}

struct all {
    lint_finding_fn *fn;
    void *arg;
};

static bool pass_all(void *arg, const struct lint_rule *rule, const struct p11ca_err *finding)
{
    const struct all *all = arg;

    all->fn(all->arg, rule, finding);
    return true;
}

void lint_tbs(struct der tbs, const struct lint_question *q, lint_finding_fn *fn, void *arg)
{
    struct lint l = {.tbs = tbs, .q = *q};
    struct all all = {fn, arg};
    struct p11ca_err why;

    if (start(&l, &why) != 0)
        fn(arg, lint_rule_find("LINT_SYNTAX"), &why);
    else
        (void)ask_all(&l, pass_all, &all);
}

/* Of a certificate or a CRL: their outer forms are the same. */
static int split(struct der der, struct lint *l, const char *what, const char *code, struct p11ca_err *err)
{
    struct der seq;

    if (der_whole(der, DER_SEQUENCE, &seq) != 0 || der_next_tlv(&seq, DER_SEQUENCE, &l->tbs) != 0 ||
        der_next_tlv(&seq, DER_SEQUENCE, &l->whole.alg_id) != 0 || der_next_bits(&seq, &l->whole.sig) != 0 ||
        seq.len != 0)
        return der_check(der, DER_MAX_DEPTH, what, err) != 0
                   ? -1
                   : err_set(err, P11CA_REFUSED, code,
                         "%s: RFC 5280 4.1: want signed part, algorithm, signature, have something else",
                         what);
    l->whole.der = der;
    return 0;
}

void lint_cert(struct der cert, const struct lint_question *q, lint_finding_fn *fn, void *arg)
{
    struct lint l = {.q = *q};
    struct all all = {fn, arg};
    struct p11ca_err why;

    if (split(cert, &l, "certificate", "CERT_SYNTAX", &why) != 0 || start(&l, &why) != 0)
        fn(arg, lint_rule_find("LINT_SYNTAX"), &why);
    else
        (void)ask_all(&l, pass_all, &all);
}

/* --- CRLs --- */

#define MAX_ENTRY_ROWS 16

/* Of a million entries that break a rule the first is enough. */
static bool ask_entry(struct lint *l, bool told[MAX_ENTRY_ROWS], lint_tell_fn *fn, void *arg)
{
    size_t i, len = l->item.serial.len <= SERIAL_LEN ? l->item.serial.len : SERIAL_LEN;
    const unsigned missing = absent(l);
    struct p11ca_err finding;

    for (i = 0; i < MAX_ENTRY_ROWS && lint_rows_entry[i].id; i++) {
        const struct lint_rule *rule = &lint_rows_entry[i];

        l->told = false;
        if (told[i] || !applies(l, rule, missing) || rule->check(l))
            continue;
        told[i] = true;
        text_hex(l->item.serial.p, len, l->serial);
        lint_tell(l, rule, &finding);
        if (!fn(arg, rule, &finding))
            return false;
    }
    return true;
}

static bool ask_crl(struct lint *l, lint_tell_fn *fn, void *arg)
{
    struct der in = l->crl.revoked;
    bool told[MAX_ENTRY_ROWS] = {false};

    if (!lint_ask(l, lint_rows_crl, fn, arg))
        return false;
    /* crl_tbs_read() has been through all of them. */
    while (in.len && crl_next_entry(&in, &l->item) == 0) {
        if (!ask_entry(l, told, fn, arg))
            return false;
        l->before = l->item.serial;
    }
    return true;
}

/* Our own are judged as by a profile, which is that of crl_build.c. */
static const struct profile own_crl = {.name = "CRL"};

int crl_tbs_lint(struct der tbs, const struct issuer *issuer, struct p11ca_err *err)
{
    struct lint l = {.tbs = tbs, .errors_only = true, .q = {.profile = &own_crl, .issuer = issuer}};

    if (crl_tbs_read(tbs, &l.crl, err) != 0)
        return -1;
    return ask_crl(&l, stop, err) ? 0 : -1;
}

void lint_crl(struct der crl, const struct lint_question *q, lint_finding_fn *fn, void *arg)
{
    struct lint l = {.q = {.issuer = q->issuer, .profile = q->profile ? &own_crl : NULL}};
    struct all all = {fn, arg};
    struct p11ca_err why;

    if (split(crl, &l, "CRL", "CRL_SYNTAX", &why) != 0 || crl_tbs_read(l.tbs, &l.crl, &why) != 0)
        fn(arg, lint_rule_find("CRL_SYNTAX"), &why);
    else
        (void)ask_crl(&l, pass_all, &all);
}

/* --- requests --- */

/* Asking for a CA is no fault of itself: LINT_CSR_CA says so, unless a profile says what it is to become. */
void lint_csr(struct der der, const struct lint_question *q, lint_finding_fn *fn, void *arg)
{
    unsigned flags = q->profile && !q->profile->is_ca ? 0 : CSR_FOR_CA;
    struct lint l = {.q = *q, .whole = {.der = der}};
    struct all all = {fn, arg};
    AUTO_CSR csr = CSR_INIT;
    struct p11ca_err why;

    if (csr_read(der.p, der.len, flags, &csr, &why) != 0) {
        fn(arg, lint_rule_find("LINT_CSR"), &why);
        return;
    }
    l.csr = &csr;
    (void)lint_ask(&l, lint_rows_csr, pass_all, &all);
}
