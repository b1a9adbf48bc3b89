/*
 * A PKCS#11 module for tests: forwards every call to a real module and, by rule, answers, delays or
 * damages chosen ones.
 *
 *   P11CA_FAULT_MODULE=PATH   the real module (default: SoftHSM)
 *   P11CA_FAULT=RULE[;RULE]   RULE is FUNCTION:WHEN=ACTION
 *       WHEN    N (call N, from 1), N+ (call N and all later ones), * (every call)
 *       ACTION  CKR_name or 0xNUMBER   answers this; the real module does not see the call, or, where an error of
 *                                      a signing function ends the operation, makes a signature that nobody gets
 *               sleep:MS               waits, then forwards
 *               garbage                forwards, then damages the signature (signing functions only)
 *               kill                   SIGKILL; the real module does not see the call
 *               kill-after             forwards, then SIGKILL: the token has done it, nobody was told
 *   P11CA_FAULT_LOG=FILE      one line per call, "C_Sign 0x0"; "C_Sign kill" for one that never answered
 *
 * All rules that fit a call apply; of several answers the first counts. Calls are counted per process
 * and function, from the load of the module: unloading and loading again counts on. A call of C_Sign
 * that only asks for the length is a call. What the rules do not understand ends the process: a typo
 * must not make a test pass.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <p11-kit/pkcs11.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define DEFAULT_MODULE "/usr/lib/softhsm/libsofthsm2.so"
#define MAX_RULES      64

/* Every function of PKCS#11 2.40 but C_GetFunctionList, which hands out the others. */
#define FUNCTIONS(PLAIN, SIGNER)                                                                             \
    PLAIN(C_Initialize, (void *init_args), (init_args))                                                      \
    PLAIN(C_Finalize, (void *reserved), (reserved))                                                          \
    PLAIN(C_GetInfo, (CK_INFO * info), (info))                                                               \
    PLAIN(C_GetSlotList, (CK_BYTE token_present, CK_SLOT_ID * slot_list, CK_ULONG * count),                  \
        (token_present, slot_list, count))                                                                   \
    PLAIN(C_GetSlotInfo, (CK_SLOT_ID slot_id, CK_SLOT_INFO * info), (slot_id, info))                         \
    PLAIN(C_GetTokenInfo, (CK_SLOT_ID slot_id, CK_TOKEN_INFO * info), (slot_id, info))                       \
    PLAIN(C_GetMechanismList, (CK_SLOT_ID slot_id, CK_MECHANISM_TYPE * mechanism_list, CK_ULONG * count),    \
        (slot_id, mechanism_list, count))                                                                    \
    PLAIN(C_GetMechanismInfo, (CK_SLOT_ID slot_id, CK_MECHANISM_TYPE type, CK_MECHANISM_INFO * info),        \
        (slot_id, type, info))                                                                               \
    PLAIN(C_InitToken, (CK_SLOT_ID slot_id, CK_BYTE * pin, CK_ULONG pin_len, CK_BYTE * label),               \
        (slot_id, pin, pin_len, label))                                                                      \
    PLAIN(C_InitPIN, (CK_SESSION_HANDLE session, CK_BYTE * pin, CK_ULONG pin_len), (session, pin, pin_len))  \
    PLAIN(C_SetPIN,                                                                                          \
        (CK_SESSION_HANDLE session, CK_BYTE * old_pin, CK_ULONG old_len, CK_BYTE * new_pin,                  \
            CK_ULONG new_len),                                                                               \
        (session, old_pin, old_len, new_pin, new_len))                                                       \
    PLAIN(C_OpenSession,                                                                                     \
        (CK_SLOT_ID slot_id, CK_FLAGS flags, void *application, CK_NOTIFY notify,                            \
            CK_SESSION_HANDLE *session),                                                                     \
        (slot_id, flags, application, notify, session))                                                      \
    PLAIN(C_CloseSession, (CK_SESSION_HANDLE session), (session))                                            \
    PLAIN(C_CloseAllSessions, (CK_SLOT_ID slot_id), (slot_id))                                               \
    PLAIN(C_GetSessionInfo, (CK_SESSION_HANDLE session, CK_SESSION_INFO * info), (session, info))            \
    PLAIN(C_GetOperationState,                                                                               \
        (CK_SESSION_HANDLE session, CK_BYTE * operation_state, CK_ULONG * operation_state_len),              \
        (session, operation_state, operation_state_len))                                                     \
    PLAIN(C_SetOperationState,                                                                               \
        (CK_SESSION_HANDLE session, CK_BYTE * operation_state, CK_ULONG operation_state_len,                 \
            CK_OBJECT_HANDLE encryption_key, CK_OBJECT_HANDLE authentication_key),                           \
        (session, operation_state, operation_state_len, encryption_key, authentication_key))                 \
    PLAIN(C_Login, (CK_SESSION_HANDLE session, CK_USER_TYPE user_type, CK_BYTE * pin, CK_ULONG pin_len),     \
        (session, user_type, pin, pin_len))                                                                  \
    PLAIN(C_Logout, (CK_SESSION_HANDLE session), (session))                                                  \
    PLAIN(C_CreateObject,                                                                                    \
        (CK_SESSION_HANDLE session, CK_ATTRIBUTE * templ, CK_ULONG count, CK_OBJECT_HANDLE * object),        \
        (session, templ, count, object))                                                                     \
    PLAIN(C_CopyObject,                                                                                      \
        (CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE * templ, CK_ULONG count,           \
            CK_OBJECT_HANDLE * new_object),                                                                  \
        (session, object, templ, count, new_object))                                                         \
    PLAIN(C_DestroyObject, (CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object), (session, object))          \
    PLAIN(C_GetObjectSize, (CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ULONG * size),            \
        (session, object, size))                                                                             \
    PLAIN(C_GetAttributeValue,                                                                               \
        (CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE * templ, CK_ULONG count),          \
        (session, object, templ, count))                                                                     \
    PLAIN(C_SetAttributeValue,                                                                               \
        (CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE * templ, CK_ULONG count),          \
        (session, object, templ, count))                                                                     \
    PLAIN(C_FindObjectsInit, (CK_SESSION_HANDLE session, CK_ATTRIBUTE * templ, CK_ULONG count),              \
        (session, templ, count))                                                                             \
    PLAIN(C_FindObjects,                                                                                     \
        (CK_SESSION_HANDLE session, CK_OBJECT_HANDLE * object, CK_ULONG max_object_count,                    \
            CK_ULONG * object_count),                                                                        \
        (session, object, max_object_count, object_count))                                                   \
    PLAIN(C_FindObjectsFinal, (CK_SESSION_HANDLE session), (session))                                        \
    PLAIN(C_EncryptInit, (CK_SESSION_HANDLE session, CK_MECHANISM * mechanism, CK_OBJECT_HANDLE key),        \
        (session, mechanism, key))                                                                           \
    PLAIN(C_Encrypt,                                                                                         \
        (CK_SESSION_HANDLE session, CK_BYTE * data, CK_ULONG data_len, CK_BYTE * encrypted_data,             \
            CK_ULONG * encrypted_data_len),                                                                  \
        (session, data, data_len, encrypted_data, encrypted_data_len))                                       \
    PLAIN(C_EncryptUpdate,                                                                                   \
        (CK_SESSION_HANDLE session, CK_BYTE * part, CK_ULONG part_len, CK_BYTE * encrypted_part,             \
            CK_ULONG * encrypted_part_len),                                                                  \
        (session, part, part_len, encrypted_part, encrypted_part_len))                                       \
    PLAIN(C_EncryptFinal,                                                                                    \
        (CK_SESSION_HANDLE session, CK_BYTE * last_encrypted_part, CK_ULONG * last_encrypted_part_len),      \
        (session, last_encrypted_part, last_encrypted_part_len))                                             \
    PLAIN(C_DecryptInit, (CK_SESSION_HANDLE session, CK_MECHANISM * mechanism, CK_OBJECT_HANDLE key),        \
        (session, mechanism, key))                                                                           \
    PLAIN(C_Decrypt,                                                                                         \
        (CK_SESSION_HANDLE session, CK_BYTE * encrypted_data, CK_ULONG encrypted_data_len, CK_BYTE * data,   \
            CK_ULONG * data_len),                                                                            \
        (session, encrypted_data, encrypted_data_len, data, data_len))                                       \
    PLAIN(C_DecryptUpdate,                                                                                   \
        (CK_SESSION_HANDLE session, CK_BYTE * encrypted_part, CK_ULONG encrypted_part_len, CK_BYTE * part,   \
            CK_ULONG * part_len),                                                                            \
        (session, encrypted_part, encrypted_part_len, part, part_len))                                       \
    PLAIN(C_DecryptFinal, (CK_SESSION_HANDLE session, CK_BYTE * last_part, CK_ULONG * last_part_len),        \
        (session, last_part, last_part_len))                                                                 \
    PLAIN(C_DigestInit, (CK_SESSION_HANDLE session, CK_MECHANISM * mechanism), (session, mechanism))         \
    PLAIN(C_Digest,                                                                                          \
        (CK_SESSION_HANDLE session, CK_BYTE * data, CK_ULONG data_len, CK_BYTE * digest,                     \
            CK_ULONG * digest_len),                                                                          \
        (session, data, data_len, digest, digest_len))                                                       \
    PLAIN(C_DigestUpdate, (CK_SESSION_HANDLE session, CK_BYTE * part, CK_ULONG part_len),                    \
        (session, part, part_len))                                                                           \
    PLAIN(C_DigestKey, (CK_SESSION_HANDLE session, CK_OBJECT_HANDLE key), (session, key))                    \
    PLAIN(C_DigestFinal, (CK_SESSION_HANDLE session, CK_BYTE * digest, CK_ULONG * digest_len),               \
        (session, digest, digest_len))                                                                       \
    PLAIN(C_SignInit, (CK_SESSION_HANDLE session, CK_MECHANISM * mechanism, CK_OBJECT_HANDLE key),           \
        (session, mechanism, key))                                                                           \
    SIGNER(C_Sign,                                                                                           \
        (CK_SESSION_HANDLE session, CK_BYTE * data, CK_ULONG data_len, CK_BYTE * signature,                  \
            CK_ULONG * signature_len),                                                                       \
        (session, data, data_len, signature, signature_len))                                                 \
    PLAIN(C_SignUpdate, (CK_SESSION_HANDLE session, CK_BYTE * part, CK_ULONG part_len),                      \
        (session, part, part_len))                                                                           \
    SIGNER(C_SignFinal, (CK_SESSION_HANDLE session, CK_BYTE * signature, CK_ULONG * signature_len),          \
        (session, signature, signature_len))                                                                 \
    PLAIN(C_SignRecoverInit, (CK_SESSION_HANDLE session, CK_MECHANISM * mechanism, CK_OBJECT_HANDLE key),    \
        (session, mechanism, key))                                                                           \
    SIGNER(C_SignRecover,                                                                                    \
        (CK_SESSION_HANDLE session, CK_BYTE * data, CK_ULONG data_len, CK_BYTE * signature,                  \
            CK_ULONG * signature_len),                                                                       \
        (session, data, data_len, signature, signature_len))                                                 \
    PLAIN(C_VerifyInit, (CK_SESSION_HANDLE session, CK_MECHANISM * mechanism, CK_OBJECT_HANDLE key),         \
        (session, mechanism, key))                                                                           \
    PLAIN(C_Verify,                                                                                          \
        (CK_SESSION_HANDLE session, CK_BYTE * data, CK_ULONG data_len, CK_BYTE * signature,                  \
            CK_ULONG signature_len),                                                                         \
        (session, data, data_len, signature, signature_len))                                                 \
    PLAIN(C_VerifyUpdate, (CK_SESSION_HANDLE session, CK_BYTE * part, CK_ULONG part_len),                    \
        (session, part, part_len))                                                                           \
    PLAIN(C_VerifyFinal, (CK_SESSION_HANDLE session, CK_BYTE * signature, CK_ULONG signature_len),           \
        (session, signature, signature_len))                                                                 \
    PLAIN(C_VerifyRecoverInit, (CK_SESSION_HANDLE session, CK_MECHANISM * mechanism, CK_OBJECT_HANDLE key),  \
        (session, mechanism, key))                                                                           \
    PLAIN(C_VerifyRecover,                                                                                   \
        (CK_SESSION_HANDLE session, CK_BYTE * signature, CK_ULONG signature_len, CK_BYTE * data,             \
            CK_ULONG * data_len),                                                                            \
        (session, signature, signature_len, data, data_len))                                                 \
    PLAIN(C_DigestEncryptUpdate,                                                                             \
        (CK_SESSION_HANDLE session, CK_BYTE * part, CK_ULONG part_len, CK_BYTE * encrypted_part,             \
            CK_ULONG * encrypted_part_len),                                                                  \
        (session, part, part_len, encrypted_part, encrypted_part_len))                                       \
    PLAIN(C_DecryptDigestUpdate,                                                                             \
        (CK_SESSION_HANDLE session, CK_BYTE * encrypted_part, CK_ULONG encrypted_part_len, CK_BYTE * part,   \
            CK_ULONG * part_len),                                                                            \
        (session, encrypted_part, encrypted_part_len, part, part_len))                                       \
    PLAIN(C_SignEncryptUpdate,                                                                               \
        (CK_SESSION_HANDLE session, CK_BYTE * part, CK_ULONG part_len, CK_BYTE * encrypted_part,             \
            CK_ULONG * encrypted_part_len),                                                                  \
        (session, part, part_len, encrypted_part, encrypted_part_len))                                       \
    PLAIN(C_DecryptVerifyUpdate,                                                                             \
        (CK_SESSION_HANDLE session, CK_BYTE * encrypted_part, CK_ULONG encrypted_part_len, CK_BYTE * part,   \
            CK_ULONG * part_len),                                                                            \
        (session, encrypted_part, encrypted_part_len, part, part_len))                                       \
    PLAIN(C_GenerateKey,                                                                                     \
        (CK_SESSION_HANDLE session, CK_MECHANISM * mechanism, CK_ATTRIBUTE * templ, CK_ULONG count,          \
            CK_OBJECT_HANDLE * key),                                                                         \
        (session, mechanism, templ, count, key))                                                             \
    PLAIN(C_GenerateKeyPair,                                                                                 \
        (CK_SESSION_HANDLE session, CK_MECHANISM * mechanism, CK_ATTRIBUTE * public_key_template,            \
            CK_ULONG public_key_attribute_count, CK_ATTRIBUTE * private_key_template,                        \
            CK_ULONG private_key_attribute_count, CK_OBJECT_HANDLE * public_key,                             \
            CK_OBJECT_HANDLE * private_key),                                                                 \
        (session, mechanism, public_key_template, public_key_attribute_count, private_key_template,          \
            private_key_attribute_count, public_key, private_key))                                           \
    PLAIN(C_WrapKey,                                                                                         \
        (CK_SESSION_HANDLE session, CK_MECHANISM * mechanism, CK_OBJECT_HANDLE wrapping_key,                 \
            CK_OBJECT_HANDLE key, CK_BYTE * wrapped_key, CK_ULONG * wrapped_key_len),                        \
        (session, mechanism, wrapping_key, key, wrapped_key, wrapped_key_len))                               \
    PLAIN(C_UnwrapKey,                                                                                       \
        (CK_SESSION_HANDLE session, CK_MECHANISM * mechanism, CK_OBJECT_HANDLE unwrapping_key,               \
            CK_BYTE * wrapped_key, CK_ULONG wrapped_key_len, CK_ATTRIBUTE * templ, CK_ULONG attribute_count, \
            CK_OBJECT_HANDLE * key),                                                                         \
        (session, mechanism, unwrapping_key, wrapped_key, wrapped_key_len, templ, attribute_count, key))     \
    PLAIN(C_DeriveKey,                                                                                       \
        (CK_SESSION_HANDLE session, CK_MECHANISM * mechanism, CK_OBJECT_HANDLE base_key,                     \
            CK_ATTRIBUTE * templ, CK_ULONG attribute_count, CK_OBJECT_HANDLE * key),                         \
        (session, mechanism, base_key, templ, attribute_count, key))                                         \
    PLAIN(C_SeedRandom, (CK_SESSION_HANDLE session, CK_BYTE * seed, CK_ULONG seed_len),                      \
        (session, seed, seed_len))                                                                           \
    PLAIN(C_GenerateRandom, (CK_SESSION_HANDLE session, CK_BYTE * random_data, CK_ULONG random_len),         \
        (session, random_data, random_len))                                                                  \
    PLAIN(C_GetFunctionStatus, (CK_SESSION_HANDLE session), (session))                                       \
    PLAIN(C_CancelFunction, (CK_SESSION_HANDLE session), (session))                                          \
    PLAIN(C_WaitForSlotEvent, (CK_FLAGS flags, CK_SLOT_ID * slot, void *reserved), (flags, slot, reserved))
