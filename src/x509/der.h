/*
 * DER (X.690) as slices: nothing is copied on the way in, nothing but definite minimal lengths is taken.
 *
 * Reading: der_check() once over the whole input, then der_next() and friends over its slices.
 * Writing: der_add() for a finished value, der_open() and der_close() around values still to come.
 */
#ifndef X509_DER_H
#define X509_DER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

/* Borrowed bytes. "TLV" in comments: with tag and length; "content": without. */
struct der {
    const uint8_t *p;
    size_t len;
};

#define DER_OF(ptr, n) ((struct der){(ptr), (n)})

enum der_tag {
    DER_BOOLEAN = 0x01,
    DER_INTEGER = 0x02,
    DER_BIT_STRING = 0x03,
    DER_OCTET_STRING = 0x04,
    DER_NULL = 0x05,
    DER_OID = 0x06,
    DER_ENUMERATED = 0x0a,
    DER_UTF8_STRING = 0x0c,
    DER_PRINTABLE_STRING = 0x13,
    DER_T61_STRING = 0x14,
    DER_IA5_STRING = 0x16,
    DER_UTC_TIME = 0x17,
    DER_GENERALIZED_TIME = 0x18,
    DER_UNIVERSAL_STRING = 0x1c,
    DER_BMP_STRING = 0x1e,
    DER_SEQUENCE = 0x30,
    DER_SET = 0x31,
};
#define DER_CONTEXT(n)             ((uint8_t)(0x80 | (n))) /* [n] IMPLICIT, primitive */
#define DER_CONTEXT_CONSTRUCTED(n) ((uint8_t)(0xa0 | (n)))

/*
 * Takes the next TLV off in, which must have this tag. 0, or -1 and nothing changed: other tag, no bytes
 * left, length not definite, not minimal or beyond the end.
 */
P11CA_CHECK int der_next(struct der *in, uint8_t tag, struct der *ret_content);

/* As der_next() for any tag, giving the whole TLV. */
P11CA_CHECK int der_next_any(struct der *in, struct der *ret_tlv);

/* As der_next() for any tag, giving tag and content. */
P11CA_CHECK int der_next_tag(struct der *in, uint8_t *ret_tag, struct der *ret_content);

/* As der_next(), giving the whole TLV. */
P11CA_CHECK int der_next_tlv(struct der *in, uint8_t tag, struct der *ret_tlv);

/* 1: a TLV of this tag was there and is taken off; 0: another tag or the end; -1: malformed. */
P11CA_CHECK int der_next_optional(struct der *in, uint8_t tag, struct der *ret_content);

/* The content of a slice that is one whole TLV of this tag, nothing after it. */
P11CA_CHECK int der_whole(struct der tlv, uint8_t tag, struct der *ret_content);

/* Tag of the next TLV, -1 at the end. */
int der_peek_tag(struct der in);

bool der_equal(struct der a, struct der b);

/* BIT STRING with no unused bits: the octets. */
P11CA_CHECK int der_next_bits(struct der *in, struct der *ret_octets);

/* A non-negative INTEGER below 2^31. */
P11CA_CHECK int der_next_uint(struct der *in, unsigned *ret);

/*
 * UTCTime (1950 to 2049) or GeneralizedTime, with seconds, no fraction, Z; seconds since 1970. ret_right says
 * whether it is the type RFC 5280 4.1.2.5 asks for: GeneralizedTime from 2050 on and only then.
 */
P11CA_CHECK int der_next_time(struct der *in, int64_t *ret, bool *ret_right);

/*
 * One TLV that fills the slice, canonical all the way down: definite minimal lengths, single-octet tags,
 * BOOLEAN 00 or ff, INTEGER and OBJECT IDENTIFIER minimal, padding bits zero, SET OF in order, strings
 * primitive. Codes: DER_TRAILING (object complete, bytes left over), DER_NOT_CANONICAL, DER_SYNTAX (not DER
 * at all), DER_DEPTH. what names the object in errors.
 */
P11CA_CHECK int der_check(struct der whole, unsigned max_depth, const char *what, struct p11ca_err *err);

/* Whether der_check() would pass it, for those who have other words for what is wrong. */
bool der_is_canonical(struct der whole, unsigned max_depth);

/* Whether the TLVs of a content are in the ascending order of a SET OF (X.690 11.6), for sets under an IMPLICIT tag. */
bool der_in_order(struct der content);

#define DER_MAX_DEPTH 16 /* a certificate with every extension of RFC 5280 nests 11 deep */

void der_add(struct buf *b, uint8_t tag, const void *p, size_t len);
void der_add_raw(struct buf *b, struct der tlv);
void der_add_bool(struct buf *b, bool v);
void der_add_uint(struct buf *b, unsigned v);
void der_add_bits(struct buf *b, const void *p, size_t len); /* BIT STRING, no unused bits */

/* INTEGER from big-endian magnitude of any length: leading zeros dropped, one put before a set top bit. */
void der_add_integer(struct buf *b, const uint8_t *p, size_t len);

/* UTCTime through 2049, GeneralizedTime from 2050 (RFC 5280 4.1.2.5). t: years 1950 to 9999, else b fails. */
void der_add_time(struct buf *b, int64_t t);

/* GeneralizedTime in every year, for the values that are never UTCTime (RFC 5280 5.3.2). */
void der_add_generalized_time(struct buf *b, int64_t t);

/* at = der_open(b); content...; der_close(b, at, tag): puts tag and length before what came in between. */
size_t der_open(const struct buf *b);
void der_close(struct buf *b, size_t at, uint8_t tag);

/* The bytes a buffer holds. */
static inline struct der der_buf(const struct buf *b)
{
    return DER_OF(b->p, b->len);
}

/* 99991231235959Z: no well-defined expiry (RFC 5280 4.1.2.5). */
#define DER_TIME_FOREVER INT64_C(253402300799)

#endif
