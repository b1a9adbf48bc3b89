/* Reading what others wrote: all that RFC 5280 allows, where the readers of ext.h and san.h take what we would issue. */
#include <string.h>

#include "base/text.h"
#include "x509/lint_row.h"
#include "x509/name.h"

#define N_GENERAL_NAMES 9 /* RFC 5280 A.2: otherName [0] to registeredID [8] */

int lint_next_name(struct der *in, unsigned *ret_number, struct der *ret_content)
{
    struct der rest = *in, content;
    uint8_t tag;

    /* bits 8 and 7: context-specific; bit 6: constructed */
    if (der_next_tag(&rest, &tag, &content) != 0 || (tag & 0xc0) != 0x80 || (tag & 0x1f) >= N_GENERAL_NAMES)
        return -1;
    *ret_number = tag & 0x1f;
    *ret_content = content;
    *in = rest;
    return 0;
}

/* RFC 5280 4.2.1.6: IA5String, and nothing that ends it early for somebody. */
static const char *ascii(struct der text)
{
    size_t i;

    for (i = 0; i < text.len; i++) {
        if (text.p[i] < 0x20 || text.p[i] > 0x7e)
            return "visible ASCII";
    }
    return text.len ? NULL : "at least one character";
}

static const char *other_name(struct der content)
{
    struct der oid, value;

    return der_next(&content, DER_OID, &oid) == 0 &&
                   der_next(&content, DER_CONTEXT_CONSTRUCTED(0), &value) == 0 && content.len == 0 &&
                   value.len
               ? NULL
               : "otherName of type and value";
}

static const char *directory_name(struct der content)
{
    struct der rdns;

    return der_whole(content, DER_SEQUENCE, &rdns) == 0 ? NULL : "directoryName of a Name";
}

static const char *address(struct der content)
{
    return content.len == 4 || content.len == 16 ? NULL : "iPAddress of 4 or 16 octets";
}

static const char *number(struct der content)
{
    char text[OID_TEXT];

    return content.len && oid_to_dotted(content, text, sizeof(text)) == 0 ? NULL
                                                                          : "registeredID of an identifier";
}

static const char *anything(struct der content)
{
    (void)content;
    return NULL;
}

const char *lint_general_name(unsigned n, struct der content)
{
    static const char *(*const checks[N_GENERAL_NAMES])(struct der content) = {
        other_name, ascii, ascii, anything, directory_name, anything, ascii, address, number};

    return n < N_GENERAL_NAMES ? checks[n](content) : "a kind of GeneralName";
}

const char *lint_general_names(struct der content)
{
    const char *wrong = NULL;
    unsigned n;
    struct der c;

    while (content.len && !wrong)
        wrong = lint_next_name(&content, &n, &c) == 0 ? lint_general_name(n, c) : "GeneralNames";
    return wrong;
}

static struct der sans_of(const struct lint *l)
{
    struct der names = {NULL, 0};

    return l->f.san.p && der_whole(l->f.san, DER_SEQUENCE, &names) == 0 ? names : DER_OF(NULL, 0);
}

size_t lint_sans(const struct lint *l, unsigned want, struct der *ret)
{
    struct der in = sans_of(l), c;
    unsigned n;
    size_t found = 0;

    while (in.len && lint_next_name(&in, &n, &c) == 0) {
        if (n != want)
            continue;
        *ret = c;
        found++;
    }
    return found;
}

size_t lint_other_names(const struct lint *l, enum oid type, struct der *ret)
{
    struct der in = sans_of(l), c, oid, value;
    unsigned n;
    size_t found = 0;

    while (in.len && lint_next_name(&in, &n, &c) == 0) {
        if (n != 0 || der_next(&c, DER_OID, &oid) != 0 || !oid_is(oid, type) ||
            der_whole(c, DER_CONTEXT_CONSTRUCTED(0), &value) != 0)
            continue;
        *ret = value;
        found++;
    }
    return found;
}

size_t lint_attrs(struct der name, enum oid type, struct der *ret)
{
    struct der rdns, rdn, pair, oid;
    size_t found = 0;

    if (der_whole(name, DER_SEQUENCE, &rdns) != 0)
        return 0;
    while (rdns.len && der_next(&rdns, DER_SET, &rdn) == 0) {
        while (rdn.len && der_next(&rdn, DER_SEQUENCE, &pair) == 0 && der_next(&pair, DER_OID, &oid) == 0) {
            if (!oid_is(oid, type))
                continue;
            *ret = pair;
            found++;
        }
    }
    return found;
}

bool lint_ext(const struct lint *l, enum oid id, struct der *ret_value)
{
    const struct cert_ext *ext = tbs_ext(&l->t, id);

    if (ext)
        *ret_value = ext->value;
    return ext != NULL;
}

bool lint_has_eku(const struct lint *l, struct der oid)
{
    struct der value, seq, one;

    if (!lint_ext(l, OID_EXT_KEY_USAGE, &value) || der_whole(value, DER_SEQUENCE, &seq) != 0)
        return false;
    while (seq.len && der_next(&seq, DER_OID, &one) == 0) {
        if (der_equal(one, oid))
            return true;
    }
    return false;
}

bool lint_has_policy(const struct lint *l, struct der oid)
{
    struct der value, seq, info, one;

    if (!lint_ext(l, OID_POLICIES, &value) || der_whole(value, DER_SEQUENCE, &seq) != 0)
        return false;
    while (seq.len && der_next(&seq, DER_SEQUENCE, &info) == 0 && der_next(&info, DER_OID, &one) == 0) {
        if (der_equal(one, oid))
            return true;
    }
    return false;
}

int64_t lint_days(const struct lint *l)
{
    return (l->t.not_after - l->t.not_before + PROFILE_DAY) / PROFILE_DAY;
}
