/* Certificates: reading, every lint rule with and without an issuer and a profile, what issuing needs of a CA's. */
#include <string.h>

#include "fuzz.h"
#include "x509/cert.h"
#include "x509/lint.h"
#include "x509/name.h"
#include "x509/pem.h"

SCOPE_DEFINE(issuer, struct issuer *, issuer_free)

static void require_whole(const struct cert *cert)
{
    AUTO_BUF der = BUF_INIT;

    der_add_raw(&der, cert->tbs);
    der_add_raw(&der, cert->alg_id);
    der_add_bits(&der, cert->sig.p, cert->sig.len);
    der_close(&der, 0, DER_SEQUENCE);
    REQUIRE(buf_ok(&der) && der_equal(der_buf(&der), der_buf(&cert->der)));
}

static void require_finding(void *arg, const struct p11ca_err *finding)
{
    size_t *n = arg;

    ++*n;
    (void)fuzz_judge(-1, finding);
}

/* The first finding alone, and all of them: the one is there when the others are. */
static void lint(const struct cert *cert, const struct profile *profile, const struct issuer *issuer)
{
    struct p11ca_err err;
    size_t n = 0;
    int rc;

    fuzz_blank(&err);
    rc = tbs_lint_each(cert->tbs, profile, issuer, require_finding, &n, &err);
    REQUIRE(rc >= 0 && (size_t)rc == n);
    REQUIRE(TAKES(tbs_lint(cert->tbs, profile, issuer, &err)) == (n == 0));
}

static void lint_all(const struct cert *cert)
{
    const struct profile *profile;
    size_t i;

    lint(cert, NULL, NULL);
    lint(cert, NULL, fuzz_issuer());
    for (i = 0; (profile = profile_at(i)); i++)
        lint(cert, profile, profile->self_signed ? NULL : fuzz_issuer());
}

/* Every rule of every family, of whatever was read; what is to be signed is asked nothing that the whole is not. */
static void require_named(void *arg, const struct lint_rule *rule, const struct p11ca_err *finding)
{
    size_t *n = arg;

    ++*n;
    REQUIRE(rule && finding->code[0]);
    fuzz_require_text((const uint8_t *)finding->msg, strlen(finding->msg), "");
}

#define ALL_RULES                                                                                            \
    (RULES_BR | RULES_IDEVID | RULES_LDEVID | RULES_MATTER | RULES_SPIFFE | RULES_OCSP | RULES_PIV)

static void lint_whole(struct der der, const struct cert *cert)
{
    const struct lint_question questions[] = {
        {.rules = ALL_RULES}, {.rules = ALL_RULES, .issuer = fuzz_issuer()}};
    size_t i, whole, tbs;

    for (i = 0; i < 2; i++) {
        whole = tbs = 0;
        lint_cert(der, &questions[i], require_named, &whole);
        REQUIRE(cert || whole);
        if (cert)
            lint_tbs(cert->tbs, &questions[i], require_named, &tbs);
        REQUIRE(whole >= tbs);
    }
}

static bool inside(struct der part, const struct cert *cert)
{
    return part.len == 0 || (part.p >= cert->der.p && part.p + part.len <= cert->der.p + cert->der.len);
}

static void read_facts(const struct cert *cert)
{
    AUTO_SANS sans = SAN_LIST_INIT;
    struct cert_facts facts;
    struct p11ca_err err;

    fuzz_fill(&facts, sizeof(facts));
    if (!TAKES(tbs_facts(&cert->t, &facts, &err))) {
        REQUIRE(fuzz_untouched(&facts, sizeof(facts)));
        return;
    }
    REQUIRE(facts.is_ca == cert_is_ca(cert));
    REQUIRE(inside(facts.ski, cert) && inside(facts.aki, cert) && inside(facts.san, cert));
    if (facts.san.p && TAKES(san_from_der(facts.san, &sans, &err)))
        fuzz_require_sans(&sans);
}

/* Foreign names may be of any kind: a text or a reason. */
static void show_name(struct der name)
{
    AUTO_BUF text = BUF_INIT;
    struct p11ca_err err;

    if (TAKES(name_to_text(name, &text, &err)))
        fuzz_require_text(text.p, text.len, "");
    else
        REQUIRE(text.len == 0);
}

static void verify(const struct cert *cert, const struct issuer *issuer)
{
    struct p11ca_err err;

    (void)TAKES(cert_verify(cert, issuer->pub, issuer->alg, &err));
}

/* What is taken as an issuer is a certificate that can be one. */
static void read_issuer(const uint8_t *p, size_t len, const struct cert *cert)
{
    SCOPED(issuer) struct issuer *issuer = NULL;
    struct p11ca_err err;

    if (!TAKES(issuer_read(p, len, &issuer, &err))) {
        REQUIRE(!issuer);
        return;
    }
    REQUIRE(cert && cert_is_ca(cert) && !name_is_empty(issuer->subject));
    REQUIRE(issuer->pub && issuer->alg && issuer->ski_len);
    REQUIRE(der_equal(der_buf(&issuer->cert), der_buf(&cert->der)));
    verify(cert, issuer);
    lint(cert, NULL, issuer);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
    struct p11ca_err err;
    struct cert cert;

    fuzz_fill(&cert, sizeof(cert));
    if (!TAKES(cert_read(p, len, &cert, &err))) {
        REQUIRE(fuzz_untouched(&cert, sizeof(cert)));
        if (len && p[0] == DER_SEQUENCE)
            lint_whole(DER_OF(p, len), NULL);
        read_issuer(p, len, NULL);
        return 0;
    }
    require_whole(&cert);
    lint_all(&cert);
    lint_whole(der_buf(&cert.der), &cert);
    read_facts(&cert);
    show_name(cert.t.subject);
    show_name(cert.t.issuer);
    read_issuer(p, len, &cert);
    cert_done(&cert);
    return 0;
}