enum function {
#define AS_ENUM(name, params, args) ID_##name,
    ID_C_GetFunctionList,
    FUNCTIONS(AS_ENUM, AS_ENUM) N_FUNCTIONS
};

static const char *const function_names[N_FUNCTIONS] = {
#define AS_NAME(name, params, args) [ID_##name] = #name,
    [ID_C_GetFunctionList] = "C_GetFunctionList", FUNCTIONS(AS_NAME, AS_NAME)};

/* Which of them can have their output damaged. */
static const bool function_signs[N_FUNCTIONS] = {
#define AS_NOTHING(name, params, args)
#define AS_TRUE(name, params, args) [ID_##name] = true,
    FUNCTIONS(AS_NOTHING, AS_TRUE)};

/* clang-format off */
static const struct {
    const char *name;
    CK_RV rv;
} answers[] = {
#define CKR(name) { #name, name }
    CKR(CKR_OK),
    CKR(CKR_CANCEL),
    CKR(CKR_HOST_MEMORY),
    CKR(CKR_SLOT_ID_INVALID),
    CKR(CKR_GENERAL_ERROR),
    CKR(CKR_FUNCTION_FAILED),
    CKR(CKR_ARGUMENTS_BAD),
    CKR(CKR_NO_EVENT),
    CKR(CKR_NEED_TO_CREATE_THREADS),
    CKR(CKR_CANT_LOCK),
    CKR(CKR_ATTRIBUTE_READ_ONLY),
    CKR(CKR_ATTRIBUTE_SENSITIVE),
    CKR(CKR_ATTRIBUTE_TYPE_INVALID),
    CKR(CKR_ATTRIBUTE_VALUE_INVALID),
    CKR(CKR_ACTION_PROHIBITED),
    CKR(CKR_DATA_INVALID),
    CKR(CKR_DATA_LEN_RANGE),
    CKR(CKR_DEVICE_ERROR),
    CKR(CKR_DEVICE_MEMORY),
    CKR(CKR_DEVICE_REMOVED),
    CKR(CKR_ENCRYPTED_DATA_INVALID),
    CKR(CKR_ENCRYPTED_DATA_LEN_RANGE),
    CKR(CKR_FUNCTION_CANCELED),
    CKR(CKR_FUNCTION_NOT_PARALLEL),
    CKR(CKR_FUNCTION_NOT_SUPPORTED),
    CKR(CKR_KEY_HANDLE_INVALID),
    CKR(CKR_KEY_SIZE_RANGE),
    CKR(CKR_KEY_TYPE_INCONSISTENT),
    CKR(CKR_KEY_NOT_NEEDED),
    CKR(CKR_KEY_CHANGED),
    CKR(CKR_KEY_NEEDED),
    CKR(CKR_KEY_INDIGESTIBLE),
    CKR(CKR_KEY_FUNCTION_NOT_PERMITTED),
    CKR(CKR_KEY_NOT_WRAPPABLE),
    CKR(CKR_KEY_UNEXTRACTABLE),
    CKR(CKR_MECHANISM_INVALID),
    CKR(CKR_MECHANISM_PARAM_INVALID),
    CKR(CKR_OBJECT_HANDLE_INVALID),
    CKR(CKR_OPERATION_ACTIVE),
    CKR(CKR_OPERATION_NOT_INITIALIZED),
    CKR(CKR_PIN_INCORRECT),
    CKR(CKR_PIN_INVALID),
    CKR(CKR_PIN_LEN_RANGE),
    CKR(CKR_PIN_EXPIRED),
    CKR(CKR_PIN_LOCKED),
    CKR(CKR_SESSION_CLOSED),
    CKR(CKR_SESSION_COUNT),
    CKR(CKR_SESSION_HANDLE_INVALID),
    CKR(CKR_SESSION_PARALLEL_NOT_SUPPORTED),
    CKR(CKR_SESSION_READ_ONLY),
    CKR(CKR_SESSION_EXISTS),
    CKR(CKR_SESSION_READ_ONLY_EXISTS),
    CKR(CKR_SESSION_READ_WRITE_SO_EXISTS),
    CKR(CKR_SIGNATURE_INVALID),
    CKR(CKR_SIGNATURE_LEN_RANGE),
    CKR(CKR_TEMPLATE_INCOMPLETE),
    CKR(CKR_TEMPLATE_INCONSISTENT),
    CKR(CKR_TOKEN_NOT_PRESENT),
    CKR(CKR_TOKEN_NOT_RECOGNIZED),
    CKR(CKR_TOKEN_WRITE_PROTECTED),
    CKR(CKR_UNWRAPPING_KEY_HANDLE_INVALID),
    CKR(CKR_UNWRAPPING_KEY_SIZE_RANGE),
    CKR(CKR_UNWRAPPING_KEY_TYPE_INCONSISTENT),
    CKR(CKR_USER_ALREADY_LOGGED_IN),
    CKR(CKR_USER_NOT_LOGGED_IN),
    CKR(CKR_USER_PIN_NOT_INITIALIZED),
    CKR(CKR_USER_TYPE_INVALID),
    CKR(CKR_USER_ANOTHER_ALREADY_LOGGED_IN),
    CKR(CKR_USER_TOO_MANY_TYPES),
    CKR(CKR_WRAPPED_KEY_INVALID),
    CKR(CKR_WRAPPED_KEY_LEN_RANGE),
    CKR(CKR_WRAPPING_KEY_HANDLE_INVALID),
    CKR(CKR_WRAPPING_KEY_SIZE_RANGE),
    CKR(CKR_WRAPPING_KEY_TYPE_INCONSISTENT),
    CKR(CKR_RANDOM_SEED_NOT_SUPPORTED),
    CKR(CKR_RANDOM_NO_RNG),
    CKR(CKR_DOMAIN_PARAMS_INVALID),
    CKR(CKR_CURVE_NOT_SUPPORTED),
    CKR(CKR_BUFFER_TOO_SMALL),
    CKR(CKR_SAVED_STATE_INVALID),
    CKR(CKR_INFORMATION_SENSITIVE),
    CKR(CKR_STATE_UNSAVEABLE),
    CKR(CKR_CRYPTOKI_NOT_INITIALIZED),
    CKR(CKR_CRYPTOKI_ALREADY_INITIALIZED),
    CKR(CKR_MUTEX_BAD),
    CKR(CKR_MUTEX_NOT_LOCKED),
    CKR(CKR_NEW_PIN_MODE),
    CKR(CKR_NEXT_OTP),
    CKR(CKR_EXCEEDED_MAX_ITERATIONS),
    CKR(CKR_FIPS_SELF_TEST_FAILED),
    CKR(CKR_LIBRARY_LOAD_FAILED),
    CKR(CKR_PIN_TOO_WEAK),
    CKR(CKR_PUBLIC_KEY_INVALID),
    CKR(CKR_FUNCTION_REJECTED),
    CKR(CKR_VENDOR_DEFINED),};
