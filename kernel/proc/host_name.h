/* The names that the machine goes by: uname(2), sethostname(2), setdomainname(2). */
#pragma once

#include <stddef.h>

/* Linux's __NEW_UTS_LEN. */
#define HOST_NAME_MAX 64

enum host_name_kind { HOST_NAME, HOST_DOMAIN, HOST_NAME_COUNT };

/* The name, ended with NUL. Any context below LOCK_RANK_ACCOUNT. */
void host_name_get(enum host_name_kind kind, char name[HOST_NAME_MAX + 1]);
/* At most HOST_NAME_MAX bytes. */
void host_name_set(enum host_name_kind kind, const char *name, size_t length);
