#include "issue/answer.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "x509/pem.h"

/* Foreign text without what would harm a terminal. */
static json_t *plain(const char *text)
{
    char safe[4200];

    if (!text)
        return json_null();
    text_escape(text, strlen(text), safe, sizeof(safe));
    return json_string(safe);
}

static json_t *pem(struct der cert)
{
    AUTO_BUF text = BUF_INIT;

    if (!cert.p)
        return json_null();
    pem_encode(PEM_CERT, cert, &text);
    return buf_ok(&text) ? json_stringn((const char *)text.p, text.len) : NULL;
}

static json_t *when(int64_t t)
{
    char text[TEXT_TIME];

    text_time(t, text);
    return t ? json_string(text) : json_null();
}

/* Takes the object. */
static void add_line(struct buf *b, json_t *object)
{
    char *text = object ? json_dumps(object, JSON_COMPACT | JSON_ENSURE_ASCII) : NULL;

    b->failed = b->failed || !text;
    if (text) {
        buf_adds(b, text);
        buf_addc(b, '\n');
    }
    free(text);
    json_decref(object);
}

void answer_add(struct buf *b, const struct p11ca_row *row, const char *ref, struct der cert)
{
    add_line(b, json_pack("{s:I,s:o,s:o,s:o,s:s,s:o,s:o,s:o,s:o,s:o,s:o}", "row", (json_int_t)row->number,
                    "ref", ref ? json_string(ref) : json_null(), "device", plain(row->device), "profile",
                    plain(row->profile), "status", p11ca_verdict_name(row->verdict), "serial",
                    plain(row->serial), "file", plain(row->file), "certificate", pem(cert), "code",
                    plain(row->code), "reason", plain(row->reason), "time", when(row->time)));
}

void answer_add_not_tried(struct buf *b, size_t number, const char *ref, const struct p11ca_err *why)
{
    const struct p11ca_row row = {
        .number = number, .verdict = P11CA_ROW_NOT_TRIED, .code = why->code, .reason = why->msg};

    answer_add(b, &row, ref, DER_OF(NULL, 0));
}

void answer_add_error(struct buf *b, const struct p11ca_err *err)
{
    add_line(b, json_pack("{s:{s:s,s:o}}", "error", "code", err->code, "message", plain(err->msg)));
}
