#include "x509/cms.h"

#include <limits.h>
#include <openssl/asn1.h>
#include <openssl/cms.h>
#include <openssl/objects.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "base/text.h"
#include "x509/name.h"
#include "x509/ossl.h"

SCOPE_DEFINE(cms, CMS_ContentInfo *, CMS_ContentInfo_free)
SCOPE_DEFINE(asn1_time, ASN1_TIME *, ASN1_TIME_free)

#define FLAGS (CMS_DETACHED | CMS_BINARY)

static BIO *memory(struct der d)
{
    return d.len <= INT_MAX ? BIO_new_mem_buf(d.p, (int)d.len) : NULL;
}

/* --- signing --- */

/* RFC 5652 11.3. Left to libcrypto it would be the machine's time, whatever the caller's is. */
static int add_time(CMS_SignerInfo *si, int64_t now)
{
    SCOPED(asn1_time) ASN1_TIME *t = ASN1_TIME_set(NULL, (time_t)now);

    return t && CMS_signed_add1_attr_by_NID(si, NID_pkcs9_signingTime, t->type, t, -1) == 1 ? 0 : -1;
}

static int add_signer(CMS_ContentInfo *cms, EVP_PKEY *key, const struct cert *cert, int64_t now)
{
    const uint8_t *p = cert->der.p;
    SCOPED(x509) X509 *x = d2i_X509(NULL, &p, (long)cert->der.len);
    CMS_SignerInfo *si = NULL;

    if (x)
        si = CMS_add1_signer(cms, x, key, hash_md("SHA256"), CMS_NOSMIMECAP | FLAGS);
    return si ? add_time(si, now) : -1;
}

static int add_der(const CMS_ContentInfo *cms, struct buf *ret)
{
    uint8_t *der = NULL;
    int len = i2d_CMS_ContentInfo(cms, &der);

    if (len > 0)
        buf_add(ret, der, (size_t)len);
    OPENSSL_free(der);
    return len > 0 ? 0 : -1;
}

int cms_sign(EVP_PKEY *key, const struct cert *cert, struct der data, int64_t now, struct buf *ret,
    struct p11ca_err *err)
{
    SCOPED(cms) CMS_ContentInfo *cms = CMS_sign(NULL, NULL, NULL, NULL, FLAGS | CMS_PARTIAL);
    SCOPED(bio) BIO *in = memory(data);

    if (!cms || !in || add_signer(cms, key, cert, now) != 0 || CMS_final(cms, in, NULL, FLAGS) != 1 ||
        add_der(cms, ret) != 0)
        return err_openssl(err, P11CA_BUG, "sign as CMS");
    return buf_ok(ret) ? 0 : err_nomem(err);
}

/* --- verifying --- */

/* What is verified: its name and what it is over, for errors. */
struct words {
    const char *code, *what, *over;
};
static const struct words countersignature = {
    "COUNTERSIGNATURE_BAD", "countersignature", "this very transcript"};
static const struct words beside = {"SIGNATURE_BAD", "signature", "these very bytes"};

static int bad(const struct words *w, struct p11ca_err *err, const char *text)
{
    struct p11ca_err ignored;

    err_openssl(&ignored, P11CA_NEGATIVE, "CMS"); /* empties the queue */
    return err_set(err, P11CA_NEGATIVE, w->code, "%s: %s", w->what, text);
}

static CMS_ContentInfo *read_der(struct der in)
{
    const uint8_t *p = in.p;
    CMS_ContentInfo *cms = in.len <= LONG_MAX ? d2i_CMS_ContentInfo(NULL, &p, (long)in.len) : NULL;

    if (!cms || p == in.p + in.len)
        return cms;
    CMS_ContentInfo_free(cms);
    return NULL;
}

/* RFC 7468 9: "CMS"; older programs write "PKCS7". */
static CMS_ContentInfo *read_pem(struct der in)
{
    SCOPED(bio) BIO *bio = memory(in);
    CMS_ContentInfo *cms = NULL;
    char *label = NULL, *header = NULL;
    uint8_t *der = NULL;
    long len = 0;

    if (bio && PEM_read_bio(bio, &label, &header, &der, &len) == 1 && len > 0 &&
        (strcmp(label, "CMS") == 0 || strcmp(label, "PKCS7") == 0))
        cms = read_der(DER_OF(der, (size_t)len));
    OPENSSL_free(label);
    OPENSSL_free(header);
    OPENSSL_free(der);
    return cms;
}

/* SP 800-57 5.6.1: a digest for which nobody can make a second transcript. */
static bool is_strong(CMS_SignerInfo *si)
{
    static const int strong[] = {NID_sha256, NID_sha384, NID_sha512};
    X509_ALGOR *digest = NULL;
    const ASN1_OBJECT *oid;
    size_t i;

    CMS_SignerInfo_get0_algs(si, NULL, NULL, &digest, NULL);
    X509_ALGOR_get0(&oid, NULL, NULL, digest);
    for (i = 0; i < sizeof(strong) / sizeof(strong[0]); i++) {
        if (OBJ_obj2nid(oid) == strong[i])
            return true;
    }
    return false;
}

