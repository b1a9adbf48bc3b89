/* The text of a lot ticket. A line behind the first NUL is a device's ID. */
#include <string.h>

#include "fuzz.h"
#include "issue/ticket_text.h"

static void require_ticket(const struct ticket *t, const uint8_t *p, size_t len)
{
    AUTO_BUF again = BUF_INIT;
    struct p11ca_err err;

    REQUIRE(ticket_check(t, &err) == 0);
    fuzz_require_text(t->id, strlen(t->id), "");
    fuzz_require_text(t->sku, strlen(t->sku), "");
    fuzz_require_text(t->ids, strlen(t->ids), "");
    REQUIRE(t->count >= 1 && t->count <= TICKET_COUNT_MAX && t->not_before <= t->not_after);
    /* There is one text of it. */
    ticket_add_text(t, &again);
    REQUIRE(der_equal(DER_OF(p, len), der_buf(&again)));
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
    const uint8_t *nul = len ? memchr(p, '\0', len) : NULL;
    size_t text_len = nul ? (size_t)(nul - p) : len;
    AUTO_STR device = nul ? strndup((const char *)nul + 1, len - text_len - 1) : strdup("SN-000001");
    struct ticket t;
    struct p11ca_err err;

    REQUIRE(device);
    fuzz_fill(&t, sizeof(t));
    if (!TAKES(ticket_parse(p, text_len, &t, &err))) {
        REQUIRE(fuzz_untouched(&t, sizeof(t)));
        return 0;
    }
    require_ticket(&t, p, text_len);
    /* Whom a ticket has is within the limits of its own text. */
    if (ticket_has(&t, device) && !strchr(t.ids, '*'))
        REQUIRE(strlen(device) <= 64);
    return 0;
}
