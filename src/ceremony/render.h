/*
 * JSON for people, whatever it holds: a member that is new tomorrow is shown without new code. A table knows better names for
 * those that need one.
 */
#ifndef CEREMONY_RENDER_H
#define CEREMONY_RENDER_H

#include <jansson.h>

#include "base/buf.h"

/* The name of a member: "key_usage" is "Key usage", "sha256" is "SHA-256". */
void render_label(struct buf *b, const char *key);

/* As one line of text: "yes", "none", a number, a string; arrays with commas between, objects as JSON. */
void render_text(struct buf *b, const json_t *value);

/* As HTML: objects as tables of two columns, arrays of objects as tables with a head. */
void render_html(struct buf *b, json_t *value);

#endif
