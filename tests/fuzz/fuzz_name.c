/* Distinguished names: text to DER and back, and DER (what begins with a SEQUENCE's tag) to text and back. */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "x509/name.h"

#define BEFORE "before"

static bool only_before(const struct buf *b)
{
    return b->len == strlen(BEFORE) && memcmp(b->p, BEFORE, b->len) == 0;
}

/* The text of a good name is read as a name with the same text; as the same name when it came from a text. */
static void require_round_trip(struct der name, bool from_text)
{
    AUTO_BUF text = BUF_INIT, again = BUF_INIT, text2 = BUF_INIT;
    struct p11ca_err err;

    REQUIRE(TAKES(name_to_text(name, &text, &err)));
    fuzz_require_text(text.p, text.len, "");
    REQUIRE(TAKES(name_from_text(buf_str(&text), &again, &err)));
    REQUIRE(TAKES(name_to_text(der_buf(&again), &text2, &err)));
    REQUIRE(der_equal(der_buf(&text), der_buf(&text2)));
    REQUIRE(!from_text || der_equal(name, der_buf(&again)));
}

static void get_parts(struct der name)
{
    enum name_attr attr;
    struct der value;

    for (attr = NAME_CN; attr <= NAME_O; attr++) {
        int found = name_get(name, attr, &value);

        REQUIRE(found >= -1 && found <= 1);
        REQUIRE(found != 1 || (value.p >= name.p && value.p + value.len <= name.p + name.len));
    }
}

static void read_text(const char *dn)
{
    AUTO_BUF der = BUF_INIT;
    struct p11ca_err err;
    struct der name;

    buf_adds(&der, BEFORE);
    if (!TAKES(name_from_text(dn, &der, &err))) {
        REQUIRE(only_before(&der));
        return;
    }
    name = DER_OF(der.p + strlen(BEFORE), der.len - strlen(BEFORE));
    REQUIRE(TAKES(der_check(name, DER_MAX_DEPTH, "name", &err)));
    REQUIRE(TAKES(name_check(name, "name", &err)));
    get_parts(name);
    require_round_trip(name, true);
}

static void read_der(struct der name)
{
    AUTO_BUF text = BUF_INIT;
    struct p11ca_err err;
    bool canonical = TAKES(der_check(name, DER_MAX_DEPTH, "name", &err));
    bool good = TAKES(name_check(name, "name", &err));

    buf_adds(&text, BEFORE);
    get_parts(name);
    if (TAKES(name_to_text(name, &text, &err)))
        fuzz_require_text(text.p, text.len, "");
    else
        REQUIRE(only_before(&text));
    if (canonical && good)
        require_round_trip(name, false);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
    AUTO_STR text = len ? strndup((const char *)p, len) : strdup("");

    REQUIRE(text);
    if (len && p[0] == DER_SEQUENCE)
        read_der(DER_OF(p, len));
    else
        read_text(text);
    return 0;
}
