/*
 * What the tools of this folder share: P-256 keys by the million. The private keys are consecutive numbers from a random
 * one on: they are good for nothing but tests, and each costs one addition.
 */
#ifndef INTAKE_KEYS_H
#define INTAKE_KEYS_H

#include <errno.h>
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/obj_mac.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define POINT    65
#define SPKI_LEN (26 + POINT)

#define must(what)                                                                                           \
    do {                                                                                                     \
        if (!(what)) {                                                                                       \
            fprintf(stderr, "%s: %s:%d: %s\n", program_invocation_short_name, __FILE__, __LINE__, #what);    \
            exit(1);                                                                                         \
        }                                                                                                    \
    } while (0)

struct keys {
    EC_GROUP *group;
    EC_POINT *point;
    BIGNUM *number;
    BN_CTX *ctx;
};

static inline void first_key(struct keys *k)
{
    k->group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
    k->ctx = BN_CTX_new();
    k->number = BN_new();
    k->point = k->group ? EC_POINT_new(k->group) : NULL;
    must(k->group && k->ctx && k->number && k->point);
    must(BN_rand(k->number, 200, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) == 1);
    must(EC_POINT_mul(k->group, k->point, k->number, NULL, NULL, k->ctx) == 1);
}

static inline void next_key(struct keys *k)
{
    must(EC_POINT_add(k->group, k->point, k->point, EC_GROUP_get0_generator(k->group), k->ctx) == 1);
    must(BN_add_word(k->number, 1) == 1);
}

static inline void keys_done(struct keys *k)
{
    EC_POINT_free(k->point);
    EC_GROUP_free(k->group);
    BN_free(k->number);
    BN_CTX_free(k->ctx);
}

static inline void point_of(const struct keys *k, uint8_t ret[POINT])
{
    must(EC_POINT_point2oct(k->group, k->point, POINT_CONVERSION_UNCOMPRESSED, ret, POINT, k->ctx) == POINT);
}

/* RFC 5480: the header of every P-256 SubjectPublicKeyInfo, and the point. */
static inline size_t spki_bytes(const struct keys *k, uint8_t ret[SPKI_LEN])
{
    static const uint8_t head[26] = {0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02,
        0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00};

    memcpy(ret, head, sizeof(head));
    point_of(k, ret + sizeof(head));
    return SPKI_LEN;
}

#endif
