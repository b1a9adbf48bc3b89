/* Paths of requests, and the patterns they are compared with. */
#ifndef AUTH_PATH_H
#define AUTH_PATH_H

#include <stdbool.h>

/* Whether nobody could take it for another path: NULL, or what is wrong. */
const char *path_fault(const char *path);

/* The same for a pattern, in which segments may be "*", and the last one "**". */
const char *path_pattern_fault(const char *pattern);

/* slash: one more slash at the end is nothing else. */
bool path_fits(const char *pattern, const char *path, bool slash);

/* Whether every path that b fits is one that a fits. */
bool path_covers(const char *a, const char *b, bool slash);

#endif
