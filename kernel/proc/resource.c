/* The registered resources of a process: inherited in order of registration, given up in the same.
 */
#include "proc/resource.h"

#include "proc/resource_list.h"

/* Written at boot only. */
static struct process_resource *first;
static struct process_resource **last = &first;

void process_resource_register(struct process_resource *resource)
{
    resource->next = NULL;
    *last = resource;
    last = &resource->next;
}

int process_resources_fork(struct process *parent, struct process *child, uint64_t clone_flags)
{
    for (struct process_resource *resource = first; resource; resource = resource->next) {
        int error = resource->fork(parent, child, clone_flags);

        if (error == 0)
            continue;
        for (struct process_resource *done = first; done != resource; done = done->next)
            done->exit(child);
        return error;
    }
    return 0;
}

void process_resources_exec(struct process *process)
{
    for (struct process_resource *resource = first; resource; resource = resource->next)
        if (resource->exec)
            resource->exec(process);
}

void process_resources_exit(struct process *process)
{
    for (struct process_resource *resource = first; resource; resource = resource->next)
        resource->exit(process);
}
