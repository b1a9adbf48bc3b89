#include "x509/constraints.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/text.h"
#include "x509/idna.h"
#include "x509/name.h"
#include "x509/san_check.h"
#include "x509/san_kind.h"

static int bad(enum san_type type, const char *text, const char *want, struct p11ca_err *err)
{
    return err_set(err, P11CA_REFUSED, "CONSTRAINT_BAD",
        "nameConstraints %s '%.300s': RFC 5280 4.2.1.10: want %s", san_type_name(type), text, want);
}

static int bad_der(const char *want, struct p11ca_err *err)
{
    return err_set(err, P11CA_REFUSED, "CONSTRAINT_BAD", "nameConstraints: RFC 5280 4.2.1.10: want %s", want);
}

/* --- hosts --- */

static const char *check_host(const char *host)
{
    struct in_addr v4;
    const char *fault;

    if (inet_pton(AF_INET, host, &v4) == 1)
        return "a host name (an address is an IP constraint)";
    fault = san_check_host(host, strlen(host));
    if (fault)
        return fault;
    return idna_check(host, strlen(host)) ? NULL : "xn-- labels that are A-labels";
}

/* [.]host, in A-labels. */
static int make_host(enum san_type type, const char *text, struct buf *ret_text, struct p11ca_err *err)
{
    bool dot = *text == '.' && type != SAN_DNS;
    const char *fault;

    if (dot)
        buf_addc(ret_text, '.');
    fault = idna_to_ascii(text + dot, strlen(text + dot), ret_text);
    if (!fault && !buf_str(ret_text))
        return err_nomem(err);
    if (!fault)
        fault = check_host((char *)ret_text->p + dot);
    return fault ? bad(type, text, fault, err) : 0;
}

static int make_mailbox(const char *text, struct buf *ret_text, struct p11ca_err *err)
{
    AUTO_SANS one = SAN_LIST_INIT;

    if (san_add(&one, SAN_EMAIL, text, err) != 0)
        return err_prefix(err, "nameConstraints");
    buf_adds(ret_text, one.v ? one.v->text : "");
    return 0;
}

static int make_text(bool excluded, enum san_type type, const char *text, struct buf *ret_text,
    struct buf *ret_value, struct p11ca_err *err)
{
    int rc = 0;

    if (type == SAN_EMAIL && strchr(text, '@'))
        rc = make_mailbox(text, ret_text, err);
    else if (*text || type != SAN_DNS || !excluded)
        rc = make_host(type, text, ret_text, err);
    buf_add(ret_value, ret_text->p, ret_text->len);
    return rc;
}

static int read_text(enum san_type type, struct der value, struct buf *ret_text, struct p11ca_err *err)
{
    return san_kind(type)->read(san_kind(type), value, ret_text, err) == 0
               ? 0
               : err_prefix(err, "nameConstraints");
}

/* --- addresses --- */

/* Sets the bits of a mask; false when the address has others behind it. */
static bool make_mask(const uint8_t *address, size_t len, unsigned prefix, uint8_t *ret_mask)
{
    size_t i;

    for (i = 0; i<len; i++, prefix = prefix> 8 ? prefix - 8 : 0) {
        ret_mask[i] = (uint8_t)(prefix >= 8 ? 0xff : 0xff00 >> prefix);
        if (address[i] & ~ret_mask[i])
            return false;
    }
    return true;
}

/* Bits of a mask that is all ones, then all zeros; -1 for another. */
static int mask_prefix(const uint8_t *mask, size_t len)
{
    size_t i, n = 0;

    while (n < 8 * len && mask[n / 8] >> (7 - n % 8) & 1)
        n++;
    for (i = n; i < 8 * len; i++) {
        if (mask[i / 8] >> (7 - i % 8) & 1)
            return -1;
    }
    return (int)n;
}

/* ADDRESS/PREFIX; returns octets of the address, 0 when it is something else. */
static size_t split_ip(const char *text, uint8_t ret_address[16], unsigned *ret_prefix)
{
    char address[INET6_ADDRSTRLEN];
    const char *slash = strchr(text, '/');
    size_t digits;

    if (!slash || (size_t)(slash - text) >= sizeof(address))
        return 0;
    memcpy(address, text, (size_t)(slash - text));
    address[slash - text] = '\0';
    digits = strspn(slash + 1, "0123456789");
    if (digits == 0 || digits > 3 || slash[1 + digits] || (slash[1] == '0' && digits > 1))
        return 0;
    *ret_prefix = (unsigned)strtoul(slash + 1, NULL, 10);
    if (inet_pton(AF_INET, address, ret_address) == 1)
        return 4;
    return inet_pton(AF_INET6, address, ret_address) == 1 ? 16 : 0;
}

