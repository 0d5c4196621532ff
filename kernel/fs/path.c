/* Names and their links: see path.h for the locks. */
#include "fs/path.h"

#include "fs/inode.h"
#include "fs/tree.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/slab.h"

struct spinlock names_lock = SPINLOCK_INITIALIZER(LOCK_RANK_NAMES);
struct path *root_path;

static SLAB_CACHE(path_cache, struct path);

/* --- What a mapping of the file shows --- */

static struct path *path_of_source(struct mapping_source *source)
{
    return container_of(source, struct path, source);
}

static int source_get_page(struct mapping_source *source, uint64_t index, bool write,
                           physical_t *frame)
{
    return page_cache_map(&path_of_source(source)->inode->cache, index, frame);
}

static void source_peek_pages(struct mapping_source *source, uint64_t index, unsigned count,
                              physical_t *frames)
{
    page_cache_peek(&path_of_source(source)->inode->cache, index, count, frames);
}

static void source_get(struct mapping_source *source)
{
    path_get(path_of_source(source));
}

static void source_put(struct mapping_source *source)
{
    path_put(path_of_source(source));
}

/* The path's text moved to the start of the buffer. */
static size_t source_describe(struct mapping_source *source, char *buffer, size_t size)
{
    char *start;
    int64_t length = path_format(path_of_source(source), root_path, buffer, size, &start);

    if (length < 0)
        return 0;
    memmove(buffer, start, length + 1);
    return length;
}

static const struct mapping_source_operations source_operations = {
    .get_page = source_get_page,
    .peek_pages = source_peek_pages,
    .get = source_get,
    .put = source_put,
    .describe = source_describe,
};

/* --- Life --- */

uint32_t path_name_hash(const char *text, size_t length)
{
    uint32_t hash = PATH_HASH_START;

    for (size_t i = 0; i < length; i++)
        hash = path_hash_step(hash, text[i]);
    return hash;
}

struct path_name *path_name_create(const char *text, size_t length)
{
    struct path_name *name = kmalloc(sizeof(*name) + length + 1);

    if (!name)
        return NULL;
    name->hash = path_name_hash(text, length);
    name->length = length;
    memcpy(name->text, text, length);
    return name;
}

struct path *path_create(struct path *parent, struct inode *inode, const char *name, size_t length)
{
    struct path *path = slab_alloc(&path_cache);
    struct path_name *text = path_name_create(name, length);

    if (!path || !text) {
        kfree(text);
        if (path)
            slab_free(&path_cache, path);
        return NULL;
    }
    refcount_init(&path->refs);
    inode_get(inode);
    path->inode = inode;
    path->name = text;
    path->source.operations = &source_operations;
    if (parent)
        path_get(parent);
    path->parent = parent ? parent : path;
    return path;
}

void path_get(struct path *path)
{
    refcount_get(&path->refs);
}

/* Not recursive: a name can be thousands of directories deep. */
void path_put(struct path *path)
{
    while (refcount_put(&path->refs)) {
        struct path *parent = path->parent;

        inode_put(path->inode);
        kfree(path->name);
        slab_free(&path_cache, path);
        if (parent == path)
            break;
        path = parent;
    }
}

struct path *path_parent(struct path *path, const struct path *root)
{
    struct path *parent = path;

    spin_lock(&names_lock);
    if (path != root)
        parent = path->parent;
    path_get(parent);
    spin_unlock(&names_lock);
    return parent;
}

/* --- Text --- */

/* Puts bytes before *start. False: no room. */
static bool prepend(char *buffer, char **start, const char *text, size_t length)
{
    if ((size_t)(*start - buffer) < length)
        return false;
    *start -= length;
    memcpy(*start, text, length);
    return true;
}

static bool format_locked(struct path *path, const struct path *root, char *buffer, char **start,
                          bool *reached)
{
    static const char deleted[] = " (deleted)";

    *reached = true;
    if (path->removed && !prepend(buffer, start, deleted, sizeof(deleted) - 1))
        return false;
    if (path == root)
        return prepend(buffer, start, "/", 1);
    *reached = false;
    if (path == root_path)
        return prepend(buffer, start, "/", 1);
    while (path != root && path->parent != path) {
        if (!prepend(buffer, start, path->name->text, path->name->length) ||
            !prepend(buffer, start, "/", 1))
            return false;
        path = path->parent;
    }
    *reached = path == root;
    if (path == root || path == root_path)
        return true;
    /* Without a name in the tree: an unnamed file. */
    return prepend(buffer, start, path->name->text, path->name->length) &&
           prepend(buffer, start, "/", 1);
}

static int64_t format(struct path *path, const struct path *root, char *buffer, size_t size,
                      char **start, bool *reached)
{
    char *end = buffer + size - 1;

    *end = '\0';
    *start = end;
    spin_lock(&names_lock);
    bool fits = format_locked(path, root, buffer, start, reached);

    spin_unlock(&names_lock);
    return fits ? end - *start : -ENAMETOOLONG;
}

int64_t path_format(struct path *path, const struct path *root, char *buffer, size_t size,
                    char **start)
{
    bool reached;

    return format(path, root, buffer, size, start, &reached);
}

int64_t path_format_working(struct path *path, const struct path *root, char *buffer, size_t size,
                            char **start)
{
    static const char unreachable[] = "(unreachable)";
    bool reached;
    int64_t length = format(path, root, buffer, size, start, &reached);

    if (length < 0 || reached)
        return length;
    if (!prepend(buffer, start, unreachable, sizeof(unreachable) - 1))
        return -ENAMETOOLONG;
    return length + (int64_t)sizeof(unreachable) - 1;
}
