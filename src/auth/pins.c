#include "auth/pins.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#include "auth/identity.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/text.h"

struct p11ca_pins *p11ca_pins_new(void)
{
    return calloc(1, sizeof(struct p11ca_pins));
}

static void drop_label(struct p11ca_pin *pin)
{
    union {
        const char *borrowed;
        char *own;
    } label = {.borrowed = pin->label};

    free(label.own);
}

void p11ca_pins_free(struct p11ca_pins *pins)
{
    size_t i;

    if (!pins)
        return;
    for (i = 0; i < pins->n; i++)
        drop_label(&pins->v[i]);
    free(pins->v);
    free(pins);
}

size_t p11ca_pins_count(const struct p11ca_pins *pins)
{
    return pins->n;
}

const struct p11ca_pin *p11ca_pins_at(const struct p11ca_pins *pins, size_t i)
{
    return i < pins->n ? &pins->v[i] : NULL;
}

/* --- changing --- */

/* It stands at the end of a line, and in logs. */
static bool is_label(const char *label)
{
    size_t len = label ? strlen(label) : 0, at, step;
    uint32_t c;

    if (len == 0 || len > LIMIT_PIN_LABEL || label[0] == ' ' || label[len - 1] == ' ')
        return false;
    for (at = 0; at < len; at += step) {
        step = text_utf8((const uint8_t *)label + at, len - at, &c);
        if (step == 0 || text_is_control(c))
            return false;
    }
    return true;
}

static int check_pin(const struct p11ca_pin *pin, struct p11ca_err *err)
{
    if (pin->kind != P11CA_PIN_CERT && pin->kind != P11CA_PIN_KEY)
        return err_set(err, P11CA_REFUSED, "PIN_KIND", "pin: want a certificate's or a key's, have another");
    if (!is_label(pin->label))
        return err_set(err, P11CA_REFUSED, "PIN_LABEL",
            "pin: label: want 1 to %d octets of visible text without spaces around, have others",
            LIMIT_PIN_LABEL);
    if (pin->not_before < 0 || pin->not_after < 0 || (pin->not_after && pin->not_after < pin->not_before))
        return err_set(err, P11CA_REFUSED, "PIN_DATES",
            "pin '%s': want an end after its beginning, have it before", pin->label);
    return 0;
}

static const struct p11ca_pin *find_same(const struct p11ca_pins *pins, const struct p11ca_pin *pin)
{
    size_t i;

    for (i = 0; i < pins->n; i++) {
        const struct p11ca_pin *v = &pins->v[i];

        if (strcmp(v->label, pin->label) == 0 ||
            (v->kind == pin->kind && CRYPTO_memcmp(v->sha256, pin->sha256, sizeof(v->sha256)) == 0))
            return v;
    }
    return NULL;
}

static int make_room(struct p11ca_pins *pins, struct p11ca_err *err)
{
    size_t cap = pins->cap ? 2 * pins->cap : 16;
    struct p11ca_pin *v;

    if (pins->n == LIMIT_PINS)
        return err_set(err, P11CA_REFUSED, "PIN_TOO_MANY", "pins: want at most %d, have more", LIMIT_PINS);
    if (pins->n < pins->cap)
        return 0;
    v = realloc(pins->v, cap * sizeof(*v));
    if (!v)
        return err_nomem(err);
    pins->v = v;
    pins->cap = cap;
    return 0;
}

int p11ca_pins_add(struct p11ca_pins *pins, const struct p11ca_pin *pin, struct p11ca_err *err)
{
    const struct p11ca_pin *same;
    struct p11ca_pin copy = *pin;

    if (check_pin(pin, err) != 0)
        return -1;
    same = find_same(pins, pin);
    if (same)
        return err_set(err, P11CA_REFUSED, "PIN_THERE",
            "pin '%s': want a new label and digest, have pin '%s'", pin->label, same->label);
    if (make_room(pins, err) != 0)
        return -1;
    copy.label = strdup(pin->label);
    if (!copy.label)
        return err_nomem(err);
    pins->v[pins->n++] = copy;
    return 0;
}

int p11ca_pins_remove(struct p11ca_pins *pins, const char *label, struct p11ca_err *err)
{
    char shown[4 * LIMIT_PIN_LABEL + 1];
    size_t i = 0;

    while (i < pins->n && strcmp(pins->v[i].label, label) != 0)
        i++;
    if (i == pins->n) {
        text_escape(label, strnlen(label, LIMIT_PIN_LABEL), shown, sizeof(shown));
        return err_set(
            err, P11CA_NEGATIVE, "PIN_UNKNOWN", "pins: want one with label '%s', have none", shown);
    }
    drop_label(&pins->v[i]);
    memmove(&pins->v[i], &pins->v[i + 1], (pins->n - i - 1) * sizeof(*pins->v));
    pins->n--;
    return 0;
}

/* --- asking --- */

static int refuse(const struct p11ca_pin *early, const struct p11ca_pin *late, struct p11ca_err *err)
{
    char when[TEXT_TIME];

    if (early) {
        text_time(early->not_before, when);
        return err_set(err, P11CA_NEGATIVE, "PIN_EARLY",
            "pin '%s': want a time from %s on, have an earlier one", early->label, when);
    }
    if (late) {
        text_time(late->not_after, when);
        return err_set(err, P11CA_NEGATIVE, "PIN_EXPIRED", "pin '%s': want a time until %s, have a later one",
            late->label, when);
    }
    return err_set(
        err, P11CA_NEGATIVE, "PIN_NONE", "pins: want one of the client's certificate or key, have none");
}

int p11ca_pins_check(const struct p11ca_pins *pins, const struct p11ca_identity *id, int64_t now,
    const struct p11ca_pin **ret, struct p11ca_err *err)
{
    const struct p11ca_pin *good = NULL, *early = NULL, *late = NULL;
    size_t i;

    for (i = 0; i < pins->n; i++) {
        const struct p11ca_pin *v = &pins->v[i];
        const uint8_t *have = v->kind == P11CA_PIN_KEY ? id->pub.spki_sha256 : id->pub.sha256;

        if (CRYPTO_memcmp(v->sha256, have, P11CA_SHA256) != 0)
            continue;
        if (v->not_before && now < v->not_before)
            early = v;
        else if (v->not_after && now > v->not_after)
            late = v;
        else
            good = v;
    }
    if (!good)
        return refuse(early, late, err);
    if (ret)
        *ret = good;
    return 0;
}

int p11ca_pin_of_file(
    const char *path, enum p11ca_pin_kind kind, struct p11ca_pin *ret, struct p11ca_err *err)
{
    AUTO_BUF file = BUF_INIT;
    AUTO_CERT cert = CERT_INIT;
    uint8_t sha256[P11CA_SHA256];
    struct der what;

    if (file_read(path, LIMIT_CERT, &file, err) != 0)
        return -1;
    if (cert_read(file.p, file.len, &cert, err) != 0)
        return err_prefix(err, "%s", path);
    what = kind == P11CA_PIN_KEY ? cert.t.spki : der_buf(&cert.der);
    if (hash_sha256(what.p, what.len, sha256) != 0)
        return err_openssl(err, P11CA_BUG, "SHA-256");
    ret->kind = kind;
    memcpy(ret->sha256, sha256, sizeof(sha256));
    return 0;
}
