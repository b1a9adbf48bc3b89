/*
 * libp11ca-gate.so: libp11 takes a module only by its path, and this is the path. The functions are in
 * the program, token/gate.c.
 */
#include <p11-kit/pkcs11.h>
#include <stddef.h>

static CK_FUNCTION_LIST *list;

__attribute__((visibility("default"))) void p11ca_gate_attach(CK_FUNCTION_LIST *functions);
__attribute__((visibility("default"))) CK_RV C_GetFunctionList(CK_FUNCTION_LIST **ret);

void p11ca_gate_attach(CK_FUNCTION_LIST *functions)
{
    list = functions;
}

CK_RV C_GetFunctionList(CK_FUNCTION_LIST **ret)
{
    if (!list || !ret)
        return CKR_GENERAL_ERROR;
    *ret = list;
    return CKR_OK;
}
