/* Client-Cert and Client-Cert-Chain: one value for both. */
#include <p11ca/auth.h>

#include "fuzz.h"

static void walk(const struct p11ca_chain *chain)
{
    size_t n = p11ca_chain_count(chain), len = 0, i;

    REQUIRE(n > 0 && n <= 10);
    for (i = 0; i < n; i++)
        REQUIRE(p11ca_chain_at(chain, i, &len) && len > 0);
    REQUIRE(!p11ca_chain_at(chain, n, &len));
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
    struct p11ca_identity *id = NULL;
    struct p11ca_chain *chain = NULL;
    struct p11ca_err err;

    if (TAKES(p11ca_client_cert_chain_read((const char *)p, len, &chain, &err)))
        walk(chain);
    REQUIRE(chain || err.code[0]);
    /* One certificate that names somebody is a list of one, too. */
    if (TAKES(p11ca_client_cert_read((const char *)p, len, &id, &err)))
        REQUIRE(chain && p11ca_chain_count(chain) == 1);
    p11ca_identity_free(id);
    p11ca_chain_free(chain);
    return 0;
}
