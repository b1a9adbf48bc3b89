#include "issue/ticket_text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/scope.h"
#include "base/text.h"

#define DIGITS "0123456789"
#define NAMES  "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ" DIGITS "-_"
#define IDS    NAMES "."

/* --- device IDs --- */

/* As job_prepare() wants them. */
static bool is_id(const char *text, size_t len)
{
    return len >= 1 && len <= 64 && strspn(text, IDS) >= len && text[0] != '.' && text[0] != '-';
}

/* first and last have the same length, and the same characters before the digits. */
struct range {
    const char *first, *last;
    size_t len, prefix;
};

static bool read_range(const char *ids, struct range *ret)
{
    const char *dots = strstr(ids, "..");
    struct range r = {.first = ids};

    if (!dots)
        return false;
    r.last = dots + 2;
    r.len = r.prefix = (size_t)(dots - ids);
    while (r.prefix && strchr(DIGITS, ids[r.prefix - 1]))
        r.prefix--;
    *ret = r;
    return strlen(r.last) == r.len && is_id(r.last, r.len) && r.prefix < r.len &&
           memcmp(r.first, r.last, r.prefix) == 0 && strspn(r.last + r.prefix, DIGITS) == r.len - r.prefix &&
           memcmp(r.first, r.last, r.len) <= 0;
}

/* As many digits in each: the order of the texts is that of the numbers. */
static bool in_range(const struct range *r, const char *device)
{
    return strlen(device) == r->len && memcmp(device, r->first, r->prefix) == 0 &&
           strspn(device + r->prefix, DIGITS) == r->len - r->prefix &&
           memcmp(device, r->first, r->len) >= 0 && memcmp(device, r->last, r->len) <= 0;
}

/* A '*' takes as little as possible, and one more whenever the rest does not fit. */
static bool fits(const char *pattern, const char *text)
{
    const char *star = NULL, *from = NULL;

    while (*text) {
        if (*pattern == '*') {
            star = pattern++;
            from = text;
        } else if (*pattern == '?' || *pattern == *text) {
            pattern++;
            text++;
        } else if (star) {
            pattern = star + 1;
            text = ++from;
        } else {
            return false;
        }
    }
    return pattern[strspn(pattern, "*")] == '\0';
}

static bool is_pattern(const char *ids)
{
    size_t len = strlen(ids);

    return len >= 1 && len <= 64 && strspn(ids, IDS "?*") == len && !strstr(ids, "..");
}

bool ticket_has(const struct ticket *t, const char *device)
{
    struct range r;

    return read_range(t->ids, &r) ? in_range(&r, device) : is_pattern(t->ids) && fits(t->ids, device);
}

/* --- values --- */

static int bad(const char *name, const char *want, const char *have, struct p11ca_err *err)
{
    char safe[256];

    text_escape(have, strlen(have), safe, sizeof(safe));
    return err_set(err, P11CA_REFUSED, "TICKET_SYNTAX", "%s: want %s, have '%s'", name, want, safe);
}

static bool is_name(const char *text)
{
    return *text && text[0] != '-' && strspn(text, NAMES) == strlen(text);
}

/* It is read by people, on paper and on a terminal. */
static bool is_words(const char *text)
{
    size_t len = strlen(text), at, step;
    uint32_t c;

    for (at = 0; at < len; at += step) {
        step = text_utf8((const uint8_t *)text + at, len - at, &c);
        if (step == 0 || text_is_control(c))
            return false;
    }
    return len && text[0] != ' ' && text[len - 1] != ' ';
}

static int check_times(const struct ticket *t, struct p11ca_err *err)
{
    char before[TEXT_TIME], after[TEXT_TIME];

    if (t->not_before <= t->not_after)
        return 0;
    text_time(t->not_before, before);
    text_time(t->not_after, after);
    return err_set(
        err, P11CA_REFUSED, "TICKET_SYNTAX", "not-after: want a time not before %s, have %s", before, after);
}

int ticket_check(const struct ticket *t, struct p11ca_err *err)
{
    struct range r;

    if (!is_id(t->id, strlen(t->id)))
        return bad("id", "1 to 40 of A-Z a-z 0-9 . _ -, no leading dot or dash", t->id, err);
    if (!is_name(t->issuer))
        return bad("issuer", "the name of an authority", t->issuer, err);
    if (!is_name(t->profile))
        return bad("profile", "the name of a profile", t->profile, err);
    if (!is_words(t->sku))
        return bad("sku", "1 to 64 octets of text", t->sku, err);
    if (t->count < 1 || t->count > TICKET_COUNT_MAX)
        return err_set(err, P11CA_REFUSED, "TICKET_SYNTAX", "count: want 1 to %d, have %" PRId64,
            TICKET_COUNT_MAX, t->count);
    if (!read_range(t->ids, &r) && !is_pattern(t->ids))
        return bad(
            "ids", "FIRST..LAST with as many digits at their ends, or a pattern with ? and *", t->ids, err);
    return check_times(t, err);
}

/* --- lines --- */

enum kind { WORDS, ISSUER, NUMBER, TIME };

#define LINE(name, kind, member)                                                                             \
    {                                                                                                        \
        name, kind, offsetof(struct ticket, member), sizeof(((struct ticket *)0)->member)                    \
    }
