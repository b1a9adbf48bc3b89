#include "x509/p7b.h"

#include <openssl/objects.h>
#include <openssl/pkcs7.h>

#include "x509/ossl.h"

SCOPE_DEFINE(pkcs7, PKCS7 *, PKCS7_free)

static int add(PKCS7 *p7, struct der der, struct p11ca_err *err)
{
    const uint8_t *p = der.p;
    SCOPED(x509) X509 *x = d2i_X509(NULL, &p, (long)der.len);

    return x && PKCS7_add_certificate(p7, x) == 1 ? 0 : err_openssl(err, P11CA_BUG, "PKCS #7: certificate");
}

int p7b_make(const struct der *certs, size_t n, struct buf *ret, struct p11ca_err *err)
{
    SCOPED(pkcs7) PKCS7 *p7 = PKCS7_new();
    unsigned char *out = NULL;
    size_t i;
    int len;

    if (!p7 || PKCS7_set_type(p7, NID_pkcs7_signed) != 1 || PKCS7_content_new(p7, NID_pkcs7_data) != 1 ||
        PKCS7_set_detached(p7, 1) != 1)
        return err_openssl(err, P11CA_BUG, "PKCS #7");
    for (i = 0; i < n; i++) {
        if (add(p7, certs[i], err) != 0)
            return -1;
    }
    len = i2d_PKCS7(p7, &out);
    if (len <= 0)
        return err_openssl(err, P11CA_BUG, "PKCS #7");
    buf_add(ret, out, (size_t)len);
    OPENSSL_free(out);
    return buf_ok(ret) ? 0 : err_nomem(err);
}
