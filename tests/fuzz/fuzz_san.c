/* Alternative names: GeneralNames in DER; or (what does not begin with a SEQUENCE's tag) one "KIND text" a line. */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

static void read_der(struct der names)
{
    AUTO_SANS list = SAN_LIST_INIT;
    AUTO_BUF der = BUF_INIT;
    struct p11ca_err err;
    size_t n = 0;
    struct der in, one;

    if (!TAKES(san_from_der(names, &list, &err)))
        return;
    fuzz_require_sans(&list);
    REQUIRE(der_whole(names, DER_SEQUENCE, &in) == 0);
    for (; in.len; n++)
        REQUIRE(der_next_any(&in, &one) == 0);
    REQUIRE(list.n >= 1 && list.n <= n);
    /* Nothing but doubles was left out. */
    san_to_der(&list, &der);
    REQUIRE(list.n < n || der_equal(names, der_buf(&der)));
}

static void add_line(struct san_list *list, const char *line)
{
    struct p11ca_err err;
    size_t before = list->n, len;
    enum san_type type;

    for (type = SAN_DNS; type < SAN_TYPES; type++) {
        len = strlen(san_type_name(type));
        if (strncmp(line, san_type_name(type), len) != 0 || line[len] != ' ')
            continue;
        line += len + 1;
        if (TAKES(san_add(list, type, line, &err))) {
            REQUIRE(list->n == before || list->n == before + 1);
            REQUIRE(san_has(list, type, line));
        } else {
            REQUIRE(list->n == before);
        }
        return;
    }
}

static void read_lines(char *text)
{
    AUTO_SANS list = SAN_LIST_INIT;
    char *line;

    while ((line = strsep(&text, "\n")))
        add_line(&list, line);
    fuzz_require_sans(&list);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
    AUTO_STR text = len ? strndup((const char *)p, len) : strdup("");

    REQUIRE(text);
    if (len && p[0] == DER_SEQUENCE)
        read_der(DER_OF(p, len));
    else
        read_lines(text);
    return 0;
}