/* clang-format on */

enum action { ANSWER, SLEEP, GARBAGE, KILL, KILL_AFTER };

struct rule {
    enum function function;
    unsigned long first, last;
    enum action action;
    CK_RV rv;
    unsigned long ms;
};

static struct rule rules[MAX_RULES];
static size_t n_rules;
static atomic_ulong calls[N_FUNCTIONS];
static int log_fd = -1;
static CK_FUNCTION_LIST *real;

__attribute__((noreturn, format(printf, 1, 2))) static void die(const char *fmt, ...)
{
    va_list ap;

    fputs("fault.so: ", stderr);
    va_start(ap, fmt);
    vfprintf(stderr, fmt, ap);
    va_end(ap);
    fputc('\n', stderr);
    abort();
}

static unsigned long parse_number(const char *s, int base, const char *rule)
{
    unsigned long n;
    char *end;

    errno = 0;
    n = strtoul(s, &end, base);
    if (errno || *end || *s < '0' || *s > '9')
        die("%s: '%s' is not a number", rule, s);
    return n;
}

static enum function parse_function(const char *s, const char *rule)
{
    for (enum function i = 0; i < N_FUNCTIONS; i++)
        if (strcmp(function_names[i], s) == 0)
            return i;
    die("%s: unknown function '%s'", rule, s);
}

