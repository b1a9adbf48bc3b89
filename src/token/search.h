/* Searching for objects: inside src/token. */
#ifndef TOKEN_SEARCH_H
#define TOKEN_SEARCH_H

#include "token/token.h"

/* Handles that match, at most max; how many there are, at most LIMIT_OBJECTS. */
P11CA_CHECK int search_objects(const struct token *t, CK_ATTRIBUTE *tmpl, CK_ULONG n_tmpl,
    CK_OBJECT_HANDLE *ret, size_t max, size_t *ret_n, struct p11ca_err *err);

/* The one object of a class with this label (and this ID, unless id is NULL); CK_INVALID_HANDLE when there is none, more
 * than one is an error (KEY_AMBIGUOUS). */
P11CA_CHECK int search_key(const struct token *t, CK_OBJECT_CLASS class, const char *label, const uint8_t *id,
    size_t id_len, CK_OBJECT_HANDLE *ret, struct p11ca_err *err);

/* Without a login private objects are not seen, and what is not seen must not be taken for absent: USER_NOT_LOGGED_IN. */
P11CA_CHECK int search_need_login(const struct token *t, struct p11ca_err *err);

#endif
