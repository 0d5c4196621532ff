/* kernel/mm and the user page tables on a machine of 16 MiB. */
#include "machine.h"
#include "tests.h"

int main(void)
{
    machine_start();
    return test_frames() + test_spaces() + test_space_model() != 0;
}
