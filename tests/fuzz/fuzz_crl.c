/* CRLs: reading, entry by entry, and every lint rule. */
#include <string.h>

#include "fuzz.h"
#include "x509/crl.h"
#include "x509/lint.h"
#include "x509/name.h"
#include "x509/pem.h"

static void require_whole(const struct crl *crl)
{
    AUTO_BUF der = BUF_INIT;

    der_add_raw(&der, crl->tbs);
    der_add_raw(&der, crl->alg_id);
    der_add_bits(&der, crl->sig.p, crl->sig.len);
    der_close(&der, 0, DER_SEQUENCE);
    REQUIRE(buf_ok(&der) && der_equal(der_buf(&der), der_buf(&crl->der)));
}

/* crl_tbs_read() has seen every entry. */
static void walk(const struct crl *crl)
{
    struct der in = crl->t.revoked;
    struct crl_item item;
    size_t before;

    REQUIRE(crl->t.has_revoked || in.len == 0);
    while (in.len) {
        before = in.len;
        REQUIRE(crl_next_entry(&in, &item) == 0);
        REQUIRE(in.len < before && item.n_exts <= LIMIT_CRL_EXTS);
        REQUIRE(item.serial.len > 0);
    }
    REQUIRE(crl_next_entry(&in, &item) == -1);
}

static void verify(const struct crl *crl)
{
    struct p11ca_err err;

    (void)TAKES(crl_verify(crl, fuzz_key(), fuzz_issuer()->alg, &err));
}

static void require_named(void *arg, const struct lint_rule *rule, const struct p11ca_err *finding)
{
    size_t *n = arg;

    ++*n;
    REQUIRE(rule && finding->code[0]);
    fuzz_require_text((const uint8_t *)finding->msg, strlen(finding->msg), "");
}

/* As anybody's, below our issuer, as ours. */
static void lint(struct der der, bool readable)
{
    static const struct profile ours = {.name = "ours"};
    const struct lint_question questions[] = {
        {.rules = 0}, {.issuer = fuzz_issuer()}, {.issuer = fuzz_issuer(), .profile = &ours}};
    size_t i, n = 0;

    for (i = 0; i < 3; i++)
        lint_crl(der, &questions[i], require_named, &n);
    REQUIRE(readable || n >= 3);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
    AUTO_BUF text = BUF_INIT;
    struct p11ca_err err;
    struct crl crl;

    fuzz_fill(&crl, sizeof(crl));
    if (!TAKES(crl_read(p, len, &crl, &err))) {
        REQUIRE(fuzz_untouched(&crl, sizeof(crl)));
        if (len && p[0] == DER_SEQUENCE)
            lint(DER_OF(p, len), false);
        return 0;
    }
    require_whole(&crl);
    walk(&crl);
    (void)TAKES(crl_tbs_lint(crl.tbs, fuzz_issuer(), &err));
    if (TAKES(name_to_text(crl.t.issuer, &text, &err)))
        fuzz_require_text(text.p, text.len, "");
    verify(&crl);
    lint(der_buf(&crl.der), true);
    crl_done(&crl);
    return 0;
}
