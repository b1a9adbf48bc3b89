#include "cli/listing.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/csv.h"
#include "base/text.h"
#include "cli/records.h"

#define DAY 86400

/* Begun days count: 0 is the last one, below it has ended. */
static int64_t days_left(const struct listing *l, const struct p11ca_record *r)
{
    int64_t left = r->not_after - l->now;

    return left < 0 ? -1 - (-left - 1) / DAY : left / DAY;
}

static void print(const struct buf *b)
{
    if (buf_ok(b))
        fwrite(b->p, 1, b->len, stdout);
}

/* --- text --- */

static void text_row(struct listing *l, const struct p11ca_record *r)
{
    char until[TEXT_TIME], subject[512], left[40] = "";

    text_time(r->not_after, until);
    text_escape(r->subject, strlen(r->subject), subject, sizeof(subject));
    if (l->now)
        snprintf(left, sizeof(left), "%4" PRId64 " days ", days_left(l, r));
    printf("%-40s %-10s %-10s %-10s %.10s %s%s\n", r->serial, r->status, r->authority, r->profile, until,
        left, subject);
}

/* --- JSON --- */

static void dump(const struct listing *l, const struct p11ca_record *r)
{
    json_t *o = cli_record_json(r);

    if (l->now)
        json_object_set_new(o, "days_left", json_integer((json_int_t)days_left(l, r)));
    json_dumpf(o, stdout, JSON_COMPACT);
    json_decref(o);
}

static void json_row(struct listing *l, const struct p11ca_record *r)
{
    if (l->n)
        fputs(",\n", stdout);
    dump(l, r);
}

static void ndjson_row(struct listing *l, const struct p11ca_record *r)
{
    dump(l, r);
    putchar('\n');
}

/* --- CSV --- */

static const char *time_text(int64_t t, char dst[TEXT_TIME])
{
    if (!t)
        return NULL;
    text_time(t, dst);
    return dst;
}

static void csv_row(struct listing *l, const struct p11ca_record *r)
{
    char from[TEXT_TIME], until[TEXT_TIME], issued[TEXT_TIME], revoked[TEXT_TIME], reason[16], left[24];
    const char *const cells[] = {r->serial, r->status, r->authority, r->profile, r->device, r->subject,
        r->sans, time_text(r->not_before, from), time_text(r->not_after, until),
        time_text(r->issued_at, issued), time_text(r->revoked_at, revoked), r->reason < 0 ? NULL : reason,
        r->key_sha256, r->sha256, l->now ? left : NULL};
    AUTO_BUF b = BUF_INIT;

    snprintf(reason, sizeof(reason), "%d", r->reason);
    snprintf(left, sizeof(left), "%" PRId64, l->now ? days_left(l, r) : 0);
    csv_add_line(&b, cells, sizeof(cells) / sizeof(cells[0]));
    print(&b);
}

/* --- index.txt, openssl-ca(1) --- */

/* The words it knows, by CRLReason; of the others it gets the time alone. */
static const char *const reason_words[] = {"unspecified", "keyCompromise", "CACompromise",
    "affiliationChanged", "superseded", "cessationOfOperation", "certificateHold"};

/* UTCTime through 2049, GeneralizedTime from 2050. */
static void add_index_time(struct buf *b, int64_t t)
{
    char text[TEXT_TIME];
    const char *p = text;

    text_time(t, text);
    if (strncmp(text, "1950", 4) >= 0 && strncmp(text, "2050", 4) < 0)
        p += 2;
    for (; *p; p++) {
        if (!strchr("-:T", *p))
            buf_addc(b, (uint8_t)*p);
    }
}

static void add_part(struct buf *b, const char *p, size_t len)
{
    size_t i;

    buf_addc(b, '/');
    for (i = 0; i < len; i++) {
        if (p[i] == '\\' && i + 1 < len && strchr(",+\"\\<>;#= ", p[i + 1]))
            i++;
        buf_addc(b, (uint8_t)p[i]);
    }
}

/* RFC 4514 text as OpenSSL's one line, "/C=US/CN=a": the last part comes first. */
static void add_index_subject(struct buf *b, const char *dn)
{
    size_t at, end = strlen(dn);

    for (at = end; at > 0; at--) {
        if (dn[at - 1] != ',' || (at > 1 && dn[at - 2] == '\\'))
            continue;
        add_part(b, dn + at, end - at);
        end = at - 1;
    }
    add_part(b, dn, end);
}

static void index_row(struct listing *l, const struct p11ca_record *r)
{
    size_t n = sizeof(reason_words) / sizeof(reason_words[0]);
    char subject[1200];
    AUTO_BUF b = BUF_INIT;

    (void)l;
    if (strcmp(r->status, "reserved") == 0)
        return; /* nobody has it */
    buf_adds(&b, r->revoked_at ? "R\t" : "V\t");
    add_index_time(&b, r->not_after);
    buf_addc(&b, '\t');
    if (r->revoked_at) {
        add_index_time(&b, r->revoked_at);
        if (r->reason >= 0 && (size_t)r->reason < n)
            buf_addf(&b, ",%s", reason_words[r->reason]);
    }
    buf_addf(&b, "\t%s\tunknown\t", r->serial);
    text_escape(r->subject, strlen(r->subject), subject, sizeof(subject));
    add_index_subject(&b, subject);
    buf_addc(&b, '\n');
    print(&b);
}

/* --- */

static const struct listing_format formats[] = {
    {"text", NULL, NULL, text_row},
    {"json", "[", "]\n", json_row},
    {"ndjson", NULL, NULL, ndjson_row},
    {"csv",
        "serial,status,authority,profile,device,subject,sans,not_before,not_after,issued_at,revoked_at,"
        "reason,"
        "key_sha256,sha256,days_left\r\n",
        NULL, csv_row},
    {"index", NULL, NULL, index_row},
};

const struct listing_format *listing_format_find(const char *name)
{
    size_t i;

    for (i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
        if (strcmp(formats[i].name, name) == 0)
            return &formats[i];
    }
    return NULL;
}

static void begin(const struct listing *l)
{
    if (l->n == 0 && l->format->begin)
        fputs(l->format->begin, stdout);
}

int listing_row(void *arg, const struct p11ca_record *r)
{
    struct listing *l = arg;

    begin(l);
    l->format->row(l, r);
    l->n++;
    return 0;
}

void listing_end(struct listing *l)
{
    begin(l);
    if (l->format->end)
        fputs(l->format->end, stdout);
}