static int make_ip(bool excluded, enum san_type type, const char *text, struct buf *ret_text,
    struct buf *ret_value, struct p11ca_err *err)
{
    char shown[INET6_ADDRSTRLEN];
    uint8_t value[32];
    unsigned prefix = 0;
    size_t len = split_ip(text, value, &prefix);

    (void)excluded;
    if (len == 0)
        return bad(type, text, "ADDRESS/PREFIX", err);
    if (prefix > 8 * len || !make_mask(value, len, prefix, value + len))
        return bad(type, text, "a prefix of the address's length, and no bits of the address behind it", err);
    if (!inet_ntop(len == 4 ? AF_INET : AF_INET6, value, shown, sizeof(shown)))
        return err_errno(err, P11CA_BUG, "inet_ntop");
    buf_addf(ret_text, "%s/%u", shown, prefix);
    buf_add(ret_value, value, 2 * len);
    return 0;
}

static int read_ip(enum san_type type, struct der value, struct buf *ret_text, struct p11ca_err *err)
{
    size_t len = value.len / 2;
    char shown[INET6_ADDRSTRLEN];
    int prefix;

    (void)type;
    if (value.len != 8 && value.len != 32)
        return bad_der("8 or 32 octets of address and mask", err);
    prefix = mask_prefix(value.p + len, len);
    if (prefix < 0)
        return bad_der("a mask of ones and then zeros", err);
    if (!inet_ntop(len == 4 ? AF_INET : AF_INET6, value.p, shown, sizeof(shown)))
        return err_errno(err, P11CA_BUG, "inet_ntop");
    buf_addf(ret_text, "%s/%d", shown, prefix);
    return 0;
}

/* --- directory names --- */

static int make_dirname(bool excluded, enum san_type type, const char *text, struct buf *ret_text,
    struct buf *ret_value, struct p11ca_err *err)
{
    (void)excluded;
    if (name_from_text_as(text, "nameConstraints dirname", ret_value, err) != 0)
        return -1;
    if (name_is_empty(der_buf(ret_value)))
        return bad(type, text, "a name that is not empty", err);
    return name_to_text(der_buf(ret_value), ret_text, err);
}

/* --- the table --- */

static const struct kind {
    enum san_type type;
    int (*make)(bool excluded, enum san_type type, const char *text, struct buf *ret_text,
        struct buf *ret_value, struct p11ca_err *err);
    int (*read)(enum san_type type, struct der value, struct buf *ret_text, struct p11ca_err *err);
} kinds[] = {
    {SAN_DNS, make_text, read_text},
    {SAN_EMAIL, make_text, read_text},
    {SAN_URI, make_text, read_text},
    {SAN_IP, make_ip, read_ip},
    {SAN_DIRNAME, make_dirname, read_text},
};
#define N_KINDS (sizeof(kinds) / sizeof(kinds[0]))

static const struct kind *find_type(enum san_type type)
{
    size_t i = 0;

    while (i < N_KINDS && kinds[i].type != type)
        i++;
    return i < N_KINDS ? &kinds[i] : NULL;
}

static const struct kind *find_tag(uint8_t tag)
{
    size_t i = 0;

    while (i < N_KINDS && san_kind(kinds[i].type)->tag != tag)
        i++;
    return i < N_KINDS ? &kinds[i] : NULL;
}

static bool has(const struct constraints *list, const struct constraint *c)
{
    size_t i;

    for (i = 0; i < list->n; i++) {
        if (list->v[i].excluded == c->excluded && list->v[i].base.type == c->base.type &&
            strcmp(list->v[i].base.text, c->base.text) == 0)
            return true;
    }
    return false;
}

/* Takes c over, or frees it. */
static int append(struct constraints *list, struct constraint *c, struct p11ca_err *err)
{
    struct constraint *v = NULL;
    bool is_new = !has(list, c);

    if (is_new && list->n < LIMIT_SANS)
        v = realloc(list->v, (list->n + 1) * sizeof(*v));
    if (v) {
        v[list->n++] = *c;
        list->v = v;
        return 0;
    }
    free(c->base.text);
    free(c->base.der);
    if (!is_new)
        return 0;
    return list->n < LIMIT_SANS ? err_nomem(err) : bad_der("at most 250 names", err);
}

static int append_bytes(struct constraints *list, bool excluded, enum san_type type, struct buf *text,
    struct der value, struct p11ca_err *err)
{
    struct constraint c = {.excluded = excluded, .base = {.type = type, .der_len = value.len}};
    AUTO_BUF der = BUF_INIT;
    size_t len;

