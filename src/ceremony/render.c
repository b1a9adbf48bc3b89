#include "ceremony/render.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#include "base/scope.h"
#include "ceremony/html.h"

#define MAX_DEPTH 6 /* tables in tables; deeper ones do not fit on a page, and are shown as JSON */

static const struct {
    const char *key, *label;
} labels[] = {
    {"sha256", "SHA-256"},
    {"tbs", "To-be-signed bytes"},
    {"days", "Valid for (days)"},
    {"template", "SHA-256 of the template"},
    {"ca_certificate", "CA certificate"},
    {"crl", "CRL"},
    {"crl_number", "CRL number"},
    {"key_sha256", "SHA-256 of the key"},
    {"spki_sha256", "SHA-256 of the public key"},
    {"openssl", "OpenSSL"},
    {"libp11", "libp11"},
    {"program", "SHA-256 of the program"},
    {"version", "p11ca"},
    {"uri", "URI"},
    {"artefact", "Copy in this folder"},
    {"module", "PKCS#11 module"},
    {"sku", "SKU"},
    {"ids", "Device IDs"},
};

void render_label(struct buf *b, const char *key)
{
    size_t i;

    for (i = 0; i < sizeof(labels) / sizeof(labels[0]); i++) {
        if (strcmp(labels[i].key, key) == 0) {
            buf_adds(b, labels[i].label);
            return;
        }
    }
    for (i = 0; key[i]; i++) {
        char c = key[i] == '_' || key[i] == '-' ? ' ' : key[i];

        buf_addc(b, (uint8_t)(i ? c : toupper((unsigned char)c)));
    }
}

static void add_json(struct buf *b, const json_t *value)
{
    AUTO_STR dump = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);

    if (dump)
        buf_adds(b, dump);
    else
        b->failed = true;
}

static void add_list(struct buf *b, const json_t *array)
{
    const json_t *item;
    size_t i;

    json_array_foreach(array, i, item)
    {
        buf_adds(b, i ? ", " : "");
        render_text(b, item);
    }
    if (json_array_size(array) == 0)
        buf_adds(b, "none");
}

void render_text(struct buf *b, const json_t *value)
{
    if (json_is_string(value))
        buf_adds(b, json_string_value(value));
    else if (json_is_array(value))
        add_list(b, value);
    else if (json_is_boolean(value))
        buf_adds(b, json_is_true(value) ? "yes" : "no");
    else if (!value || json_is_null(value))
        buf_adds(b, "none");
    else
        add_json(b, value);
}

static void scalar(struct buf *b, const json_t *value)
{
    AUTO_BUF text = BUF_INIT;

    render_text(&text, value);
    if (!buf_str(&text))
        b->failed = true;
    else
        html_value(b, (char *)text.p);
}

static void label(struct buf *b, const char *tag, const char *key)
{
    AUTO_BUF text = BUF_INIT;

    render_label(&text, key);
    if (buf_str(&text))
        html_elem(b, tag, NULL, (char *)text.p);
    else
        b->failed = true;
}

static bool has_objects(const json_t *array)
{
    const json_t *item;
    size_t i;

    json_array_foreach(array, i, item)
    {
        if (!json_is_object(item) || json_object_size(item) == 0)
            return false;
    }
    return json_array_size(array) > 0;
}

static bool has_containers(const json_t *array)
{
    const json_t *item;
    size_t i;

    json_array_foreach(array, i, item)
    {
        if (json_is_object(item) || json_is_array(item))
            return true;
    }
    return false;
}

static void value_at(struct buf *b, json_t *value, int depth);

/* Whether it takes a table of its own. */
static bool is_deep(const json_t *value, int depth)
{
    return depth < MAX_DEPTH &&
           ((json_is_object(value) && json_object_size(value) > 0) || has_containers(value));
}

static void plain_members(struct buf *b, json_t *o, int depth)
{
    const char *key;
    json_t *value;
    bool any = false;

    json_object_foreach(o, key, value)
    {
        if (is_deep(value, depth + 1))
            continue;
        if (!any)
            buf_adds(b, "<table class=\"facts\"><tbody>\n");
        any = true;
        html_open(b, "tr", NULL);
        label(b, "th", key);
        html_open(b, "td", NULL);
        scalar(b, value);
        buf_adds(b, "</td></tr>\n");
    }
    if (any)
        buf_adds(b, "</tbody></table>\n");
}

/* Tables stand below one another and not in one another: each has the whole width, and breaks well over pages. */
static void object(struct buf *b, json_t *o, int depth)
{
    const char *key;
    json_t *value;

    plain_members(b, o, depth);
    json_object_foreach(o, key, value)
    {
        if (!is_deep(value, depth + 1))
            continue;
        label(b, "h4", key);
        value_at(b, value, depth + 1);
    }
}

/* Every member that one of the objects has, in the order in which they come up; values are all null. */
static json_t *columns_of(const json_t *array)
{
    json_t *columns = json_object(), *item, *value;
    const char *key;
    size_t i;

    json_array_foreach(array, i, item)
    {
        json_object_foreach(item, key, value)
        {
            if (!columns || json_object_set_new(columns, key, json_null()) != 0)
                goto out;
        }
    }
    return columns;
out:
    json_decref(columns);
    return NULL;
}

static void table(struct buf *b, const json_t *array, int depth)
{
    json_t *columns = columns_of(array), *item, *nothing;
    const char *key;
    size_t i;

    if (!columns)
        b->failed = true;
    buf_adds(b, "<table><thead><tr>");
    json_object_foreach(columns, key, nothing)
    {
        label(b, "th", key);
    }
    buf_adds(b, "</tr></thead><tbody>\n");
    json_array_foreach(array, i, item)
    {
        html_open(b, "tr", NULL);
        json_object_foreach(columns, key, nothing)
        {
            html_open(b, "td", NULL);
            if (json_object_get(item, key))
                value_at(b, json_object_get(item, key), depth + 1);
            buf_adds(b, "</td>");
        }
        html_close(b, "tr");
    }
    buf_adds(b, "</tbody></table>\n");
    json_decref(columns);
}

static void list(struct buf *b, const json_t *array, int depth)
{
    json_t *item;
    size_t i;

    html_open(b, "ul", "bare");
    json_array_foreach(array, i, item)
    {
        html_open(b, "li", NULL);
        value_at(b, item, depth + 1);
        html_close(b, "li");
    }
    html_close(b, "ul");
}

static void value_at(struct buf *b, json_t *value, int depth)
{
    if (depth < MAX_DEPTH && json_is_object(value) && json_object_size(value) > 0)
        object(b, value, depth);
    else if (depth < MAX_DEPTH && has_objects(value))
        table(b, value, depth);
    else if (depth < MAX_DEPTH && has_containers(value))
        list(b, value, depth);
    else
        scalar(b, value);
}

void render_html(struct buf *b, json_t *value)
{
    value_at(b, value, 0);
}
