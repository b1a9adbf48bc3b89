/* Hashes read aloud: the PGP word list (Juola and Zimmermann), two syllables for octets at even places, three at odd. */
#ifndef CEREMONY_WORDS_H
#define CEREMONY_WORDS_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/* The word of an octet at a place (from 0). */
const char *words_at(size_t place, uint8_t octet);

/* Appends the words of all octets, with spaces between. */
void words_add(struct buf *b, const uint8_t *p, size_t len);

#endif
