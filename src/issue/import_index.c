/* The index.txt of openssl ca and of what is made of it (easy-rsa): one line for each certificate. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/err.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/text.h"
#include "issue/import_rows.h"
#include "x509/name.h"

enum { FIELD_STATUS, FIELD_END, FIELD_REVOKED, FIELD_SERIAL, FIELD_FILE, FIELD_SUBJECT, N_FIELDS };

static int bad(struct p11ca_err *err, const char *code, const char *rule, const char *have)
{
    char safe[128];

    text_escape(have, strlen(have), safe, sizeof(safe));
    return err_set(err, P11CA_REFUSED, code, "index: %s, have '%s'", rule, safe);
}

/* Tabs separate, but for those behind a backslash. Cuts the line; returns how many fields there are. */
static size_t split(char *line, char *fields[N_FIELDS])
{
    size_t n = 0;
    char *p = line;

    fields[n++] = line;
    for (; *p; p++) {
        if (*p == '\\' && p[1]) {
            p++;
        } else if (*p == '\t') {
            *p = '\0';
            if (n < N_FIELDS)
                fields[n] = p + 1;
            n++;
        }
    }
    return n;
}

/* As UTCTime or GeneralizedTime without its header. */
static int read_time(const char *text, size_t len, int64_t *ret)
{
    uint8_t tlv[20];
    struct der in = {tlv, len + 2};
    bool right;

    if (len != 13 && len != 15)
        return -1;
    tlv[0] = len == 13 ? DER_UTC_TIME : DER_GENERALIZED_TIME;
    tlv[1] = (uint8_t)len;
    memcpy(tlv + 2, text, len);
    return der_next_time(&in, ret, &right);
}

/* INTEGER content: positive, shortest form. */
static int read_serial(const char *hex, struct import_row *row, struct p11ca_err *err)
{
    uint8_t octets[64];
    int len;
    size_t n, sign;
    const uint8_t *p = octets;

    len = text_unhex(hex, octets, sizeof(octets));
    if (len <= 0)
        return bad(err, "INDEX_SERIAL", "serial: want pairs of hexadecimal digits", hex);
    for (n = (size_t)len; n > 1 && *p == 0; n--)
        p++;
    if (n == 1 && *p == 0)
        return bad(err, "INDEX_SERIAL", "serial: RFC 5280 4.1.2.2: want a positive number", hex);
    sign = (*p & 0x80) != 0;
    if (n + sign > SERIAL_LEN)
        return bad(err, "INDEX_SERIAL", "serial: RFC 5280 4.1.2.2: want at most 20 octets", hex);
    row->serial[0] = 0;
    memcpy(row->serial + sign, p, n);
    row->serial_len = n + sign;
    return 0;
}

/* The words of openssl-ca(1); what stands behind the second comma is a time for the last two. */
static const struct {
    const char *word;
    int reason;
    bool has_time;
} reasons[] = {
    {"unspecified", 0, false},
    {"keyCompromise", 1, false},
    {"CACompromise", 2, false},
    {"affiliationChanged", 3, false},
    {"superseded", 4, false},
    {"cessationOfOperation", 5, false},
    {"certificateHold", 6, false},
    {"holdInstruction", 6, false},
    {"keyTime", 1, true},
    {"CAkeyTime", 2, true},
};

static int read_reason(const char *text, struct import_row *row, struct p11ca_err *err)
{
    size_t i, len = strcspn(text, ",");

    for (i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
        if (strlen(reasons[i].word) != len || strncasecmp(reasons[i].word, text, len) != 0)
            continue;
        row->reason = reasons[i].reason;
        if (!reasons[i].has_time)
            return 0;
        text += len + (text[len] == ',');
        return read_time(text, strlen(text), &row->invalid_since) == 0
                   ? 0
                   : bad(err, "INDEX_TIME", "time of the compromise: want [YY]YYMMDDHHMMSSZ", text);
    }
    return bad(err, "INDEX_REASON", "reason: want one of openssl ca's words", text);
}

static int read_revoked(const char *text, struct import_row *row, struct p11ca_err *err)
{
    size_t len = strcspn(text, ",");

    if (read_time(text, len, &row->revoked_at) != 0 || row->revoked_at <= 0)
        return bad(err, "INDEX_TIME", "time of revocation: want [YY]YYMMDDHHMMSSZ", text);
    return text[len] ? read_reason(text + len + 1, row, err) : 0;
}

/* Where the next "/TYPE=" of a name in OpenSSL's one line stands; the end of the text when there is none. */
static const char *next_part(const char *p)
{
    for (; *p; p++) {
        const char *q = p + 1;

        if (*p != '/')
            continue;
        while (isalnum((unsigned char)*q) || *q == '.')
            q++;
        if (*q == '=' && q > p + 1)
            return p;
    }
    return p;
}

