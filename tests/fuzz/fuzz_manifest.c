/* What lots are read from: the first octet says as which kind of input the others are read. */
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "fuzz.h"
#include "issue/lot_input.h"

static const char *const names[] = {"lot.csv", "lot.ndjson", "lot.pem"};

static void require_row(const struct lot_row *row)
{
    const struct manifest_row *m = &row->m;
    size_t i;

    REQUIRE(row->is_key == (m->material >= MATERIAL_SPKI));
    REQUIRE(m->days <= 999999 && m->n_fields <= LIMIT_COLUMNS);
    REQUIRE(!m->id || *m->id);
    fuzz_require_sans(&m->sans);
    for (i = 0; i < m->n_fields; i++) {
        size_t len = strlen(m->fields[i].name);

        REQUIRE(len >= 1 && len <= 32 && m->fields[i].name[0] >= 'a' && m->fields[i].value[0]);
        REQUIRE(strspn(m->fields[i].name, "abcdefghijklmnopqrstuvwxyz0123456789_-") == len);
    }
}

/* A row either has its material, or a reason. */
static void load(const struct lot_input *in, struct lot_row *row)
{
    struct p11ca_err err;

    if (TAKES(lot_input_load(in, row, &err))) {
        REQUIRE(row->material.len || lot_row_file(row));
        require_row(row);
    }
}

/* Rows until the end or a fault; *ret_fault says which. */
static size_t read_rows(struct lot_input *in, bool *ret_fault)
{
    struct p11ca_err err;
    struct lot_row row;
    char name[LOT_NAME];
    size_t n = 0;
    int rc;

    for (;; n++) {
        fuzz_blank(&err);
        rc = lot_input_next(in, &row, &err);
        if (rc != 1)
            break;
        REQUIRE(row.index == n && row.text.len <= LIMIT_CSR + 64);
        lot_input_name(in, n, name);
        REQUIRE(strncmp(name, in->base, strlen(in->base)) == 0);
        load(in, &row);
        lot_row_done(&row);
    }
    if (rc != 0)
        (void)fuzz_judge(rc, &err);
    *ret_fault = rc != 0;
    return n;
}

/* The second time everything is as it was. */
static void read_twice(struct lot_input *in)
{
    struct p11ca_err err;
    bool fault, again;
    size_t n = read_rows(in, &fault);

    REQUIRE(TAKES(lot_input_rewind(in, &err)));
    REQUIRE(read_rows(in, &again) == n && again == fault);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
    const char *name = names[len ? p[0] % (sizeof(names) / sizeof(names[0])) : 0];
    struct lot_input in;
    struct p11ca_err err;

    fuzz_write("here.der", "0", 1);
    fuzz_write(name, len ? p + 1 : p, len ? len - 1 : 0);
    fuzz_fill(&in, sizeof(in));
    if (TAKES(lot_input_open(&in, fuzz_path(name), &err))) {
        read_twice(&in);
        lot_input_done(&in);
    } else {
        REQUIRE(fuzz_untouched(&in, sizeof(in)));
    }
    return 0;
}
