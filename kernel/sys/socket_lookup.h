/* Sockets by descriptor, for the calls about them. */
#pragma once

#include <stdint.h>

#include "fs/file.h"

/* A reference to the socket. -EBADF -ENOTSOCK */
int socket_from_descriptor(int descriptor, struct file **file);
/* For calls that a connected pair refuses in one way, whatever their arguments: `error`, if the
 * descriptor is a socket. */
int64_t socket_refuse(int descriptor, int error);