    buf_add(&der, value.p, value.len);
    if (!buf_str(text) || !buf_str(&der))
        return err_nomem(err);
    c.base.text = (char *)buf_take(text, &len);
    c.base.der = buf_take(&der, &len);
    return append(list, &c, err);
}

int constraints_add(
    struct constraints *list, bool excluded, enum san_type type, const char *text, struct p11ca_err *err)
{
    const struct kind *kind = find_type(type);
    AUTO_BUF canonical = BUF_INIT;
    AUTO_BUF value = BUF_INIT;

    if (!kind)
        return bad(type, text, "DNS, email, URI, IP or dirname", err);
    if (kind->make(excluded, type, text, &canonical, &value, err) != 0)
        return -1;
    if (!buf_ok(&value))
        return err_nomem(err);
    return append_bytes(list, excluded, type, &canonical, der_buf(&value), err);
}

/* --- DER --- */

static int take_base(
    struct constraints *list, bool excluded, uint8_t tag, struct der value, struct p11ca_err *err)
{
    const struct kind *kind = find_tag(tag);
    AUTO_BUF text = BUF_INIT;
    AUTO_BUF canonical = BUF_INIT;
    AUTO_BUF made = BUF_INIT;

    if (!kind)
        return bad_der("DNS, email, URI, IP or dirname, have another kind of name", err);
    if (kind->read(kind->type, value, &text, err) != 0)
        return -1;
    if (!buf_str(&text))
        return err_nomem(err);
    if (kind->make(excluded, kind->type, (char *)text.p, &canonical, &made, err) != 0)
        return -1;
    return append_bytes(list, excluded, kind->type, &canonical, value, err);
}

static int take_subtrees(struct constraints *list, bool excluded, struct der subtrees, struct p11ca_err *err)
{
    struct der subtree, value;
    uint8_t tag;

    if (subtrees.len == 0)
        return bad_der("at least one name, have none", err);
    while (subtrees.len) {
        if (der_next(&subtrees, DER_SEQUENCE, &subtree) != 0 || der_next_tag(&subtree, &tag, &value) != 0)
            return bad_der("a sequence of subtrees", err);
        if (subtree.len)
            return bad_der("neither minimum nor maximum, have one", err);
        if (take_base(list, excluded, tag, value, err) != 0)
            return -1;
    }
    return 0;
}

int constraints_from_der(struct der value, struct constraints *list, struct p11ca_err *err)
{
    struct der seq, permitted, excluded;
    int has_permitted, has_excluded;

    if (der_whole(value, DER_SEQUENCE, &seq) != 0)
        return bad_der("a sequence", err);
    has_permitted = der_next_optional(&seq, DER_CONTEXT_CONSTRUCTED(0), &permitted);
    has_excluded = der_next_optional(&seq, DER_CONTEXT_CONSTRUCTED(1), &excluded);
    if (has_permitted < 0 || has_excluded < 0 || seq.len || (!has_permitted && !has_excluded))
        return bad_der("permitted or excluded subtrees, or both", err);
    if (has_permitted && take_subtrees(list, false, permitted, err) != 0)
        return -1;
    return has_excluded ? take_subtrees(list, true, excluded, err) : 0;
}

static void add_subtrees(const struct constraints *list, bool excluded, struct buf *ret)
{
    size_t i, one, at = der_open(ret);

    for (i = 0; i < list->n; i++) {
        const struct san *base = &list->v[i].base;

        if (list->v[i].excluded != excluded)
            continue;
        one = der_open(ret);
        der_add(ret, san_kind(base->type)->tag, base->der, base->der_len);
        der_close(ret, one, DER_SEQUENCE);
    }
    if (ret->len > at)
        der_close(ret, at, DER_CONTEXT_CONSTRUCTED(excluded));
}

void constraints_to_der(const struct constraints *list, struct buf *ret)
{
    size_t at = der_open(ret);

    add_subtrees(list, false, ret);
    add_subtrees(list, true, ret);
    der_close(ret, at, DER_SEQUENCE);
}

void constraints_to_text(const struct constraints *list, struct buf *ret)
{
    size_t i;

    for (i = 0; i < list->n; i++)
        buf_addf(ret, "%s%s %s:%s", i ? ", " : "", list->v[i].excluded ? "excluded" : "permitted",
            san_type_name(list->v[i].base.type), list->v[i].base.text);
}

void constraints_done(struct constraints *list)
{
    size_t i;

    for (i = 0; i < list->n; i++) {
        free(list->v[i].base.text);
        free(list->v[i].base.der);
    }
    free(list->v);
    *list = (struct constraints)CONSTRAINTS_INIT;
}