static const struct line {
    const char *name;
    enum kind kind;
    size_t offset, size;
} lines[] = {
    LINE("id", WORDS, id),
    LINE("issuer", ISSUER, issuer),
    LINE("profile", WORDS, profile),
    LINE("sku", WORDS, sku),
    LINE("count", NUMBER, count),
    LINE("ids", WORDS, ids),
    LINE("not-before", TIME, not_before),
    LINE("not-after", TIME, not_after),
};
#define N_LINES (sizeof(lines) / sizeof(lines[0]))

static void add_value(const struct ticket *t, const struct line *line, struct buf *ret)
{
    const void *at = (const char *)t + line->offset;
    char hex[2 * SHA256_LEN + 1], time[TEXT_TIME];

    switch (line->kind) {
    case WORDS:
        buf_adds(ret, at);
        break;
    case ISSUER:
        text_hex_lower(t->issuer_sha256, SHA256_LEN, hex);
        buf_addf(ret, "%s %s", t->issuer, hex);
        break;
    case NUMBER:
        buf_addf(ret, "%" PRId64, *(const int64_t *)at);
        break;
    case TIME:
        text_time(*(const int64_t *)at, time);
        buf_adds(ret, time);
        break;
    }
}

void ticket_add_text(const struct ticket *t, struct buf *ret)
{
    size_t i;

    buf_adds(ret, TICKET_HEAD);
    for (i = 0; i < N_LINES; i++) {
        buf_addf(ret, "%s ", lines[i].name);
        add_value(t, &lines[i], ret);
        buf_adds(ret, "\n");
    }
}

int ticket_time(const char *text, int64_t *ret)
{
    struct tm tm = {.tm_mday = 1};
    const char *end = strptime(text, "%Y-%m-%dT%H:%M:%SZ", &tm);
    char again[TEXT_TIME];
    int64_t t;

    if (!end || *end)
        return -1;
    t = (int64_t)timegm(&tm);
    text_time(t, again);
    if (strcmp(again, text) != 0)
        return -1;
    *ret = t;
    return 0;
}

static int copy(char *dst, size_t size, const char *value, size_t len)
{
    if (len >= size)
        return -1;
    memcpy(dst, value, len);
    dst[len] = '\0';
    return 0;
}

static int read_issuer(struct ticket *t, const char *value)
{
    const char *space = strchr(value, ' ');

    if (!space || copy(t->issuer, sizeof(t->issuer), value, (size_t)(space - value)) != 0)
        return -1;
    return text_unhex(space + 1, t->issuer_sha256, SHA256_LEN) == SHA256_LEN ? 0 : -1;
}

/* How it is written is seen when the whole is written again. */
static int read_number(const char *value, int64_t *ret)
{
    size_t len = strlen(value);

    if (len < 1 || len > 10 || strspn(value, DIGITS) != len)
        return -1;
    *ret = (int64_t)strtoll(value, NULL, 10);
    return 0;
}

static int read_value(struct ticket *t, const struct line *line, const char *value)
{
    void *at = (char *)t + line->offset;

    switch (line->kind) {
    case WORDS:
        return copy(at, line->size, value, strlen(value));
    case ISSUER:
        return read_issuer(t, value);
    case NUMBER:
        return read_number(value, at);
    case TIME:
        return ticket_time(value, at);
    }
    return -1;
}

static int read_line(struct ticket *t, size_t i, char **text, struct p11ca_err *err)
{
    static const char *const wants[] = {
        [WORDS] = "text", [ISSUER] = "NAME SHA-256", [NUMBER] = "a number", [TIME] = "YYYY-MM-DDTHH:MM:SSZ"};
    size_t len = strlen(lines[i].name);
    char *line = *text, *end = strchr(line, '\n');

    if (end)
        *end = '\0';
    if (!end || strncmp(line, lines[i].name, len) != 0 || line[len] != ' ' ||
        read_value(t, &lines[i], line + len + 1) != 0)
        return err_set(err, P11CA_REFUSED, "TICKET_SYNTAX", "line %zu: want '%s' and %s", i + 2,
            lines[i].name, wants[lines[i].kind]);
    *text = end + 1;
    return 0;
}

static int read_lines(struct ticket *t, char *text, struct p11ca_err *err)
{
    size_t i;

    if (strncmp(text, TICKET_HEAD, strlen(TICKET_HEAD)) != 0)
        return err_set(err, P11CA_REFUSED, "TICKET_SYNTAX", "line 1: want 'p11ca lot ticket'");
    text += strlen(TICKET_HEAD);
    for (i = 0; i < N_LINES; i++) {
        if (read_line(t, i, &text, err) != 0)
            return -1;
    }
    return ticket_check(t, err);
}

/* Nothing left over, no zero in front of a number: there is one text of a ticket. */
static int check_same(const struct ticket *t, const uint8_t *p, size_t len, struct p11ca_err *err)
{
    AUTO_BUF again = BUF_INIT;

    ticket_add_text(t, &again);
    if (!buf_ok(&again))
        return err_nomem(err);
    if (again.len == len && memcmp(again.p, p, len) == 0)
        return 0;
    return err_set(err, P11CA_REFUSED, "TICKET_SYNTAX",
        "want the one text of this ticket: no line behind the last, numbers and hashes as p11ca writes them");
}

int ticket_parse(const uint8_t *p, size_t len, struct ticket *ret, struct p11ca_err *err)
{
    AUTO_STR text = len ? strndup((const char *)p, len) : strdup("");
    struct ticket t = {.count = 0};

    if (!text)
        return err_nomem(err);
    if (read_lines(&t, text, err) != 0 || check_same(&t, p, len, err) != 0)
        return -1;
    *ret = t;
    return 0;
}
