/* Lots in tar archives: whatever the octets, each row has its material or a reason, and the second time is like the first. */
#include <string.h>

#include "base/file.h"
#include "base/limits.h"
#include "fuzz.h"
#include "issue/lot_input.h"

static const char *const prefix = "lot.tar#";

static void require_names(const struct lot_input *in, size_t i)
{
    char name[LOT_NAME], stem[LOT_NAME];

    lot_input_name(in, i, name);
    REQUIRE(strncmp(name, prefix, strlen(prefix)) == 0 && strlen(name) <= strlen(prefix) + 240);
    lot_input_stem(in, i, stem);
    REQUIRE(!strchr(stem, '/'));
}

/* What is refused has left nothing; what is good has a name to be published under. */
static void require_row(const struct lot_input *in, struct lot_row *row)
{
    struct p11ca_err err;
    char stem[LOT_NAME];

    REQUIRE(row->material.len <= LIMIT_CSR && row->text.len <= 240);
    require_names(in, row->index);
    if (!TAKES(lot_input_load(in, row, &err))) {
        REQUIRE(row->material.len == 0);
        return;
    }
    lot_input_stem(in, row->index, stem);
    REQUIRE(stem[0] && stem[0] != '.' && strlen(stem) < 240);
}

static size_t read_rows(struct lot_input *in, bool *ret_fault)
{
    struct p11ca_err err;
    struct lot_row row;
    size_t n = 0;
    int rc;

    for (;; n++) {
        fuzz_blank(&err);
        rc = lot_input_next(in, &row, &err);
        if (rc != 1)
            break;
        REQUIRE(row.index == n);
        require_row(in, &row);
        lot_row_done(&row);
    }
    if (rc != 0)
        (void)fuzz_judge(rc, &err);
    *ret_fault = rc != 0;
    return n;
}

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
    struct lot_input in;
    struct p11ca_err err;

    fuzz_write("lot.tar", p, len);
    fuzz_fill(&in, sizeof(in));
    if (TAKES(lot_input_open(&in, fuzz_path("lot.tar"), &err))) {
        read_twice(&in);
        lot_input_done(&in);
    } else {
        REQUIRE(fuzz_untouched(&in, sizeof(in)));
    }
    return 0;
}
