/* What the machine asks of the address sanitizer, which this build is without. */
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>

void __sanitizer_start_switch_fiber(void **save, const void *bottom, size_t size)
{
    (void)save;
    (void)bottom;
    (void)size;
}

void __sanitizer_finish_switch_fiber(void *save, const void **bottom, size_t *size)
{
    (void)save;
    *bottom = 0;
    *size = 0;
}

void __sanitizer_set_death_callback(void (*callback)(void))
{
    (void)callback;
}

void __asan_poison_memory_region(const volatile void *address, size_t size)
{
    (void)address;
    (void)size;
}

void __asan_unpoison_memory_region(const volatile void *address, size_t size)
{
    (void)address;
    (void)size;
}
