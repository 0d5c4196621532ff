/* Bring-up of the file floor. */
#include "fs/fs.h"

#include "fs/device.h"
#include "fs/file.h"
#include "fs/path.h"
#include "fs/tree.h"
#include "mm/frame.h"

static int make_directory(const char *name, uint32_t mode)
{
    const struct tree_node node = {.mode = S_IFDIR | mode};

    return tree_make(name, &node, NULL);
}

int fs_init(void)
{
    int error = tree_init();

    if (!error)
        error = make_directory("dev", 0755);
    if (!error)
        error = make_directory("dev/shm", 01777);
    if (!error)
        error = make_directory("tmp", 01777);
    if (!error)
        error = memory_devices_register();
    if (error)
        return error;
    page_cache_set_limit(frame_free_count() / 2);
    file_table_register();
    path_context_register();
    return 0;
}