static int add_subject(X509 *x, struct buf *ret, struct p11ca_err *err)
{
    uint8_t *der = NULL;
    int len = i2d_X509_NAME(X509_get_subject_name(x), &der), rc;

    if (len <= 0)
        return err_nomem(err);
    buf_adds(ret, "'");
    rc = name_to_text(DER_OF(der, (size_t)len), ret, err);
    buf_adds(ret, "'");
    OPENSSL_free(der);
    return rc;
}

static void add_serial(const X509 *x, struct buf *ret)
{
    const ASN1_INTEGER *serial = X509_get0_serialNumber(x);
    char hex[2 * 64 + 1];

    if (serial->length <= 0 || serial->length > 64)
        return;
    text_hex(serial->data, (size_t)serial->length, hex);
    buf_addf(ret, " (serial %s)", hex);
}

/* As it says itself; nobody else vouches for it. */
static void add_signing_time(const CMS_SignerInfo *si, struct buf *ret)
{
    int at = CMS_signed_get_attr_by_NID(si, NID_pkcs9_signingTime, -1);
    X509_ATTRIBUTE *attr = at >= 0 ? CMS_signed_get_attr(si, at) : NULL;
    const ASN1_TYPE *type = attr ? X509_ATTRIBUTE_get0_type(attr, 0) : NULL;
    char text[TEXT_TIME];
    struct tm tm;

    if (!type || (type->type != V_ASN1_UTCTIME && type->type != V_ASN1_GENERALIZEDTIME) ||
        ASN1_TIME_to_tm(type->value.asn1_string, &tm) != 1)
        return;
    text_time((int64_t)timegm(&tm), text);
    buf_addf(ret, " at %s", text);
}

static int add_signers(CMS_ContentInfo *cms, struct buf *ret, struct p11ca_err *err)
{
    STACK_OF(CMS_SignerInfo) *infos = CMS_get0_SignerInfos(cms);
    X509 *x;
    int i;

    for (i = 0; i < sk_CMS_SignerInfo_num(infos); i++) {
        CMS_SignerInfo *si = sk_CMS_SignerInfo_value(infos, i);

        CMS_SignerInfo_get0_algs(si, NULL, &x, NULL, NULL);
        buf_adds(ret, i ? ", " : "");
        if (add_subject(x, ret, err) != 0)
            return -1;
        add_serial(x, ret);
        add_signing_time(si, ret);
    }
    return buf_ok(ret) ? 0 : err_nomem(err);
}

static int check_digests(CMS_ContentInfo *cms, const struct words *w, struct p11ca_err *err)
{
    STACK_OF(CMS_SignerInfo) *infos = CMS_get0_SignerInfos(cms);
    int i;

    for (i = 0; i < sk_CMS_SignerInfo_num(infos); i++) {
        if (!is_strong(sk_CMS_SignerInfo_value(infos, i)))
            return bad(w, err, "want a digest of SHA-256, SHA-384 or SHA-512");
    }
    return 0;
}

static int check(CMS_ContentInfo *cms, struct der data, const struct words *w, struct p11ca_err *err)
{
    SCOPED(bio) BIO *content = memory(data);
    char text[128];

    if (!cms || OBJ_obj2nid(CMS_get0_type(cms)) != NID_pkcs7_signed)
        return bad(w, err, "want CMS SignedData in DER or PEM, have something else");
    if (CMS_is_detached(cms) != 1)
        return bad(w, err, "want it detached, have content in it");
    /* libcrypto finds nothing wrong with a signature that has no signer. */
    if (sk_CMS_SignerInfo_num(CMS_get0_SignerInfos(cms)) < 1)
        return bad(w, err, "nobody has signed");
    snprintf(
        text, sizeof(text), "want one over %s, by the key of a certificate in it, have another", w->over);
    if (!content || CMS_verify(cms, NULL, NULL, content, NULL, FLAGS | CMS_NO_SIGNER_CERT_VERIFY) != 1)
        return bad(w, err, text);
    return check_digests(cms, w, err);
}

static CMS_ContentInfo *read_any(struct der in)
{
    return in.len && in.p[0] == DER_SEQUENCE ? read_der(in) : read_pem(in);
}

/* The key that CMS_verify() has used: that of the certificate, whatever else this says. */
int cms_signer(struct der in, struct der data, struct spki *ret, struct p11ca_err *err)
{
    SCOPED(cms) CMS_ContentInfo *cms = read_any(in);
    EVP_PKEY *key = NULL;

    if (check(cms, data, &beside, err) != 0)
        return -1;
    if (sk_CMS_SignerInfo_num(CMS_get0_SignerInfos(cms)) != 1)
        return bad(&beside, err, "want one signer, have more");
    CMS_SignerInfo_get0_algs(sk_CMS_SignerInfo_value(CMS_get0_SignerInfos(cms), 0), &key, NULL, NULL, NULL);
    return key ? spki_of_key(key, ret, err) : bad(&beside, err, "the signer has no key");
}

int cms_verify(struct der in, struct der data, struct buf *ret_signers, struct p11ca_err *err)
{
    SCOPED(cms) CMS_ContentInfo *cms = read_any(in);
    AUTO_BUF signers = BUF_INIT;

    if (check(cms, data, &countersignature, err) != 0)
        return -1;
    if (add_signers(cms, &signers, err) != 0)
        return -1;
    buf_add(ret_signers, signers.p, signers.len);
    return buf_ok(ret_signers) ? 0 : err_nomem(err);
}
