/*
 * The file of a set of pins, a line each:
 *
 *   p11ca pins 1
 *   key b7f8...64 digits... - 2027-01-01T00:00:00Z the label
 *
 * kind, SHA-256, from, until, each time or "-", label to the end of the line. Every line ends with a newline: a file
 * that was cut off is none.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auth/pins.h"
#include "base/file.h"
#include "base/scope.h"
#include "base/text.h"

#define HEAD "p11ca pins 1"

static const char *const kinds[] = {[P11CA_PIN_CERT] = "cert", [P11CA_PIN_KEY] = "key"};

/* --- writing --- */

static void write_time(struct buf *b, int64_t t)
{
    char text[TEXT_TIME] = "-";

    if (t)
        text_time(t, text);
    buf_addf(b, " %s", text);
}

static void write_pin(struct buf *b, const struct p11ca_pin *pin)
{
    char hex[2 * P11CA_SHA256 + 1];

    text_hex_lower(pin->sha256, sizeof(pin->sha256), hex);
    buf_addf(b, "%s %s", kinds[pin->kind], hex);
    write_time(b, pin->not_before);
    write_time(b, pin->not_after);
    buf_addf(b, " %s\n", pin->label);
}

int p11ca_pins_save(const struct p11ca_pins *pins, const char *path, struct p11ca_err *err)
{
    AUTO_BUF text = BUF_INIT;
    size_t i;

    buf_adds(&text, HEAD "\n");
    for (i = 0; i < pins->n; i++)
        write_pin(&text, &pins->v[i]);
    if (!buf_ok(&text))
        return err_nomem(err);
    return file_write(path, FILE_REPLACE, 0644, text.p, text.len, err);
}

/* --- reading --- */

struct reader {
    const char *path;
    unsigned line;
    struct p11ca_pins *pins;
};

static int wrong(const struct reader *r, const char *text, struct p11ca_err *err)
{
    return err_set(err, P11CA_CONFIG, "PIN_FILE", "%s:%u: %s", r->path, r->line, text);
}

/* The next word of a line; NULL: there is none, or nothing behind it. */
static char *take_word(char **line)
{
    char *word = *line, *space = strchr(word, ' ');

    if (!space || space == word)
        return NULL;
    *space = '\0';
    *line = space + 1;
    return word;
}

static int read_time(const char *text, int64_t *ret)
{
    *ret = 0;
    return strcmp(text, "-") == 0 ? 0 : text_time_read(text, ret);
}

static int read_pin(struct reader *r, char *line, struct p11ca_err *err)
{
    static const char want[] = "want KIND SHA256 FROM UNTIL LABEL, have something else";
    const char *kind = take_word(&line), *hex = kind ? take_word(&line) : NULL,
               *from = hex ? take_word(&line) : NULL, *until = from ? take_word(&line) : NULL;
    struct p11ca_pin pin = {.label = line};
    struct p11ca_err why;

    if (!until || (strcmp(kind, kinds[0]) != 0 && strcmp(kind, kinds[1]) != 0))
        return wrong(r, want, err);
    pin.kind = strcmp(kind, kinds[P11CA_PIN_KEY]) == 0 ? P11CA_PIN_KEY : P11CA_PIN_CERT;
    if (text_unhex(hex, pin.sha256, sizeof(pin.sha256)) != P11CA_SHA256)
        return wrong(r, "want 64 hexadecimal digits, have something else", err);
    if (read_time(from, &pin.not_before) != 0 || read_time(until, &pin.not_after) != 0)
        return wrong(r, "want times like 2027-01-01T00:00:00Z or -, have something else", err);
    return p11ca_pins_add(r->pins, &pin, &why) == 0 ? 0 : wrong(r, why.msg, err);
}

static int read_lines(struct reader *r, char *text, struct p11ca_err *err)
{
    char *end;

    for (; *text; text = end + 1) {
        r->line++;
        end = strchr(text, '\n');
        if (!end)
            return wrong(r, "want a newline at the end, have none", err);
        *end = '\0';
        if (r->line == 1 ? strcmp(text, HEAD) != 0 : read_pin(r, text, err) != 0)
            return r->line == 1 ? wrong(r, "want '" HEAD "', have something else", err) : -1;
    }
    return r->line ? 0 : wrong(r, "want '" HEAD "', have nothing", err);
}

int p11ca_pins_load(const char *path, struct p11ca_pins **ret, struct p11ca_err *err)
{
    AUTO_PINS pins = p11ca_pins_new();
    struct reader r = {.path = path, .pins = pins};
    AUTO_BUF file = BUF_INIT;

    if (!pins)
        return err_nomem(err);
    if (file_read(path, LIMIT_PINS_FILE, &file, err) != 0)
        return -1;
    if (file.len && memchr(file.p, 0, file.len))
        return wrong(&r, "want text, have a NUL character", err);
    if (!buf_str(&file))
        return err_nomem(err);
    if (read_lines(&r, (char *)file.p, err) != 0)
        return -1;
    *ret = pins;
    pins = NULL;
    return 0;
}

static int load_or_new(const char *path, bool create, struct p11ca_pins **ret, struct p11ca_err *err)
{
    if (!create || file_exists(path))
        return p11ca_pins_load(path, ret, err);
    *ret = p11ca_pins_new();
    return *ret ? 0 : err_nomem(err);
}

/* The lock is another file: the one that is replaced would be locked by those who have it open, and by nobody after. */
int p11ca_pins_change(const char *path, bool create, p11ca_pins_fn *fn, void *arg, struct p11ca_err *err)
{
    AUTO_PINS pins = NULL;
    AUTO_STR lock = NULL;
    AUTO_FD fd = -1;

    if (asprintf(&lock, "%s.lock", path) < 0) {
        lock = NULL;
        return err_nomem(err);
    }
    if (!create && !file_exists(path))
        return p11ca_pins_load(path, &pins, err);
    if (file_lock(lock, &fd, err) != 0 || load_or_new(path, create, &pins, err) != 0 ||
        fn(arg, pins, err) != 0)
        return -1;
    return p11ca_pins_save(pins, path, err);
}
