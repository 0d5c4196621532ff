/* Where the machine shows all of its RAM to the kernel: physical address + this = kernel address. */
#pragma once

#define PORT_DIRECT_MAP 0xffff800000000000ul
