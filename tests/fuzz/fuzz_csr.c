/* Certification requests, as intake reads them; and the same request signed anew, to get behind the signature. */
#include <openssl/x509.h>
#include <string.h>

#include "base/limits.h"
#include "fuzz.h"
#include "x509/csr.h"
#include "x509/lint.h"
#include "x509/name.h"
#include "x509/ossl.h"
#include "x509/pem.h"

SCOPE_DEFINE(req, X509_REQ *, X509_REQ_free)

/* Put together again from its parts it is what it was. */
static void require_whole(const struct csr *csr)
{
    AUTO_BUF der = BUF_INIT;

    der_add_raw(&der, csr->info);
    der_add_raw(&der, csr->alg->id);
    der_add_bits(&der, csr->sig.p, csr->sig.len);
    der_close(&der, 0, DER_SEQUENCE);
    REQUIRE(buf_ok(&der) && der_equal(der_buf(&der), der_buf(&csr->der)));
}

/* What we take, others take, and their signature check agrees. */
static void require_openssl(const struct csr *csr)
{
    const unsigned char *p = csr->der.p;
    SCOPED(req) X509_REQ *req = d2i_X509_REQ(NULL, &p, (long)csr->der.len);

    REQUIRE(req && p == csr->der.p + csr->der.len);
    REQUIRE(X509_REQ_verify(req, X509_REQ_get0_pubkey(req)) == 1);
}

static void require_pem(const struct csr *csr, unsigned flags)
{
    AUTO_BUF pem = BUF_INIT;
    AUTO_CSR again = CSR_INIT;
    struct p11ca_err err;

    pem_encode(PEM_CSR, der_buf(&csr->der), &pem);
    if (pem.len > LIMIT_CSR)
        return;
    REQUIRE(TAKES(csr_read(pem.p, pem.len, flags, &again, &err)));
    REQUIRE(der_equal(der_buf(&csr->der), der_buf(&again.der)));
}

static void require_taken(const struct csr *csr, unsigned flags)
{
    require_whole(csr);
    require_openssl(csr);
    require_pem(csr, flags);
    fuzz_require_name(csr->subject);
    fuzz_require_sans(&csr->sans);
    fuzz_require_spki(&csr->spki);
    fuzz_require_text(csr->notes.p, csr->notes.len, "");
    REQUIRE(flags & CSR_NAMES_GIVEN || csr->sans.n || !name_is_empty(csr->subject));
}

static bool read_as(const uint8_t *p, size_t len, unsigned flags)
{
    struct p11ca_err err;
    struct csr csr;

    fuzz_fill(&csr, sizeof(csr));
    if (!TAKES(csr_read(p, len, flags, &csr, &err))) {
        REQUIRE(fuzz_untouched(&csr, sizeof(csr)));
        return false;
    }
    require_taken(&csr, flags);
    csr_done(&csr);
    return true;
}

static void read_both(const uint8_t *p, size_t len)
{
    bool strict = read_as(p, len, 0), lenient = read_as(p, len, CSR_FOR_CA | CSR_NAMES_GIVEN);

    REQUIRE(lenient || !strict);
}

static void require_named(void *arg, const struct lint_rule *rule, const struct p11ca_err *finding)
{
    REQUIRE(!arg && rule && finding->code[0]);
    fuzz_require_text((const uint8_t *)finding->msg, strlen(finding->msg), "");
}

static int split(struct der in, struct der *subject, struct der *spki, struct der *rest)
{
    struct der seq, info, version;

    if (der_next(&in, DER_SEQUENCE, &seq) != 0 || der_next(&seq, DER_SEQUENCE, &info) != 0 ||
        der_next(&info, DER_INTEGER, &version) != 0 || der_next_any(&info, subject) != 0 ||
        der_next_any(&info, spki) != 0)
        return -1;
    *rest = info;
    return 0;
}

static void sign_anew(struct der subject, struct der rest)
{
    AUTO_BUF info = BUF_INIT, sig = BUF_INIT;
    const struct sigalg *alg;
    struct p11ca_err err;
    struct spki spki;

    REQUIRE(TAKES(spki_of_key(fuzz_key(), &spki, &err)));
    alg = sigalg_for_key(&spki);
    der_add_uint(&info, 0);
    der_add_raw(&info, subject);
    der_add_raw(&info, spki_der(&spki));
    der_add_raw(&info, rest);
    der_close(&info, 0, DER_SEQUENCE);
    REQUIRE(TAKES(sigalg_sign(fuzz_key(), alg, der_buf(&info), &sig, &err)));
    der_add_raw(&info, alg->id);
    der_add_bits(&info, sig.p, sig.len);
    der_close(&info, 0, DER_SEQUENCE);
    read_both(info.p, info.len);
}

static void read_key(struct der tlv)
{
    struct p11ca_err err;
    struct spki spki;

    fuzz_fill(&spki, sizeof(spki));
    if (TAKES(spki_read(tlv.p, tlv.len, &spki, &err)))
        fuzz_require_spki(&spki);
    else
        REQUIRE(fuzz_untouched(&spki, sizeof(spki)));
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
    struct der subject, spki, rest;

    read_both(p, len);
    lint_csr(DER_OF(p, len), &(struct lint_question){.rules = 0}, require_named, NULL);
    if (split(DER_OF(p, len), &subject, &spki, &rest) == 0) {
        read_key(spki);
        sign_anew(subject, rest);
    }
    return 0;
}
