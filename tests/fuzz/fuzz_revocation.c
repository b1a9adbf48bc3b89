/*
 * CRLs as they are asked: entries in order, each found, deltas applied. The signature is not asked here, or no input would
 * come further. The input is a CRL, and behind it, when there are more octets, another that is its delta.
 */
#include <p11ca/auth.h>
#include <string.h>

#include "auth/crls.h"
#include "fuzz.h"

static void require_found(const struct crl_part *part)
{
    size_t i;

    for (i = 0; i < part->n; i++) {
        const struct revoked *r = &part->v[i];

        REQUIRE(r->len > 0 && r->len <= SERIAL_LEN);
        REQUIRE(crl_part_find(part, DER_OF(r->serial, r->len)));
        fuzz_require_text(p11ca_reason_text(r->reason), strlen(p11ca_reason_text(r->reason)), "");
    }
    REQUIRE(!crl_part_find(part, DER_OF((const uint8_t *)"", 0)));
}

/* Whether there is such a list; its octets are taken off in. */
static bool take(struct der *in, struct crl_part *ret, bool *ret_delta)
{
    struct p11ca_err err;
    struct der tlv = *in, rest = *in;
    AUTO_CRL crl = CRL_INIT;

    if (der_next_any(&rest, &tlv) != 0)
        return false;
    *in = rest;
    if (!TAKES(crl_read(tlv.p, tlv.len, &crl, &err)))
        return false;
    return TAKES(crl_part_read(&crl, ret, ret_delta, &err));
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
    struct der in = DER_OF(p, len);
    struct crl_part full = {.there = false}, delta = {.there = false};
    struct p11ca_err err;
    bool is_delta;

    if (take(&in, &full, &is_delta)) {
        require_found(&full);
        if (take(&in, &delta, &is_delta)) {
            require_found(&delta);
            if (is_delta && TAKES(crl_part_apply(&full, &delta, &err)))
                require_found(&full);
        }
    }
    crl_part_done(&full);
    crl_part_done(&delta);
    return 0;
}
