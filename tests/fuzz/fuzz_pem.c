/* PEM: one object as every type, bundles, and public keys from files. */
#include <string.h>

#include "fuzz.h"
#include "x509/pem.h"

#define BEFORE "before"

/* What was decoded is decoded again from what we would write. */
static void require_encoded(enum pem_type type, struct der der)
{
    AUTO_BUF pem = BUF_INIT, again = BUF_INIT;
    struct p11ca_err err;

    pem_encode(type, der, &pem);
    REQUIRE(TAKES(pem_decode(pem.p, pem.len, type, &again, &err)));
    REQUIRE(der_equal(der, der_buf(&again)));
}

static bool decode(const uint8_t *p, size_t len, enum pem_type type)
{
    AUTO_BUF der = BUF_INIT;
    struct p11ca_err err;

    buf_adds(&der, BEFORE);
    if (!TAKES(pem_decode(p, len, type, &der, &err))) {
        REQUIRE(der.len == strlen(BEFORE));
        return false;
    }
    REQUIRE(memcmp(der.p, BEFORE, strlen(BEFORE)) == 0);
    require_encoded(type, DER_OF(der.p + strlen(BEFORE), der.len - strlen(BEFORE)));
    return true;
}

static size_t read_bundle(const uint8_t *p, size_t len, enum pem_type type)
{
    struct der in = DER_OF(p, len), before = in;
    AUTO_BUF der = BUF_INIT;
    struct p11ca_err err;
    size_t n;
    int rc;

    for (n = 0;; n++) {
        buf_reset(&der);
        fuzz_blank(&err);
        rc = pem_next(&in, type, &der, &err);
        if (rc != 1)
            break;
        REQUIRE(in.len < before.len && in.p + in.len == p + len);
        require_encoded(type, der_buf(&der));
        before = in;
    }
    (void)fuzz_judge(rc, &err);
    REQUIRE(der.len == 0 && in.p == before.p && in.len == before.len);
    return n;
}

static void read_key(const uint8_t *p, size_t len)
{
    struct p11ca_err err;
    struct spki spki;

    fuzz_fill(&spki, sizeof(spki));
    if (TAKES(spki_read_file(p, len, &spki, &err)))
        fuzz_require_spki(&spki);
    else
        REQUIRE(fuzz_untouched(&spki, sizeof(spki)));
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
    enum pem_type type;

    for (type = PEM_CSR; type < PEM_TYPES; type++) {
        bool is_der = len && p[0] == DER_SEQUENCE, one = decode(p, len, type);
        size_t n = read_bundle(p, len, type);

        REQUIRE(!one || is_der || n == 1);
    }
    read_key(p, len);
    return 0;
}
