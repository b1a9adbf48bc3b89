/* A set of pins, as src/auth/pins*.c share it. */
#ifndef AUTH_PINS_H
#define AUTH_PINS_H

#include <p11ca/auth.h>

#include "base/limits.h"

struct p11ca_pins {
    struct p11ca_pin *v; /* labels are the set's own */
    size_t n, cap;
};

static inline void pins_scope(struct p11ca_pins **pins)
{
    p11ca_pins_free(*pins);
}
#define AUTO_PINS __attribute__((cleanup(pins_scope))) struct p11ca_pins *

#endif
