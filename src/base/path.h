/* Paths as text. Results are the caller's, freed with free(); NULL when out of memory. */
#ifndef BASE_PATH_H
#define BASE_PATH_H

/* name itself when it is absolute or base is NULL, else base/name. */
char *path_join(const char *base, const char *name);

/* Where this program was started from: the directory of its executable, NULL when unknown. */
char *path_of_program(void);

#endif
