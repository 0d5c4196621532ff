"""The faults: where, what is replaced by what, and which scenario must notice."""


def mutant(name, simulator, scenario, file, old, new):
    return {"name": name, "simulator": simulator, "scenario": scenario, "file": file, "old": old,
            "new": new}


def sched(name, scenario, file, old, new):
    return mutant(name, "sim_sched", scenario, f"kernel/sched/{file}", old, new)


def proc(name, scenario, file, old, new):
    return mutant(name, "sim_proc", scenario, f"kernel/proc/{file}", old, new)


MUTANTS = [
    # --- an order is swapped ---
    sched("look before marking asleep", "sleep_wake", "wait.c",
          "        sleep_begin(sleep);\n        outcome = sleep_outcome(sleep);\n",
          "        outcome = sleep_outcome(sleep);\n        sleep_begin(sleep);\n"),
    sched("wake before the mutex is handed over", "mutex_handover", "mutex.c",
          "        atomic_store_explicit(&waiter->is_owner, true, memory_order_release);\n"
          "        thread_wake(waiter->thread);\n",
          "        thread_wake(waiter->thread);\n"
          "        atomic_store_explicit(&waiter->is_owner, true, memory_order_release);\n"),
    sched("interrupts open before idling", "sleep_wake", "idle.c",
          "    port_idle();\n",
          "    port_irq_enable();\n    port_irq_disable();\n    port_idle();\n"),
    sched("unqueued before the last look", "sleep_wake", "wait.c",
          "    outcome = sleep_until(&sleep, lock);\n    if (queue)\n        wait_queue_remove(&entry);\n",
          "    if (queue)\n        wait_queue_remove(&entry);\n    outcome = sleep_until(&sleep, lock);\n"),
    proc("family lock inside a signal lock", "stop_continue_wait", "stop.c",
         "    spin_lock(&family_lock);\n    /* POSIX 2.4.3",
         "    state = signal_lock(process);\n    spin_lock(&family_lock);\n"
         "    signal_unlock(process, state);\n    /* POSIX 2.4.3"),
    # --- a lock is dropped ---
    sched("mutex waiter queued without the lock", "mutex_storm", "mutex.c",
          "    irq_state_t interrupts = spin_lock_irq_save(&mutex->lock);\n"
          "    uintptr_t owner = atomic_load(&mutex->owner);\n",
          "    irq_state_t interrupts = port_irq_save();\n"
          "    uintptr_t owner = atomic_load(&mutex->owner);\n"
          "#define spin_unlock_irq_restore(lock, state) port_irq_restore(state)\n"),
    sched("wait entry removed without the lock", "entry_remove_wake", "wait.c",
          "    irq_state_t interrupts = spin_lock_irq_save(&entry->queue->lock);\n\n"
          "    list_remove(&entry->link);\n"
          "    spin_unlock_irq_restore(&entry->queue->lock, interrupts);\n",
          "    list_remove(&entry->link);\n"),
    sched("a home that moved while it was locked", "tokens", "placement.c",
          "        if (likely(cpu == atomic_load_explicit(&thread->cpu, memory_order_relaxed)))\n",
          "        if (true)\n"),
    sched("the sleeper's own lock is kept", "sleep_locked", "wait.c",
          "        if (lock)\n            spin_unlock(lock);\n        schedule();\n"
          "        if (lock)\n            spin_lock(lock);\n",
          "        schedule();\n"),
    proc("a pid is looked up without the lock", "kill_reap", "pid.c",
         "    spin_lock(&pid_lock);\n    list_for_each (pid, bucket_locked(number), hash_link) {\n"
         "        if (pid->number != number)\n            continue;\n"
         "        if (refcount_get_unless_zero(&pid->refs))\n            found = pid;\n"
         "        break;\n    }\n    spin_unlock(&pid_lock);\n",
         "    list_for_each (pid, bucket_locked(number), hash_link) {\n"
         "        if (pid->number != number)\n            continue;\n"
         "        if (refcount_get_unless_zero(&pid->refs))\n            found = pid;\n"
         "        break;\n    }\n"),
    # --- a wake-up is forgotten, or comes too early ---
    sched("an interruption that does not wake", "interrupt_sleep", "wake.c",
          "        ends_sleep(thread, bits)) {\n", "        false) {\n"),
    sched("an interrupt that takes itself for the sleeper", "interrupt_by_interrupt", "wake.c",
          "        if (ends_sleep(thread, bits))\n"
          "            atomic_store_explicit(&thread->may_sleep, false, memory_order_relaxed);\n",
          ""),
    sched("a cancelled timer that still runs", "timer_cancel_expire", "timer.c",
          "        if (!is_running)\n            return was_armed;\n",
          "        return was_armed;\n"),
    proc("a death that wakes nobody", "exit_wait", "exit.c",
         "    wait_queue_wake_all(&parent->child_wait, 0);\n", ""),
    proc("an inherited zombie that wakes nobody", "zombie_inheritance", "tree.c",
         "        list_push_back(&reaper->zombies, &child->sibling);\n"
         "        exit_tell_parent_locked(child, orphans);\n",
         "        list_push_back(&reaper->zombies, &child->sibling);\n"),
    proc("a new mask that nobody looks at", "sigchld_sigsuspend", "signal_mask.c",
         "    recalculate_locked(self);\n    signal_unlock(self->process, state);\n",
         "    signal_unlock(self->process, state);\n"),
    proc("sigtimedwait does not say what it waits for", "sigtimedwait_timeout", "signal_wait.c",
         "    self->signals.waiting_for = !signal && expect ? wanted : 0;\n",
         "    self->signals.waiting_for = 0;\n"),
    # --- a reference or an object is lost ---
    sched("a mutex handed to who gave up", "mutex_kill", "mutex.c",
          "    bool has_left = !is_handed_over(waiter);\n", "    bool has_left = true;\n"),
    proc("a claimed child without a reference", "exit_wait", "wait.c",
         "    process_get(child);\n    child->wait_claimed", "    child->wait_claimed"),
    proc("a reaped child that keeps a reference", "exit_wait", "wait.c",
         "    if (reaped)\n        process_put(result->child);\n    process_put(result->child);\n",
         "    process_put(result->child);\n"),
    proc("fork's undo forgets the files", "allocations", "fork.c",
         "undo_resources:\n    process_resources_exit(child);\n", "undo_resources:\n"),
    proc("a vfork gate that outlives its parent", "vfork_kill", "fork.c",
         "        child->vfork_gate = NULL;\n    spin_unlock(&family_lock);\n}\n\nint fork_commit",
         "        (void)child;\n    spin_unlock(&family_lock);\n}\n\nint fork_commit"),
    # --- a check is forgotten ---
    proc("fork does not look for signals", "fork_group_kill", "fork.c",
         "signal_is_pending() ? -ERESTARTNOINTR\n                                : ", ""),
    proc("orphans that pass by their subreaper", "subreaper_reaps", "tree.c",
         "    if (subreaper_count > 0)\n", "    if (false)\n"),
    proc("a subreaper that is not forgotten", "family_model", "exit.c",
         "    tree_forget_subreaper_locked(process);\n", ""),
    proc("a stop that outlives its SIGCONT", "stop_continue_term", "stop.c",
         "    if (signals->continues != continues || signals->exiting_by_signal ||",
         "    if (signals->exiting_by_signal ||"),
    proc("zombies out of order", "family_model", "tree.c",
         "    list_push_back(&process->parent->zombies, &process->sibling);\n",
         "    list_push_front(&process->parent->zombies, &process->sibling);\n"),
    proc("an anchor that is not counted down", "family_model", "pgrp.c",
         "        process->is_anchor = false;\n        group->anchors--;\n",
         "        process->is_anchor = false;\n"),
    proc("real-time signals last in, first out", "signal_model", "signal_queue.c",
         "        if (found)\n            break;\n        found = queued;\n",
         "        found = queued;\n"),
    proc("a place in a killed job still stands", "job_spawn_kill", "job_member.c",
         "    if (job->state != JOB_OPEN)\n        return -ENODEV;\n"
         "    if (place->origin != current_process()->job || place->kill_gen != job->kill_gen ||",
         "    if (place->origin != current_process()->job ||"),
    proc("adoption leaves children behind", "job_adopt_tree_fork", "job_adopt.c",
         "    } while (tree && (process = next_descendant_locked(process, first)));\n",
         "    } while (false);\n"),
    proc("a change in a table that others have too", "disposition_fork", "signal_action.c",
         "refcount_is_sole(&actions->refs) ? actions", "true ? actions"),
    proc("who waits for bandwidth cannot be killed", "job_bandwidth_kill", "job_time.c",
         "job, SLEEP_KILLABLE,", "job, SLEEP_UNINTERRUPTIBLE,"),
    proc("a birth does not look at the mask", "job_affinity_fork", "job_member.c",
         "    return job_cpu_check_thread_locked(job, thread);\n", "    return 0;\n"),
    proc("time that is used up refuses nobody", "job_time_fork", "job_limit_act.c",
         "            return -EDQUOT;\n", "            return 0;\n"),
    sched("a share forgets who leaves", "group_storm", "policy_fair.c",
          "    share_leave(cpu, thread);\n", ""),
    sched("a share moves without its threads", "group_storm", "group_share.c",
          "    count(parent, share->runnable);\n", ""),
    sched("an empty share stays in its queue", "group_storm", "group_share.c",
          "    for (; share && rb_tree_is_empty(&share->queue.entities); share = share->parent)\n",
          "    if (share && rb_tree_is_empty(&share->queue.entities))\n"),
    sched("a debt is forgotten", "bandwidth", "bandwidth.c",
          "            kept = bandwidth->left + ", "            kept = "),
    mutant("who is moved to a watched job is looked at too late", "sim_proc", "job_bandwidth_adopt",
           "kernel/sched/attributes.c",
         "run_queue_ready(&home->run_queue) > 0 || thread->is_watched ||",
         "run_queue_ready(&home->run_queue) > 0 ||"),
    sched("sums that changed are not read again", "group_read", "group_account.c",
          "} while (memcmp(&before, &after, sizeof(before)) != 0 && --tries > 0);",
          "} while (--tries == 0);"),
    sched("what was read and written is not handed up", "group_read", "group_account.c",
          "    if (is_set(&thread->has_transferred))\n        flush_transfers(thread);\n", ""),
    proc("the past of who is adopted is taken for the job's", "job_adopt_exit", "job_acct.c",
         "        account->folded_cycles.system -= used->time.system;\n", ""),
    sched("a CPU gives away what it is about to run", "realtime_wake", "placement.c",
          "    if (rank_of(&cpu->run_queue) < RANK_REALTIME)\n        return;\n", ""),
    # --- an illegal transition ---
    proc("straight from living to zombie", "exit_wait", "exit.c",
         "    process_set_state(process, PROCESS_EXITING);\n", ""),
    sched("a thread that is queued asleep", "sleep_wake", "schedule.c",
          "    bool is_settled = left->on_queue || state == THREAD_SLEEPING;\n",
          "    bool is_settled = left->on_queue;\n"),
]