static void add_part(struct buf *b, const char *p, const char *end)
{
    const char *equals = memchr(p, '=', (size_t)(end - p));

    buf_add(b, p, (size_t)(equals + 1 - p));
    for (p = equals + 1; p < end; p++) {
        if (strchr(",+\"\\<>;#= ", *p))
            buf_addc(b, '\\');
        buf_addc(b, (uint8_t)*p);
    }
}

/* "/C=US/CN=a" as RFC 4514 text, last part first. 0: that it is not. */
static int reverse(const char *text, struct buf *ret)
{
    const char *starts[LIMIT_RDNS + 1];
    size_t n = 0;
    const char *p = next_part(text);

    if (p != text)
        return 0;
    for (; *p && n < LIMIT_RDNS; p = next_part(p + 1))
        starts[n++] = p + 1;
    if (*p || !n)
        return 0;
    starts[n] = p + 1;
    while (n--) {
        add_part(ret, starts[n], starts[n + 1] - 1);
        if (n)
            buf_addc(ret, ',');
    }
    return buf_str(ret) ? 1 : 0;
}

/* What cannot be turned into canonical text stays as the index has it. */
static char *read_subject(const char *text)
{
    AUTO_BUF dn = BUF_INIT, der = BUF_INIT, back = BUF_INIT;
    struct p11ca_err ignored;
    char safe[1024];

    if (reverse(text, &dn) && name_from_text(buf_str(&dn), &der, &ignored) == 0 &&
        name_to_text(DER_OF(der.p, der.len), &back, &ignored) == 0 && buf_str(&back))
        return strdup((char *)back.p);
    text_escape(text, strlen(text), safe, sizeof(safe));
    return strdup(safe);
}

static int read_fields(char *fields[N_FIELDS], struct import_row *row, struct p11ca_err *err)
{
    const char *status = fields[FIELD_STATUS];

    if (strlen(status) != 1 || !strchr("VRE", *status))
        return bad(err, "INDEX_STATUS", "status: want V, R or E", status);
    if (read_serial(fields[FIELD_SERIAL], row, err) != 0)
        return -1;
    if (read_time(fields[FIELD_END], strlen(fields[FIELD_END]), &row->not_after) != 0)
        return bad(err, "INDEX_TIME", "end of validity: want [YY]YYMMDDHHMMSSZ", fields[FIELD_END]);
    if ((*status == 'R') != (fields[FIELD_REVOKED][0] != '\0'))
        return bad(err, "INDEX_STATUS", "time of revocation: want one with R, and only then", status);
    return *status == 'R' ? read_revoked(fields[FIELD_REVOKED], row, err) : 0;
}

static int read_line(char *line, size_t len, struct import_row *row, struct p11ca_err *err)
{
    char *fields[N_FIELDS] = {NULL}, have[24];
    struct p11ca_err why;
    size_t n;

    if (memchr(line, '\0', len)) {
        bad(&why, "INDEX_LINE", "want text", "NUL");
        return import_row_end(row, P11CA_IMPORT_REJECTED, &why, err);
    }
    n = split(line, fields);
    if (n == N_FIELDS) {
        row->subject = read_subject(fields[FIELD_SUBJECT]);
        if (!row->subject)
            return err_nomem(err);
        if (read_fields(fields, row, &why) == 0)
            return 0;
    } else {
        snprintf(have, sizeof(have), "%zu", n);
        bad(&why, "INDEX_LINE", "want 6 fields with tabs between them", have);
    }
    return import_row_end(row, P11CA_IMPORT_REJECTED, &why, err);
}

static int read_lines(struct import_rows *rows, struct buf *text, struct p11ca_err *err)
{
    char *p = (char *)text->p, *end = p + text->len;
    size_t number = 0;

    while (p < end) {
        char *nl = memchr(p, '\n', (size_t)(end - p));
        size_t len = nl ? (size_t)(nl - p) : (size_t)(end - p);
        struct import_row *row;

        number++;
        p[len] = '\0'; /* buf_str() has made room behind the last */
        if (len && p[len - 1] == '\r')
            p[--len] = '\0';
        if (len) {
            row = import_rows_add(rows, IMPORT_INDEX, err);
            if (!row)
                return -1;
            row->line = number;
            if (read_line(p, len, row, err) != 0)
                return -1;
        }
        p = nl ? nl + 1 : end;
    }
    return 0;
}

int import_read_index(struct import_rows *rows, const char *path, struct p11ca_err *err)
{
    AUTO_BUF text = BUF_INIT;

    if (file_read(path, LIMIT_INDEX, &text, err) != 0)
        return -1;
    if (!buf_str(&text))
        return err_nomem(err);
    return read_lines(rows, &text, err);
}
