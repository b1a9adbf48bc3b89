/*
 * The text of a lot ticket: how many certificates of which kind an authority may issue, to whom, and when.
 *
 *   p11ca lot ticket
 *   id lot-2026-047
 *   issuer factory 5d1f...              the authority, and SHA-256 of its SubjectPublicKeyInfo: good nowhere else
 *   profile device
 *   sku GW-200 rev C
 *   count 5000
 *   ids SN-000001..SN-005000
 *   not-before 2026-11-21T00:00:00Z
 *   not-after 2026-12-21T00:00:00Z
 *
 * Lines in this order, each a word, one space, the value and a newline; nothing else. Neither libconfig nor JSON, which
 * everything else here is: of a ticket there is exactly one text, nothing in it is optional, escaped, included or skipped.
 * So what witnesses read is what is signed, and whoever checks it needs no parser of somebody else's before the signature.
 *
 * ids is a range or a pattern. A range: two device IDs with ".." between, equal but for the digits at their end, as many in
 * both; all numbers from the one to the other, both included. A pattern: the characters of device IDs, '?' for any one of
 * them, '*' for any number of them; no "..". A certificate without a device ID fits "*" alone.
 */
#ifndef ISSUE_TICKET_TEXT_H
#define ISSUE_TICKET_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/hash.h"

#define TICKET_HEAD      "p11ca lot ticket\n"
#define TICKET_ID        40 /* where a serial stands otherwise, which has as many */
#define TICKET_NAME      64
#define TICKET_IDS       (64 + 2 + 64)
#define TICKET_COUNT_MAX 1000000000

struct ticket {
    char id[TICKET_ID + 1];
    char issuer[TICKET_NAME + 1];
    uint8_t issuer_sha256[SHA256_LEN];
    char profile[TICKET_NAME + 1];
    char sku[TICKET_NAME + 1]; /* UTF-8, for people */
    int64_t count;
    char ids[TICKET_IDS + 1];
    int64_t not_before, not_after; /* the first and the last second */
};

/* Appends the text. */
void ticket_add_text(const struct ticket *t, struct buf *ret);

/* The one text of a ticket; P11CA_REFUSED, TICKET_SYNTAX. */
P11CA_CHECK int ticket_parse(const uint8_t *p, size_t len, struct ticket *ret, struct p11ca_err *err);

/* Whether every value is one that a text may have. TICKET_SYNTAX. */
P11CA_CHECK int ticket_check(const struct ticket *t, struct p11ca_err *err);

/* "2026-11-21T00:00:00Z" */
P11CA_CHECK int ticket_time(const char *text, int64_t *ret);

/* Whether a device's ID ("" for none) is one of the ticket's. */
bool ticket_has(const struct ticket *t, const char *device);

#endif
