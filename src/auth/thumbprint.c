/* RFC 8705: tokens bound to the client's certificate. */
#include <openssl/crypto.h>

#include "auth/base64.h"
#include "auth/identity.h"
#include "base/file.h"
#include "base/hash.h"

static int of_any(const uint8_t *p, size_t len, char ret[P11CA_THUMBPRINT], struct p11ca_err *err)
{
    AUTO_CERT cert = CERT_INIT;
    uint8_t sha256[P11CA_SHA256];

    if (cert_read(p, len, &cert, err) != 0)
        return -1;
    if (hash_sha256(cert.der.p, cert.der.len, sha256) != 0)
        return err_openssl(err, P11CA_BUG, "SHA-256");
    base64url_of_sha256(sha256, ret);
    return 0;
}

int p11ca_thumbprint(const void *der, size_t len, char ret[P11CA_THUMBPRINT], struct p11ca_err *err)
{
    if (!cert_is_der(der, len))
        return err_set(err, P11CA_REFUSED, "INPUT_TYPE", "want a certificate in DER, have something else");
    return of_any(der, len, ret, err);
}

int p11ca_thumbprint_load(const char *path, char ret[P11CA_THUMBPRINT], struct p11ca_err *err)
{
    AUTO_BUF file = BUF_INIT;

    if (file_read(path, LIMIT_CERT, &file, err) != 0)
        return -1;
    return of_any(file.p, file.len, ret, err) == 0 ? 0 : err_prefix(err, "%s", path);
}

int p11ca_thumbprint_verify(
    const struct p11ca_identity *id, const char *text, size_t len, struct p11ca_err *err)
{
    uint8_t sha256[P11CA_SHA256];

    if (base64url_to_sha256(text, len, sha256) != 0)
        return err_set(err, P11CA_REFUSED, "THUMBPRINT_SYNTAX",
            "thumbprint: RFC 8705 3.1: want 43 characters of base64url without padding, have something else");
    if (CRYPTO_memcmp(sha256, id->pub.sha256, sizeof(sha256)) != 0)
        return err_set(err, P11CA_NEGATIVE, "THUMBPRINT_MISMATCH",
            "thumbprint: RFC 8705 3: want that of the client's certificate, have another");
    return 0;
}
