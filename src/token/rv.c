#include "token/rv.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define R(name)                                                                                              \
    {                                                                                                        \
        CKR_##name, #name                                                                                    \
    }
static const struct {
    CK_RV rv;
    const char *name;
} names[] = {
    R(OK),
    R(CANCEL),
    R(HOST_MEMORY),
    R(SLOT_ID_INVALID),
    R(GENERAL_ERROR),
    R(FUNCTION_FAILED),
    R(ARGUMENTS_BAD),
    R(NO_EVENT),
    R(NEED_TO_CREATE_THREADS),
    R(CANT_LOCK),
    R(ATTRIBUTE_READ_ONLY),
    R(ATTRIBUTE_SENSITIVE),
    R(ATTRIBUTE_TYPE_INVALID),
    R(ATTRIBUTE_VALUE_INVALID),
    R(ACTION_PROHIBITED),
    R(DATA_INVALID),
    R(DATA_LEN_RANGE),
    R(DEVICE_ERROR),
    R(DEVICE_MEMORY),
    R(DEVICE_REMOVED),
    R(ENCRYPTED_DATA_INVALID),
    R(ENCRYPTED_DATA_LEN_RANGE),
    R(FUNCTION_CANCELED),
    R(FUNCTION_NOT_PARALLEL),
    R(FUNCTION_NOT_SUPPORTED),
    R(KEY_HANDLE_INVALID),
    R(KEY_SIZE_RANGE),
    R(KEY_TYPE_INCONSISTENT),
    R(KEY_NOT_NEEDED),
    R(KEY_CHANGED),
    R(KEY_NEEDED),
    R(KEY_INDIGESTIBLE),
    R(KEY_FUNCTION_NOT_PERMITTED),
    R(KEY_NOT_WRAPPABLE),
    R(KEY_UNEXTRACTABLE),
    R(MECHANISM_INVALID),
    R(MECHANISM_PARAM_INVALID),
    R(OBJECT_HANDLE_INVALID),
    R(OPERATION_ACTIVE),
    R(OPERATION_NOT_INITIALIZED),
    R(PIN_INCORRECT),
    R(PIN_INVALID),
    R(PIN_LEN_RANGE),
    R(PIN_EXPIRED),
    R(PIN_LOCKED),
    R(SESSION_CLOSED),
    R(SESSION_COUNT),
    R(SESSION_HANDLE_INVALID),
    R(SESSION_READ_ONLY),
    R(SESSION_EXISTS),
    R(SESSION_READ_ONLY_EXISTS),
    R(SESSION_READ_WRITE_SO_EXISTS),
    R(SIGNATURE_INVALID),
    R(SIGNATURE_LEN_RANGE),
    R(TEMPLATE_INCOMPLETE),
    R(TEMPLATE_INCONSISTENT),
    R(TOKEN_NOT_PRESENT),
    R(TOKEN_NOT_RECOGNIZED),
    R(TOKEN_WRITE_PROTECTED),
    R(UNWRAPPING_KEY_SIZE_RANGE),
    R(USER_ALREADY_LOGGED_IN),
    R(USER_NOT_LOGGED_IN),
    R(USER_PIN_NOT_INITIALIZED),
    R(USER_TYPE_INVALID),
    R(USER_TOO_MANY_TYPES),
    R(USER_ANOTHER_ALREADY_LOGGED_IN),
    R(WRAPPED_KEY_INVALID),
    R(WRAPPED_KEY_LEN_RANGE),
    R(WRAPPING_KEY_HANDLE_INVALID),
    R(WRAPPING_KEY_SIZE_RANGE),
    R(WRAPPING_KEY_TYPE_INCONSISTENT),
    R(RANDOM_SEED_NOT_SUPPORTED),
    R(RANDOM_NO_RNG),
    R(DOMAIN_PARAMS_INVALID),
    R(CURVE_NOT_SUPPORTED),
    R(BUFFER_TOO_SMALL),
    R(SAVED_STATE_INVALID),
    R(INFORMATION_SENSITIVE),
    R(STATE_UNSAVEABLE),
    R(CRYPTOKI_NOT_INITIALIZED),
    R(MUTEX_BAD),
    R(MUTEX_NOT_LOCKED),
    R(NEW_PIN_MODE),
    R(NEXT_OTP),
    R(EXCEEDED_MAX_ITERATIONS),
    R(FIPS_SELF_TEST_FAILED),
    R(LIBRARY_LOAD_FAILED),
    R(PIN_TOO_WEAK),
    R(PUBLIC_KEY_INVALID),
    R(FUNCTION_REJECTED),
};

static const char *find(CK_RV rv)
{
    size_t i;

    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (names[i].rv == rv)
            return names[i].name;
    }
    return NULL;
}

const char *rv_name(CK_RV rv, char buf[32])
{
    const char *name = find(rv);

    if (name)
        snprintf(buf, 32, "CKR_%s", name);
    else
        snprintf(buf, 32, "CKR_0x%08lx", rv);
    return buf;
}

bool rv_says_nothing(CK_RV rv)
{
    static const CK_RV all[] = {CKR_HOST_MEMORY, CKR_SLOT_ID_INVALID, CKR_DEVICE_ERROR, CKR_DEVICE_MEMORY,
        CKR_DEVICE_REMOVED, CKR_TOKEN_NOT_PRESENT, CKR_TOKEN_NOT_RECOGNIZED, CKR_SESSION_CLOSED,
        CKR_SESSION_HANDLE_INVALID, CKR_SESSION_READ_ONLY, CKR_OBJECT_HANDLE_INVALID, CKR_KEY_HANDLE_INVALID,
        CKR_WRAPPING_KEY_HANDLE_INVALID, CKR_USER_NOT_LOGGED_IN, CKR_OPERATION_ACTIVE,
        CKR_CRYPTOKI_NOT_INITIALIZED};
    size_t i;

    for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        if (all[i] == rv)
            return true;
    }
    return false;
}

static enum p11ca_kind kind_of(CK_RV rv)
{
    switch (rv) {
    case CKR_PIN_INCORRECT:
    case CKR_PIN_INVALID:
    case CKR_PIN_LEN_RANGE:
    case CKR_PIN_EXPIRED:
    case CKR_PIN_LOCKED:
    case CKR_USER_PIN_NOT_INITIALIZED:
        return P11CA_LOGIN;
    default:
        return P11CA_TOKEN;
    }
}

int err_rv(struct p11ca_err *err, CK_RV rv, const char *fmt, ...)
{
    const char *name = find(rv);
    char text[512], buf[32];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    return err_set(err, kind_of(rv), name ? name : "CKR", "%s: %s", text, rv_name(rv, buf));
}
