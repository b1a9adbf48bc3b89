/* The machine and the programs a ceremony runs on: evidence for its transcript. */
#ifndef CEREMONY_ENVIRONMENT_H
#define CEREMONY_ENVIRONMENT_H

#include <jansson.h>

/* {version, program (SHA-256 of the executable), openssl, libp11, kernel, host, operator}; NULL: out of memory. */
json_t *environment_json(void);

#endif
