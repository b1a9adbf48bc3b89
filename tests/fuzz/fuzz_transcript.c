/*
 * Transcripts: the input as it is; and, since no input guesses a SHA-256, once more with number and hash of every line
 * put right. What is read goes into the report.
 */
#include <string.h>

#include "ceremony/report.h"
#include "ceremony/transcript.h"
#include "fuzz.h"
#include "base/text.h"

/* Appends the line with its place in the chain, which ret holds so far; before is its hash, and becomes the new one's. */
static int link_line(const char *p, size_t len, size_t number, char before[TRANSCRIPT_HEX], struct buf *ret)
{
    AUTO_JSON line = json_loadb(p, len, 0, NULL);
    uint8_t sha256[SHA256_LEN];
    size_t at = ret->len;
    char *dump;

    if (!json_is_object(line))
        return -1;
    json_object_set_new(line, "line", json_integer((json_int_t)number));
    json_object_set_new(line, "before", json_string(before));
    dump = json_dumps(line, JSON_COMPACT);
    if (!dump)
        return -1;
    buf_adds(ret, dump);
    buf_addc(ret, '\n');
    free(dump);
    REQUIRE(buf_ok(ret) && hash_sha256(ret->p + at, ret->len - at, sha256) == 0);
    text_hex_lower(sha256, sizeof(sha256), before);
    return 0;
}

static int link_lines(const char *p, size_t len, struct buf *ret)
{
    char before[TRANSCRIPT_HEX] = "";
    const char *end;
    size_t n = 0;

    for (; len; len -= (size_t)(end + 1 - p), p = end + 1) {
        end = memchr(p, '\n', len);
        if (!end || link_line(p, (size_t)(end - p), ++n, before, ret) != 0)
            return -1;
    }
    return 0;
}

static json_t *read_text(const void *p, size_t len, char sha256[TRANSCRIPT_HEX])
{
    json_t *lines = NULL;
    struct p11ca_err err;

    fuzz_write(TRANSCRIPT_FILE, p, len);
    if (!TAKES(transcript_read(fuzz_dir(), &lines, sha256, &err))) {
        REQUIRE(!lines);
        return NULL;
    }
    REQUIRE(json_array_size(lines) > 0 && strlen(sha256) == TRANSCRIPT_HEX - 1);
    REQUIRE(transcript_begun(fuzz_dir()));
    return lines;
}

static void page_of(const json_t *lines, const char *sha256, struct buf *ret)
{
    AUTO_BUF again = BUF_INIT;
    struct p11ca_err err;

    REQUIRE(TAKES(report_html(lines, sha256, ret, &err)));
    REQUIRE(TAKES(report_html(lines, sha256, &again, &err)));
    REQUIRE(der_equal(der_buf(ret), der_buf(&again)));
    fuzz_require_text(ret->p, ret->len, "\n");
}

static size_t count(const struct buf *b, uint8_t c)
{
    size_t i, n = 0;

    for (i = 0; i < b->len; i++)
        n += b->p[i] == c;
    return n;
}

/* No text becomes a tag: with something harmless in place of every '<', the page has as many of them. */
static void require_escaped(const struct buf *text, const struct buf *page)
{
    AUTO_BUF harmless = BUF_INIT, linked = BUF_INIT, other = BUF_INIT;
    char sha256[TRANSCRIPT_HEX];
    size_t i;

    if (count(text, '<') == 0)
        return;
    for (i = 0; i < text->len; i++)
        buf_addc(&harmless, text->p[i] == '<' ? '~' : text->p[i]);
    if (link_lines((const char *)harmless.p, harmless.len, &linked) == 0) {
        AUTO_JSON lines = read_text(linked.p, linked.len, sha256);

        if (!lines)
            return;
        page_of(lines, sha256, &other);
        REQUIRE(count(page, '<') == count(&other, '<'));
    }
}

static void read_linked(const struct buf *text)
{
    AUTO_BUF page = BUF_INIT;
    char sha256[TRANSCRIPT_HEX];
    AUTO_JSON lines = read_text(text->p, text->len, sha256);

    if (!lines)
        return;
    page_of(lines, sha256, &page);
    require_escaped(text, &page);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
    AUTO_BUF linked = BUF_INIT;
    char sha256[TRANSCRIPT_HEX];
    AUTO_JSON lines = read_text(p, len, sha256);

    (void)lines;
    if (len && link_lines((const char *)p, len, &linked) == 0)
        read_linked(&linked);
    return 0;
}
