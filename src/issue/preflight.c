#include "issue/preflight.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "issue/preflight_primes.h"

/* What a code means for the lot. Whatever is not here is a matter of its row. */
static const struct fact {
    const char *code;
    bool whole;   /* a row with it refuses the lot */
    size_t alarm; /* so many rows with it are an alarm; 0: never */
} facts[] = {
    {"MANIFEST_SYNTAX", true, 0},
    {"MANIFEST_MISMATCH", true, 0},
    {"PRIVATE_KEY_SEEN", true, 1},
    {"KEY_IS_CA", true, 1},
    {"CLOCK", true, 0},
    {"VALIDITY_NESTING", true, 0},
    {"TICKET_PROFILE", true, 0},
    {"TICKET_SIGNATURE", true, 1},
    {"TICKET_CHANGED", true, 1},
    {"DUP_DEVICE", true, 0},
    {"DUP_KEY", true, 1},
    {"DUP_KEY_LEDGER", false, 1},
    {"KEY_COMPROMISED", false, 1},
    {"DEVICE_ISSUED", false, 1},
    {"KEY_ROCA", false, 2},
    {"KEY_DEBIAN", false, 2},
    {"KEY_CLOSE_PRIMES", false, 2},
    {"KEY_SHARED_PRIME", false, 1},
};
#define N_FACTS (sizeof(facts) / sizeof(facts[0]))
_Static_assert(N_FACTS <= sizeof(((struct preflight *)0)->seen) / sizeof(size_t), "one counter for each");

static size_t find_fact(const char *code)
{
    size_t i;

    for (i = 0; i < N_FACTS && strcmp(facts[i].code, code) != 0; i++)
        ;
    return i;
}

bool preflight_is_alarm(const char *code)
{
    size_t i = find_fact(code);

    return i < N_FACTS && facts[i].alarm;
}

const char *preflight_next_alarm(const struct preflight *p, size_t *at, size_t *ret_rows)
{
    for (; *at < N_FACTS; ++*at) {
        if (facts[*at].alarm && p->seen[*at] >= facts[*at].alarm) {
            *ret_rows = p->seen[*at];
            return facts[(*at)++].code;
        }
    }
    return NULL;
}

static int grow(struct preflight *p, struct p11ca_err *err)
{
    size_t cap = p->cap ? p->cap * 2 : 1024;
    struct preflight_row *v;

    if (p->n < p->cap)
        return 0;
    v = realloc(p->v, cap * sizeof(*v));
    if (!v)
        return err_nomem(err);
    p->v = v;
    p->cap = cap;
    return 0;
}

static int hash_text(const char *text, uint8_t ret[LOT_HASH], struct p11ca_err *err)
{
    uint8_t whole[SHA256_LEN];

    if (hash_sha256(text, strlen(text), whole) != 0)
        return err_nomem(err);
    memcpy(ret, whole, LOT_HASH);
    return 0;
}

/* Its ID, also when the row is bad: a device that comes twice in a manifest is a fault of the manifest. */
static int set_device(
    struct preflight_row *ret, const struct lot_input *in, const struct flow_row *row, struct p11ca_err *err)
{
    const char *id = row->in.m.id;
    char stem[LOT_NAME];

    if (!id && row->job.state == JOB_FAILED)
        return 0;
    if (!id)
        id = row->job.device;
    lot_input_stem(in, row->in.index, stem);
    ret->flags |= PREFLIGHT_DEVICE;
    return hash_text(*id ? id : stem, ret->device, err);
}

static int add_row(
    struct preflight *p, const struct lot_input *in, const struct flow_row *row, struct p11ca_err *err)
{
    const struct job *job = &row->job;
    struct preflight_row r = {.flags = 0};

    memcpy(r.content, row->content, LOT_HASH);
    if (lot_row_file(&row->in) &&
        files_add(&p->files, lot_row_file(&row->in), row->in.material.len != 0) != 0)
        return err_nomem(err);
    if (set_device(&r, in, row, err) != 0)
        return -1;
    if (job->state != JOB_FAILED) {
        r.flags |= PREFLIGHT_KEY;
        memcpy(r.key, job->spki_sha256, LOT_HASH);
        memcpy(r.order, job->request_sha256, LOT_HASH);
    } else {
        r.flags |= PREFLIGHT_REJECTED;
        p->rejected++;
    }
    if (job->spki.len && job->spki.kind == KEY_RSA && primes_add(&p->moduli, p->n, &job->spki) != 0)
        return err_nomem(err);
    p->v[p->n++] = r;
    return 0;
}

static int check_whole(
    struct preflight *p, const struct lot_input *in, const struct flow_row *row, struct p11ca_err *err)
{
    const struct job *job = &row->job;
    size_t fact = job->state == JOB_FAILED ? find_fact(job->err.code) : N_FACTS;
    char name[LOT_NAME];

    if (fact == N_FACTS)
        return 0;
    p->seen[fact]++;
    if (!facts[fact].whole)
        return 0;
    *err = job->err;
    err->kind = P11CA_REFUSED;
    lot_input_name(in, row->in.index, name);
    return err_prefix(err, "%s", name);
}

