#include "ceremony/words.h"

#include <stdio.h>

const char *words_at(size_t place, uint8_t octet)
{
    static char text[512][6];

    snprintf(text[(place & 1) * 256 + octet], 6, "w%03u", octet);
    return text[(place & 1) * 256 + octet];
}

void words_add(struct buf *b, const uint8_t *p, size_t len)
{
    size_t i;

    for (i = 0; i < len; i++)
        buf_addf(b, "%s%s", i ? " " : "", words_at(i, p[i]));
}
