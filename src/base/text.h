/*
 * Text at the border: escaping of foreign text, hexadecimal, times as people and JSON read them.
 */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/*
 * Copies src as valid, harmless UTF-8: controls, invalid UTF-8 and the characters that reorder or hide
 * text on a terminal (bidi controls, zero-width, line separators) become \xNN. Always ends dst with NUL.
 */
void text_escape(const char *src, size_t len, char *dst, size_t size);

/* Appends text as text_escape() has it, but that newlines stay, and tabs are spaces. */
void text_add_lines(struct buf *b, const char *text);

/* Length in bytes of the UTF-8 character at p (1 to 4), 0 when it is not valid UTF-8 (RFC 3629). */
size_t text_utf8(const uint8_t *p, size_t len, uint32_t *ret_char);

/* Characters that must appear in no name: C0, DEL, C1, bidi controls, zero-width, line separators. */
bool text_is_control(uint32_t c);

/* Upper-case hex, as OpenSSL prints serials. dst has 2 * len + 1 bytes. */
void text_hex(const uint8_t *p, size_t len, char *dst);

/* The same in lower case, as sha256sum prints digests. */
void text_hex_lower(const uint8_t *p, size_t len, char *dst);

/* Number of bytes decoded, or -1: odd length, other character, longer than max. Colons are not taken. */
int text_unhex(const char *hex, uint8_t *dst, size_t max);

/* "2026-11-21T03:05:00Z"; t in seconds since 1970 UTC, years 0 to 9999. */
#define TEXT_TIME 24
void text_time(int64_t t, char dst[TEXT_TIME]);

/* The same back, of times after 1970; one spelling of each. 0 or -1. */
int text_time_read(const char *text, int64_t *ret);

#endif
