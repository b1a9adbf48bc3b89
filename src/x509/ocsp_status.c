#include "x509/ocsp_status.h"

#include <openssl/ocsp.h>
#include <time.h>

#include "base/text.h"
#include "x509/ossl.h"

SCOPE_DEFINE(ocsp_response, OCSP_RESPONSE *, OCSP_RESPONSE_free)
SCOPE_DEFINE(ocsp_basic, OCSP_BASICRESP *, OCSP_BASICRESP_free)
SCOPE_DEFINE(ocsp_id, OCSP_CERTID *, OCSP_CERTID_free)

static int bad(struct p11ca_err *err, const char *text)
{
    err_openssl(err, P11CA_NEGATIVE, "OCSP"); /* empties its queue */
    return err_set(err, P11CA_NEGATIVE, "OCSP_BAD", "OCSP response: RFC 6960 %s", text);
}

static int read_x509(struct der der, X509 **ret, struct p11ca_err *err)
{
    const uint8_t *p = der.p;

    *ret = d2i_X509(NULL, &p, (long)der.len);
    return *ret ? 0 : err_openssl(err, P11CA_REFUSED, "certificate");
}

static int read_basic(struct der der, OCSP_BASICRESP **ret, struct p11ca_err *err)
{
    const uint8_t *p = der.p;
    SCOPED(ocsp_response) OCSP_RESPONSE *r = d2i_OCSP_RESPONSE(NULL, &p, (long)der.len);

    if (!r || p != der.p + der.len)
        return bad(err, "4.2.1: want an OCSPResponse in DER, have something else");
    if (OCSP_response_status(r) != OCSP_RESPONSE_STATUS_SUCCESSFUL)
        return bad(err, "4.2.1: responseStatus: want successful, have a refusal");
    *ret = OCSP_response_get1_basic(r);
    return *ret ? 0 : bad(err, "4.2.1: want a BasicOCSPResponse, have another type");
}

/* The issuer is the anchor, whoever has signed it. */
static int verify(OCSP_BASICRESP *basic, X509 *issuer, int64_t at, struct p11ca_err *err)
{
    SCOPED(x509_store) X509_STORE *store = X509_STORE_new();
    SCOPED(x509_stack) STACK_OF(X509) *certs = sk_X509_new_null();
    X509_VERIFY_PARAM *param;

    if (!store || !certs || X509_STORE_add_cert(store, issuer) != 1 || X509_up_ref(issuer) != 1)
        return err_nomem(err);
    if (sk_X509_push(certs, issuer) <= 0) {
        X509_free(issuer);
        return err_nomem(err);
    }
    param = X509_STORE_get0_param(store);
    X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_PARTIAL_CHAIN);
    X509_VERIFY_PARAM_set_auth_level(param, 2);
    X509_VERIFY_PARAM_set_time(param, (time_t)at);
    return OCSP_basic_verify(basic, certs, store, 0) == 1
               ? 0
               : bad(err, "4.2.2.2: want it signed by the issuer, or by a responder that the issuer has "
                          "authorised, have another signature");
}

/* By the digest that the response names the certificate with. */
static bool is_about(OCSP_SINGLERESP *single, const X509 *cert, const X509 *issuer)
{
    const OCSP_CERTID *have = OCSP_SINGLERESP_get0_id(single);
    ASN1_OBJECT *name = NULL;
    SCOPED(ocsp_id) OCSP_CERTID *want = NULL;
    const EVP_MD *md;

    if (OCSP_id_get0_info(NULL, &name, NULL, NULL, (OCSP_CERTID *)(uintptr_t)have) != 1)
        return false;
    md = EVP_get_digestbyobj(name);
    want = md ? OCSP_cert_to_id(md, cert, issuer) : NULL;
    return want && OCSP_id_cmp(want, have) == 0;
}

static bool read_time(const ASN1_TIME *t, int64_t *ret)
{
    struct tm tm;

    if (!t || ASN1_TIME_to_tm(t, &tm) != 1)
        return false;
    *ret = (int64_t)timegm(&tm);
    return true;
}

static int check_times(int64_t from, int64_t until, int64_t at, struct p11ca_err *err)
{
    char a[TEXT_TIME], b[TEXT_TIME], have[TEXT_TIME];

    if (from <= at && at < until)
        return 0;
    text_time(from, a);
    text_time(until, b);
    text_time(at, have);
    return err_set(err, P11CA_NEGATIVE, "OCSP_STALE",
        "OCSP response: RFC 6960 4.2.2.1: want one that is current at %s, have one for %s to %s", have, a, b);
}

static int judge(OCSP_SINGLERESP *single, int64_t at, struct ocsp_status *ret, struct p11ca_err *err)
{
    ASN1_GENERALIZEDTIME *revoked = NULL, *this_update = NULL, *next_update = NULL;
    int reason = -1, status = OCSP_single_get0_status(single, &reason, &revoked, &this_update, &next_update);
    struct ocsp_status s = {.says = OCSP_SAYS_UNKNOWN};
    int64_t from, until;

    if (!read_time(this_update, &from) || !read_time(next_update, &until))
        return bad(err, "4.2.2.1: want thisUpdate and nextUpdate, have none");
    if (check_times(from, until, at, err) != 0)
        return -1;
    if (status == V_OCSP_CERTSTATUS_GOOD)
        s.says = OCSP_SAYS_GOOD;
    else if (status == V_OCSP_CERTSTATUS_REVOKED)
        s.says = OCSP_SAYS_REVOKED;
    if (s.says == OCSP_SAYS_REVOKED && !read_time(revoked, &s.revoked_at))
        return bad(err, "4.2.1: want a revocationTime, have none");
    s.reason = reason;
    *ret = s;
    return 0;
}

int ocsp_status_ask(struct der response, struct der cert_der, struct der issuer_der, int64_t at,
    struct ocsp_status *ret, struct p11ca_err *err)
{
    SCOPED(ocsp_basic) OCSP_BASICRESP *basic = NULL;
    SCOPED(x509) X509 *cert = NULL;
    SCOPED(x509) X509 *issuer = NULL;
    int i;

    if (read_x509(cert_der, &cert, err) != 0 || read_x509(issuer_der, &issuer, err) != 0 ||
        read_basic(response, &basic, err) != 0 || verify(basic, issuer, at, err) != 0)
        return -1;
    for (i = 0; i < OCSP_resp_count(basic); i++) {
        OCSP_SINGLERESP *single = OCSP_resp_get0(basic, i);

        if (is_about(single, cert, issuer))
            return judge(single, at, ret, err);
    }
    return bad(err, "4.2.1: want an answer about this certificate, have one about others");
}
