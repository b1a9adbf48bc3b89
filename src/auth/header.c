/* RFC 9440: the client's certificate in a header field, for services behind a proxy that ends TLS. */
#include <string.h>

#include "auth/base64.h"
#include "auth/certs.h"
#include "auth/identity.h"

static int syntax(const char *field, struct p11ca_err *err)
{
    return err_set(err, P11CA_REFUSED, "HEADER_SYNTAX",
        "%s: RFC 9440 2: want a certificate as :BASE64: and nothing else, have something else", field);
}

static int check_length(const char *field, size_t len, size_t max, struct p11ca_err *err)
{
    return len <= max ? 0
                      : err_set(err, P11CA_REFUSED, "HEADER_TOO_LONG",
                            "%s: want at most %zu octets, have %zu", field, max, len);
}

/* RFC 8941 3.3.5 at the start of the text; its length with both colons, 0: none is there. */
static size_t take_bytes(const char *p, size_t len, struct buf *ret)
{
    const char *end = len && *p == ':' ? memchr(p + 1, ':', len - 1) : NULL;

    if (!end || end == p + 1 || base64_decode(p + 1, (size_t)(end - p) - 1, ret) != 0)
        return 0;
    return (size_t)(end - p) + 1;
}

int p11ca_client_cert_read(const char *value, size_t len, struct p11ca_identity **ret, struct p11ca_err *err)
{
    AUTO_BUF der = BUF_INIT;

    if (check_length("Client-Cert", len, LIMIT_CERT_FIELD, err) != 0)
        return -1;
    if (len == 0 || take_bytes(value, len, &der) != len)
        return syntax("Client-Cert", err);
    return p11ca_identity_read(der.p, der.len, ret, err) == 0 ? 0 : err_prefix(err, "Client-Cert");
}

/* RFC 9110 5.6.3 */
static size_t skip_blanks(const char *p, size_t len)
{
    size_t n = 0;

    while (n < len && (p[n] == ' ' || p[n] == '\t'))
        n++;
    return n;
}

/* What stands between two members; its length, 0: none. */
static size_t take_comma(const char *p, size_t len)
{
    size_t n = skip_blanks(p, len);

    if (n == len || p[n] != ',')
        return 0;
    n++;
    return n + skip_blanks(p + n, len - n);
}

static int read_member(struct p11ca_chain *chain, const struct buf *der, struct p11ca_err *err)
{
    if (!cert_is_der(der->p, der->len))
        return syntax("Client-Cert-Chain", err);
    return certs_add(chain, der->p, der->len, err) == 0 ? 0 : err_prefix(err, "Client-Cert-Chain");
}

static int read_list(struct p11ca_chain *chain, const char *p, size_t len, struct p11ca_err *err)
{
    size_t n, comma;

    for (;;) {
        AUTO_BUF der = BUF_INIT;

        n = take_bytes(p, len, &der);
        if (n == 0)
            return syntax("Client-Cert-Chain", err);
        if (read_member(chain, &der, err) != 0)
            return -1;
        p += n;
        len -= n;
        if (len == 0)
            return 0;
        comma = take_comma(p, len);
        if (comma == 0)
            return syntax("Client-Cert-Chain", err);
        p += comma;
        len -= comma;
    }
}

int p11ca_client_cert_chain_read(
    const char *value, size_t len, struct p11ca_chain **ret, struct p11ca_err *err)
{
    struct p11ca_chain *chain;

    if (check_length("Client-Cert-Chain", len, LIMIT_CHAIN_FIELD, err) != 0)
        return -1;
    chain = calloc(1, sizeof(*chain));
    if (!chain)
        return err_nomem(err);
    if (read_list(chain, value, len, err) != 0) {
        p11ca_chain_free(chain);
        return -1;
    }
    *ret = chain;
    return 0;
}
