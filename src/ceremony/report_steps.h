/* The steps of a transcript as HTML, line by line as they came: what failed and was taken up again stays in its place. */
#ifndef CEREMONY_REPORT_STEPS_H
#define CEREMONY_REPORT_STEPS_H

#include "base/buf.h"
#include "ceremony/transcript.h"

#define REPORT_TIME 32

/* All lines but the first and the last. */
void report_steps(const json_t *lines, struct buf *b);

/* "Title (ROLE, Name)" of {"role", "title", "name"}. */
void report_who(const json_t *who, struct buf *ret);

/* "1 h 02 min 05 s" between two times of a transcript; "?" when one is none. */
void report_duration(const char *from, const char *to, char ret[REPORT_TIME]);

#endif