static CK_RV parse_answer(const char *s, const char *rule)
{
    if (strncmp(s, "0x", 2) == 0)
        return parse_number(s, 16, rule);
    for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++)
        if (strcmp(answers[i].name, s) == 0)
            return answers[i].rv;
    die("%s: unknown action or answer '%s'", rule, s);
}

static void parse_when(struct rule *r, char *s, const char *rule)
{
    size_t len = strlen(s);
    bool onwards = len && s[len - 1] == '+';

    if (strcmp(s, "*") == 0) {
        r->first = 1;
        r->last = ~0UL;
        return;
    }
    if (onwards)
        s[len - 1] = '\0';
    r->first = parse_number(s, 10, rule);
    r->last = onwards ? ~0UL : r->first;
    if (!r->first)
        die("%s: calls are counted from 1", rule);
}

static void parse_action(struct rule *r, const char *s, const char *rule)
{
    if (strncmp(s, "sleep:", 6) == 0) {
        r->action = SLEEP;
        r->ms = parse_number(s + 6, 10, rule);
    } else if (strcmp(s, "garbage") == 0) {
        r->action = GARBAGE;
        if (!function_signs[r->function])
            die("%s: only a signing function gives garbage", rule);
    } else if (strcmp(s, "kill") == 0) {
        r->action = KILL;
    } else if (strcmp(s, "kill-after") == 0) {
        r->action = KILL_AFTER;
    } else {
        r->action = ANSWER;
        r->rv = parse_answer(s, rule);
    }
}

