/* Scope-bound handles of libcrypto's objects. */
#ifndef X509_OSSL_H
#define X509_OSSL_H

#include <openssl/bn.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/x509.h>

#include "base/scope.h"

SCOPE_DEFINE(pkey, EVP_PKEY *, EVP_PKEY_free)
SCOPE_DEFINE(pkey_ctx, EVP_PKEY_CTX *, EVP_PKEY_CTX_free)
SCOPE_DEFINE(md_ctx, EVP_MD_CTX *, EVP_MD_CTX_free)
SCOPE_DEFINE(bio, BIO *, BIO_free_all)
SCOPE_DEFINE(bn, BIGNUM *, BN_free)
SCOPE_DEFINE(bn_ctx, BN_CTX *, BN_CTX_free)
SCOPE_DEFINE(param_bld, OSSL_PARAM_BLD *, OSSL_PARAM_BLD_free)
SCOPE_DEFINE(params, OSSL_PARAM *, OSSL_PARAM_free)
SCOPE_DEFINE(x509, X509 *, X509_free)
SCOPE_DEFINE(x509_store, X509_STORE *, X509_STORE_free)
SCOPE_DEFINE(x509_store_ctx, X509_STORE_CTX *, X509_STORE_CTX_free)

static inline void scope_x509_stack(STACK_OF(X509) * *s)
{
    if (*s)
        sk_X509_pop_free(*s, X509_free);
}

#endif