int preflight_add(
    struct preflight *p, const struct lot_input *in, const struct flow_row *row, struct p11ca_err *err)
{
    if (grow(p, err) != 0 || check_whole(p, in, row, err) != 0)
        return -1;
    return add_row(p, in, row, err);
}

/* --- rows against each other --- */

struct by {
    const struct preflight_row *v;
    size_t offset; /* of the digest */
};

static const uint8_t *digest_of(const struct by *by, uint32_t row)
{
    return (const uint8_t *)&by->v[row] + by->offset;
}

static int compare(const void *a, const void *b, void *arg)
{
    const uint32_t *x = a, *y = b;
    int c = memcmp(digest_of(arg, *x), digest_of(arg, *y), LOT_HASH);

    return c ? c : (*x > *y) - (*x < *y);
}

/* The two rows that say it best: of the pairs that are no twins the one whose second comes first. */
struct pair {
    size_t one, two;
    bool found;
};

static bool is_twin(const struct preflight_row *a, const struct preflight_row *b)
{
    return a->flags & b->flags & PREFLIGHT_KEY && memcmp(a->order, b->order, LOT_HASH) == 0 &&
           memcmp(a->device, b->device, LOT_HASH) == 0;
}

static void judge_pair(const struct preflight *p, size_t one, size_t two, struct pair *ret)
{
    if (!is_twin(&p->v[one], &p->v[two]) && (!ret->found || two < ret->two))
        *ret = (struct pair){one, two, true};
}

/* The pairs that have the digest at offset in common, among the rows that have one. */
static int find_pair(
    const struct preflight *p, unsigned flag, size_t offset, struct pair *ret, struct p11ca_err *err)
{
    uint32_t *list = malloc((p->n ? p->n : 1) * sizeof(*list));
    struct by by = {p->v, offset};
    size_t n = 0, i;

    if (!list)
        return err_nomem(err);
    for (i = 0; i < p->n; i++) {
        if (p->v[i].flags & flag)
            list[n++] = (uint32_t)i;
    }
    if (n)
        qsort_r(list, n, sizeof(*list), compare, &by);
    for (i = 1; i < n; i++) {
        if (memcmp(digest_of(&by, list[i - 1]), digest_of(&by, list[i]), LOT_HASH) == 0)
            judge_pair(p, list[i - 1], list[i], ret);
    }
    free(list);
    return 0;
}

static int check_pairs(struct preflight *p, const struct lot_input *in, unsigned flag, size_t offset,
    const char *code, const char *what, struct p11ca_err *err)
{
    struct pair pair = {.found = false};
    char one[LOT_NAME], two[LOT_NAME];

    if (find_pair(p, flag, offset, &pair, err) != 0)
        return -1;
    if (!pair.found)
        return 0;
    lot_input_name(in, pair.one, one);
    lot_input_name(in, pair.two, two);
    return err_set(err, P11CA_REFUSED, code, "%s: %s of %s again, in another order", two, what, one);
}

static void flag_shared(void *arg, size_t row)
{
    struct preflight *p = arg;

    if (!(p->v[row].flags & PREFLIGHT_SHARED))
        p->seen[find_fact("KEY_SHARED_PRIME")]++;
    if (!(p->v[row].flags & (PREFLIGHT_SHARED | PREFLIGHT_REJECTED)))
        p->rejected++;
    p->v[row].flags |= PREFLIGHT_SHARED;
}

/* A lot of a million is issued in the memory that comparing its rows has taken. */
static int shrink(struct preflight *p)
{
    size_t i;

    p->left = calloc(p->n ? p->n : 1, sizeof(*p->left));
    if (!p->left)
        return -1;
    for (i = 0; i < p->n; i++) {
        memcpy(p->left[i].content, p->v[i].content, LOT_HASH);
        p->left[i].shared = (p->v[i].flags & PREFLIGHT_SHARED) != 0;
    }
    free(p->v);
    p->v = NULL;
    buf_done(&p->moduli);
    return 0;
}

int preflight_end(struct preflight *p, const struct lot_input *in, struct p11ca_err *err)
{
    if (check_pairs(p, in, PREFLIGHT_DEVICE, offsetof(struct preflight_row, device), "DUP_DEVICE",
            "the device", err) != 0 ||
        check_pairs(
            p, in, PREFLIGHT_KEY, offsetof(struct preflight_row, key), "DUP_KEY", "the public key", err) != 0)
        return -1;
    if (files_check(&p->files, in->dir, err) != 0)
        return -1;
    return primes_check(&p->moduli, flag_shared, p) == 0 && shrink(p) == 0 ? 0 : err_nomem(err);
}

int preflight_verdict(const struct preflight *p, size_t index, struct p11ca_err *err)
{
    if (!p->left[index].shared)
        return 0;
    return err_set(err, P11CA_REFUSED, "KEY_SHARED_PRIME",
        "public key: its RSA modulus has a prime in common with another row's: anybody can compute both "
        "keys");
}

void preflight_done(struct preflight *p)
{
    free(p->v);
    free(p->left);
    buf_done(&p->moduli);
    files_done(&p->files);
    memset(p, 0, sizeof(*p));
}