static void parse_rule(const char *text)
{
    struct rule *r = &rules[n_rules];
    char copy[256];
    char *when, *action;

    if (n_rules == MAX_RULES || strlen(text) >= sizeof(copy))
        die("%s: too many rules, or too long a rule", text);
    memcpy(copy, text, strlen(text) + 1);
    when = strchr(copy, ':');
    action = when ? strchr(when, '=') : NULL;
    if (!action)
        die("'%s': want FUNCTION:WHEN=ACTION", text);
    *when++ = '\0';
    *action++ = '\0';
    r->function = parse_function(copy, text);
    parse_when(r, when, text);
    parse_action(r, action, text);
    n_rules++;
}

/* Unloading would set the counters back, and "the second C_Initialize" could not be said. */
static void stay_loaded(void)
{
    Dl_info self;

    if (!dladdr(&n_rules, &self) || !dlopen(self.dli_fname, RTLD_NOW | RTLD_NODELETE))
        die("cannot stay loaded: %s", dlerror());
}

__attribute__((constructor)) static void load(void)
{
    const char *fault = getenv("P11CA_FAULT");
    const char *log = getenv("P11CA_FAULT_LOG");
    char *copy, *rest, *rule;

    stay_loaded();
    if (fault) {
        rest = copy = strdup(fault);
        if (!copy)
            die("out of memory");
        while ((rule = strsep(&rest, ";")))
            if (*rule)
                parse_rule(rule);
        free(copy);
    }
    if (log && *log) {
        log_fd = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
        if (log_fd < 0)
            die("%s: %s", log, strerror(errno));
    }
}

