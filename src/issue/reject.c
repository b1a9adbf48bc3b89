#include "issue/reject.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* Two devices with one key or one with two, a CA's key in a device or one that was stolen, a private key that travels, a ticket that nobody signed,
 * a certificate made behind the ledger's back: a person has to look at these. */
static const char *const alarms[] = {"DEVICE_ISSUED", "DUP_KEY_LEDGER", "KEY_IS_CA", "KEY_COMPROMISED",
    "PRIVATE_KEY_SEEN", "TICKET_SIGNATURE", "TICKET_CHANGED", "NOT_IN_LEDGER"};

static bool is_alarm(const char *code)
{
    size_t i = 0;

    while (i < sizeof(alarms) / sizeof(alarms[0]) && strcmp(alarms[i], code) != 0)
        i++;
    return i < sizeof(alarms) / sizeof(alarms[0]);
}

int reject_note(struct ledger *l, const char *authority, const char *profile, const struct p11ca_err *why,
    struct p11ca_err *err)
{
    struct ledger_event e = {.kind = "alarm", .authority = authority, .profile = profile};
    char detail[sizeof(why->code) + sizeof(why->msg) + 2];

    snprintf(detail, sizeof(detail), "%s: %s", why->code, why->msg);
    e.detail = detail;
    if (is_alarm(why->code) && ledger_event(l, &e, err) != 0)
        return -1;
    e.kind = "reject";
    e.detail = why->msg;
    return ledger_event(l, &e, err);
}
