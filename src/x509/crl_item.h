/* What a CRL and its entries say, for whoever asks it about a certificate. */
#ifndef X509_CRL_ITEM_H
#define X509_CRL_ITEM_H

#include "x509/crl.h"

/* The cRLNumber: 1 read, 0 there is none that fits into 63 bits. */
int crl_item_number(const struct crl_tbs *t, int64_t *ret);

/* A CRLReason that RFC 5280 5.3.1 knows; -1: none. */
int crl_item_reason(const struct crl_item *item);

/* invalidityDate; 0: none. */
int64_t crl_item_invalid_since(const struct crl_item *item);

/* The entry with this serial, INTEGER content: 1 found, 0 not listed. */
int crl_item_find(const struct crl_tbs *t, struct der serial, struct crl_item *ret);

#endif