/* One write per line: lines of several threads and processes do not mix. */
__attribute__((format(printf, 1, 2))) static void log_call(const char *fmt, ...)
{
    char line[128];
    va_list ap;
    int n;

    if (log_fd < 0)
        return;
    va_start(ap, fmt);
    n = vsnprintf(line, sizeof(line), fmt, ap);
    va_end(ap);
    if (n < 0 || write(log_fd, line, (size_t)n) != n)
        die("cannot write the log: %s", strerror(errno));
}

static void wait_ms(unsigned long ms)
{
    struct timespec left = {(time_t)(ms / 1000), (long)(ms % 1000) * 1000000L};

    while (nanosleep(&left, &left) != 0 && errno == EINTR)
        continue;
}

/* One call on its way through. */
struct call {
    enum function function;
    unsigned long number;
    bool answered, garbage, kill_after;
    CK_RV rv;
};

static void apply(struct call *c, const struct rule *r)
{
    switch (r->action) {
    case ANSWER:
        if (!c->answered)
            c->rv = r->rv;
        c->answered = true;
        return;
    case SLEEP:
        wait_ms(r->ms);
        return;
    case GARBAGE:
        c->garbage = true;
        return;
    case KILL:
        log_call("%s kill\n", function_names[c->function]);
        raise(SIGKILL);
        return;
    case KILL_AFTER:
        c->kill_after = true;
        return;
    }
}

