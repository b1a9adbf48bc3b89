/* Paths as text. Results are the caller's, freed with free(); NULL when out of memory. */
#ifndef BASE_PATH_H
#define BASE_PATH_H

#include <stdbool.h>

/* name itself when it is absolute or base is NULL, else base/name. */
char *path_join(const char *base, const char *name);

/* Whether two names mean the same entry of the same directory, also when nothing is there yet. */
bool path_same(const char *a, const char *b);

/* Where this program was started from: the directory of its executable, NULL when unknown. */
char *path_of_program(void);

/* Whether a relative name stays below the folder it is joined to: no root, no "..", no end in a slash. Links are followed. */
bool path_is_below(const char *name);

#endif
