/*
 * The Federal Agency Smart Credential Number of a PIV card (FIPS 201-3 4.2.1; TIG SCEPACS 2.3): 40 characters of five
 * bits, four of them least significant first and one for odd parity, between a start sentinel and a check character.
 * As text its fields with dashes between, agency to association: 9999-9999-999999-0-1-0000000000-3-0000-1.
 */
#ifndef X509_FASCN_H
#define X509_FASCN_H

#include <stddef.h>
#include <stdint.h>

#define FASCN_LEN  25
#define FASCN_TEXT 48

/* Each returns NULL, or what is wanted and was not found. Outputs change only on success. */
const char *fascn_to_text(const uint8_t *p, size_t len, char dst[FASCN_TEXT]);
const char *fascn_from_text(const char *text, uint8_t dst[FASCN_LEN]);

#endif