static struct call before(enum function function)
{
    struct call c = {.function = function, .number = atomic_fetch_add(&calls[function], 1) + 1};

    for (size_t i = 0; i < n_rules; i++)
        if (rules[i].function == function && rules[i].first <= c.number && c.number <= rules[i].last)
            apply(&c, &rules[i]);
    return c;
}

static CK_RV after(const struct call *c)
{
    log_call("%s 0x%lx\n", function_names[c->function], c->rv);
    if (c->kill_after)
        raise(SIGKILL);
    return c->rv;
}

/* Changes every byte, and the same ones in the same way each time: a failing test can be run again. */
static void damage(const struct call *c, CK_BYTE *signature, const CK_ULONG *len)
{
    uint32_t x = 2463534242U ^ (uint32_t)c->number;

    if (!c->garbage || c->answered || c->rv != CKR_OK || !signature)
        return;
    for (CK_ULONG i = 0; i < *len; i++) {
        x ^= x << 13;
        x ^= x >> 17;
        x ^= x << 5;
        signature[i] ^= (CK_BYTE)(x % 255 + 1);
    }
}

/* An answer that ends what C_SignInit began (PKCS#11 2.40, 5.11): the session is there for the next one. */
static bool ends_signing(const struct call *c)
{
    return c->answered && c->rv != CKR_OK && c->rv != CKR_BUFFER_TOO_SMALL;
}

