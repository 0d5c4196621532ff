/* Single words of user memory, inline: for calls whose whole work is one such word. Thread context,
 * as the functions of mm/user_copy.h, whose contract holds here too. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/compiler.h"
#include "mm/address_space.h"

#define PORT_SMAP_SITE(instruction)                                                                \
    "771: " instruction "\n.pushsection .smap_sites, \"a\"\n.quad 771b\n.popsection\n"

/* False: -EFAULT. */
static inline bool MUST_CHECK port_load_user_word(uint64_t *word, uintptr_t address)
{
    if (unlikely(address > USER_ADDRESS_END - sizeof(*word)))
        return false;
    __asm__ goto volatile(PORT_SMAP_SITE("stac") "772: movq (%1), %0\n"
                                                 ".pushsection .extable, \"a\"\n.quad 772b, "
                                                 "%l[refused]\n.popsection\n" PORT_SMAP_SITE("clac")
                          : "=r"(*word)
                          : "r"(address)
                          : "memory"
                          : refused);
    return true;
refused:
    __asm__ volatile(PORT_SMAP_SITE("clac"));
    return false;
}
