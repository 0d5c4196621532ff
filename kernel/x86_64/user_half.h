/* The end of the user half, for assembly: user_copy.c asserts that it is USER_ADDRESS_END. */
#pragma once

#define USER_HALF_END 0x00007ffffffff000