#define FORWARD(name, args)                                                                                  \
    struct call c = before(ID_##name);                                                                       \
    if (!c.answered)                                                                                         \
    c.rv = real->name ? real->name args : CKR_FUNCTION_NOT_SUPPORTED

#define AS_PLAIN(name, params, args)                                                                         \
    static CK_RV forward_##name params                                                                       \
    {                                                                                                        \
        FORWARD(name, args);                                                                                 \
        return after(&c);                                                                                    \
    }
#define AS_SIGNER(name, params, args)                                                                        \
    static CK_RV forward_##name params                                                                       \
    {                                                                                                        \
        FORWARD(name, args);                                                                                 \
        if (ends_signing(&c) && signature && real->name && real->name args == CKR_OK)                        \
            memset(signature, 0, *signature_len);                                                            \
        damage(&c, signature, signature_len);                                                                \
        return after(&c);                                                                                    \
    }
FUNCTIONS(AS_PLAIN, AS_SIGNER)

static void load_real(void)
{
    const char *path = getenv("P11CA_FAULT_MODULE");
    CK_RV (*get_list)(CK_FUNCTION_LIST **) = NULL;
    void *module, *symbol;
    CK_RV rv;

    if (!path || !*path)
        path = DEFAULT_MODULE;
    /* Never unloaded: SoftHSM and OpenSSL both clean up at exit, in an order nobody promises. */
    module = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    symbol = module ? dlsym(module, "C_GetFunctionList") : NULL;
    if (!symbol)
        die("%s", dlerror());
    /* ISO C has no cast from an object to a function pointer; POSIX promises that they are alike. */
    memcpy(&get_list, &symbol, sizeof(get_list));
    rv = get_list(&real);
    if (rv != CKR_OK || !real)
        die("%s: C_GetFunctionList: 0x%lx", path, rv);
}

CK_RV C_GetFunctionList(CK_FUNCTION_LIST **list)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    static CK_FUNCTION_LIST ours = {
#define AS_MEMBER(name, params, args) .name = forward_##name,
        .version = {CRYPTOKI_VERSION_MAJOR, CRYPTOKI_VERSION_MINOR},
        .C_GetFunctionList = C_GetFunctionList,
        FUNCTIONS(AS_MEMBER, AS_MEMBER)};
    struct call c = before(ID_C_GetFunctionList);

    if (!c.answered) {
        pthread_once(&once, load_real);
        c.rv = list ? CKR_OK : CKR_ARGUMENTS_BAD;
        if (list)
            *list = &ours;
    }
    return after(&c);
}
