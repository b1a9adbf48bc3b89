#include "x509/fascn.h"

#include <stdbool.h>
#include <string.h>

#define CHARS 40
#define START 0xb
#define FIELD 0xd
#define END   0xf

/* What stands where: S, F and E the sentinels, d a digit, L the check character. */
static const char layout[CHARS + 1] = "SddddFddddFddddddFdFdFddddddddddddddddEL";

/* Digits of the fields in the text. */
static const unsigned fields[] = {4, 4, 6, 1, 1, 10, 1, 4, 1};
#define N_FIELDS (sizeof(fields) / sizeof(fields[0]))

static bool get_bit(const uint8_t *p, size_t i)
{
    return p[i / 8] >> (7 - i % 8) & 1;
}

/* -1 when the parity is even. */
static int get_char(const uint8_t *p, size_t at)
{
    unsigned v = 0, ones = 0, i;

    for (i = 0; i < 5; i++) {
        bool bit = get_bit(p, at * 5 + i);

        ones += bit;
        v |= (unsigned)bit << i;
    }
    return ones & 1 ? (int)(v & 0xf) : -1;
}

static void put_char(uint8_t *p, size_t at, unsigned v)
{
    unsigned ones = 0, i, bit;

    for (i = 0; i < 5; i++) {
        bit = i < 4 ? v >> i & 1 : !(ones & 1);
        ones += bit;
        p[(at * 5 + i) / 8] |= (uint8_t)(bit << (7 - (at * 5 + i) % 8));
    }
}

static const char *check_char(char want, unsigned v, unsigned check)
{
    switch (want) {
    case 'S':
        return v == START ? NULL : "a start sentinel";
    case 'F':
        return v == FIELD ? NULL : "field separators after agency, system, credential, series and issue";
    case 'E':
        return v == END ? NULL : "an end sentinel";
    case 'L':
        return v == check ? NULL : "a check character (LRC) that is right";
    default:
        return v <= 9 ? NULL : "digits between the separators";
    }
}

/* The digits without all the rest. */
static const char *read_digits(const uint8_t *p, char digits[CHARS])
{
    unsigned check = 0;
    const char *fault;
    size_t i, n = 0;

    for (i = 0; i < CHARS; i++) {
        int v = get_char(p, i);

        if (v < 0)
            return "odd parity in each of 40 characters";
        fault = check_char(layout[i], (unsigned)v, check);
        if (fault)
            return fault;
        check ^= (unsigned)v;
        if (layout[i] == 'd')
            digits[n++] = (char)('0' + v);
    }
    return NULL;
}

const char *fascn_to_text(const uint8_t *p, size_t len, char dst[FASCN_TEXT])
{
    char digits[CHARS];
    const char *fault, *from = digits;
    size_t i;

    if (len != FASCN_LEN)
        return "25 octets";
    fault = read_digits(p, digits);
    if (fault)
        return fault;
    for (i = 0; i < N_FIELDS; i++) {
        memcpy(dst, from, fields[i]);
        from += fields[i];
        dst += fields[i];
        *dst++ = i + 1 < N_FIELDS ? '-' : '\0';
    }
    return NULL;
}

static const char *take_digits(const char *text, char digits[CHARS])
{
    static const char want[] =
        "AAAA-SSSS-CCCCCC-S-I-PPPPPPPPPP-C-OOOO-A, all digits, or # and 50 hexadecimal ones";
    size_t i, n = 0, k;

    for (i = 0; i < N_FIELDS; i++) {
        for (k = 0; k < fields[i]; k++, text++) {
            if (*text < '0' || *text > '9')
                return want;
            digits[n++] = *text;
        }
        if (*text != (i + 1 < N_FIELDS ? '-' : '\0'))
            return want;
        text++;
    }
    return NULL;
}

const char *fascn_from_text(const char *text, uint8_t dst[FASCN_LEN])
{
    static const unsigned marks[] = {['S'] = START, ['F'] = FIELD, ['E'] = END};
    char digits[CHARS];
    const char *fault = take_digits(text, digits);
    unsigned check = 0, v;
    size_t i, n = 0;

    if (fault)
        return fault;
    memset(dst, 0, FASCN_LEN);
    for (i = 0; i < CHARS; i++) {
        if (layout[i] == 'L')
            v = check;
        else
            v = layout[i] == 'd' ? (unsigned)(digits[n++] - '0') : marks[(unsigned char)layout[i]];
        put_char(dst, i, v);
        check ^= v;
    }
    return NULL;
}
