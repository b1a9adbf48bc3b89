#include "issue/lot_names.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

#define CHUNK ((size_t)64 * 1024)

const char *lot_name_base(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

size_t lot_name_stem(const char *base)
{
    const char *dot = strrchr(base, '.');

    return dot ? (size_t)(dot - base) : strlen(base);
}

const char *lot_names_at(const struct lot_names *names, size_t i)
{
    return names->pages[i / LOT_NAMES_PAGE][i % LOT_NAMES_PAGE];
}

/* --- found by their stem --- */

/* Of a digest: nobody makes many names that fall into one slot. */
static uint64_t hash_of(const char *stem, size_t len)
{
    uint8_t digest[SHA256_LEN] = {0};
    uint64_t h;

    /* Without it everything is found all the same, but slowly. */
    if (hash_sha256(stem, len, digest) != 0)
        memset(digest, 0, sizeof(digest));
    memcpy(&h, digest, sizeof(h));
    return h;
}

/* Where the first name with this stem is, or would be. */
static size_t find(const struct lot_names *names, const char *name)
{
    const char *stem = lot_name_base(name), *other;
    size_t len = lot_name_stem(stem), at = hash_of(stem, len) & (names->n_slots - 1);

    for (; names->slots[at]; at = (at + 1) & (names->n_slots - 1)) {
        other = lot_name_base(lot_names_at(names, names->slots[at] - 1));
        if (lot_name_stem(other) == len && memcmp(other, stem, len) == 0)
            break;
    }
    return at;
}

static void put(struct lot_names *names, size_t i)
{
    size_t at = find(names, lot_names_at(names, i));

    if (!names->slots[at])
        names->slots[at] = (uint32_t)i + 1;
}

static int make_slots(struct lot_names *names, struct p11ca_err *err)
{
    size_t n = names->n_slots ? 2 * names->n_slots : LOT_NAMES_PAGE, i;
    uint32_t *slots = calloc(n, sizeof(*slots));

    if (!slots)
        return err_nomem(err);
    free(names->slots);
    names->slots = slots;
    names->n_slots = n;
    for (i = 0; i < names->n; i++)
        put(names, i);
    return 0;
}

bool lot_names_is_taken(const struct lot_names *names, size_t i)
{
    return names->slots[find(names, lot_names_at(names, i))] != i + 1;
}

/* --- kept --- */

/* Tight: millions of small allocations would take twice as much. */
static char *copy(struct lot_names *names, const char *name)
{
    size_t size = strlen(name) + 1;
    char *p;

    if (size > names->left) {
        names->left = size > CHUNK ? size : CHUNK;
        names->chunk = arena_alloc(&names->arena, names->left);
        if (!names->chunk) {
            names->left = 0;
            return NULL;
        }
    }
    p = memcpy(names->chunk, name, size);
    names->chunk += size;
    names->left -= size;
    return p;
}

static const char **page_of(struct lot_names *names, size_t i)
{
    const char ***page = &names->pages[i / LOT_NAMES_PAGE];

    if (!*page)
        *page = arena_alloc(&names->arena, LOT_NAMES_PAGE * sizeof(**page));
    return *page;
}

int lot_names_add(struct lot_names *names, const char *name, struct p11ca_err *err)
{
    const char **page;
    char *kept;

    if (names->n == LIMIT_ROWS)
        return err_set(err, P11CA_REFUSED, "INPUT_TOO_LARGE", "want at most %d rows, have more", LIMIT_ROWS);
    page = page_of(names, names->n);
    kept = page ? copy(names, name) : NULL;
    if (!kept)
        return err_nomem(err);
    if (2 * (names->n + 1) >= names->n_slots && make_slots(names, err) != 0)
        return -1;
    page[names->n % LOT_NAMES_PAGE] = kept;
    put(names, names->n);
    names->n++;
    return 0;
}

void lot_names_done(struct lot_names *names)
{
    free(names->slots);
    arena_done(&names->arena);
    memset(names, 0, sizeof(*names));
}
