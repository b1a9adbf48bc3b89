#include "auth/certs.h"

#include <stdlib.h>

#include "x509/cert.h"

int certs_add(struct p11ca_chain *chain, const void *p, size_t len, struct p11ca_err *err)
{
    AUTO_CERT cert = CERT_INIT;

    if (chain->n == LIMIT_CHAIN)
        return err_set(err, P11CA_REFUSED, "CHAIN_TOO_LONG", "chain: want at most %d certificates, have more",
            LIMIT_CHAIN);
    if (cert_read(p, len, &cert, err) != 0)
        return -1;
    chain->certs[chain->n++] = cert.der;
    cert.der = (struct buf)BUF_INIT;
    return 0;
}

size_t p11ca_chain_count(const struct p11ca_chain *chain)
{
    return chain->n;
}

const void *p11ca_chain_at(const struct p11ca_chain *chain, size_t i, size_t *ret_len)
{
    if (i >= chain->n)
        return NULL;
    *ret_len = chain->certs[i].len;
    return chain->certs[i].p;
}

void p11ca_chain_free(struct p11ca_chain *chain)
{
    size_t i;

    if (!chain)
        return;
    for (i = 0; i < chain->n; i++)
        buf_done(&chain->certs[i]);
    free(chain);
}
