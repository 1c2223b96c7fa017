/* Small programs that behave under the library as they do natively: same output, same exit status,
 * nothing added to stdout or stderr.  Each test runs one case of a victim natively, at one P and
 * at two; spinners at four, too.
 * By hand: GMP_MAXPROCS=1 LD_PRELOAD=build/libgmp.so build/tests/preload/VICTIM CASE
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/diff.h"
#include "tests/support/spawn.h"

static void same_at(int maxprocs, const struct run *native, const char *victim, const char *arg)
{
	struct run under = { .env = native->env };
	char what[128], have[64], want[64];

	snprintf(what, sizeof(what), "%s %s at %d P", victim, arg ? arg : "", maxprocs);
	run_victim(&under, maxprocs, victim, arg, NULL);
	run_outcome(native, want, sizeof(want));
	run_outcome(&under, have, sizeof(have));
	cr_expect_str_eq(have, want, "%s: %s, natively %s; stderr: %s", what, have, want,
			 under.err);
	cr_expect(same_output(what, "native", native->out, "library", under.out), "%s", what);
	cr_expect(same_output(what, "native", native->err, "library", under.err), "%s", what);
	run_free(&under);
}

static void same_as_native(const char *const *env, const char *victim, const char *arg, int most_ps)
{
	struct run native = { .env = env };
	char path[4096];

	if (access(victim_path(victim, path, sizeof(path)), X_OK) < 0)
		cr_skip_test("%s was not built", victim);
	run_victim(&native, 0, victim, arg, NULL);
	cr_assert(!native.hung, "%s %s hangs natively", victim, arg ? arg : "");
	if (WIFEXITED(native.status) && WEXITSTATUS(native.status) == 77)
		cr_skip_test("%s %s: not possible here", victim, arg ? arg : "");
	for (int n = 1; n <= most_ps; n *= 2)
		same_at(n, &native, victim, arg);
	run_free(&native);
}

static const char *const short_slices[] = { "GMP_SLICE_US=100", NULL };

#define SAME_WITH(env, most_ps, suite, sentence, victim, arg) \
	Test(suite, sentence) \
	{ \
		same_as_native(env, victim, arg, most_ps); \
	}
#define SAME_UP_TO(...) SAME_WITH(NULL, __VA_ARGS__)
#define SAME(...) SAME_UP_TO(2, __VA_ARGS__)
#define SAME_SLICED(...) SAME_WITH(short_slices, 2, __VA_ARGS__)

SAME(ends, main_may_exit_first, "life", "main_exits_first")
SAME(ends, a_thread_may_end_the_process, "life", "exit_from_thread")
SAME(ends, main_may_return_while_others_block_and_compute, "life", "return_from_main")
SAME(ends, a_cancellation_waits_for_a_cancellation_point, "life", "cancel_while_waiting")
SAME(ends, computing_threads_are_cancelled_asynchronously, "life", "cancel_async")
SAME(ends, a_thread_parked_for_a_p_is_cancelled_asynchronously, "life", "cancel_async_parked")
SAME(ends, pthread_exit_unwinds_and_tells_its_result, "life", "pthread_exit")
SAME(ends, detached_threads_come_and_go, "life", "detached")
SAME(ends, a_program_is_alone_again, "life", "alone_again")
SAME(ends, threads_that_end_by_the_kernels_exit_count_no_more, "life", "threads_end_unseen")
SAME(ends, nobody_lives_on_when_all_end_by_the_kernels_exit, "life", "all_end_unseen")
static const char *const watched[] = { "GMP_CHECKDEAD=1", NULL };
SAME_WITH(watched, 2, ends, nobody_lives_on_to_watch_when_all_end_by_the_kernels_exit, "life",
	  "all_end_unseen")
SAME(ends, there_are_as_many_threads_as_the_kernel_allows, "life", "as_many_as_allowed")
SAME(ends, there_are_as_many_threads_as_memory_has_room_for, "life", "as_many_as_fit")
SAME(ends, a_thread_that_asks_too_much_is_refused, "life", "too_much_is_refused")
SAME(ends, a_thread_is_born_without_malloc, "life", "born_without_malloc")
SAME(ends, destructors_of_thread_data_may_block, "life", "destructors_block")
SAME(ends, a_thousand_threads_one_after_the_other, "life", "many_one_after_the_other")
SAME(ends, cpp_thread_locals_and_exceptions, "tls", NULL)

SAME(clones, a_clone_with_memory_of_its_own_is_like_a_fork, "clones", "forks")
SAME(clones, such_a_clone_of_a_process_with_one_thread, "clones", "first_forks")
SAME(clones, a_clone_that_its_parent_waits_for_is_like_a_vfork, "clones", "vforks")
SAME(clones, such_a_clone_executes, "clones", "vforks_and_executes")
SAME(clones, such_a_clone_of_a_process_with_one_thread_executes, "clones",
     "first_vforks_and_executes")
SAME(clones, a_clone_runs_beside_the_thread_whose_data_it_shares, "clones", "shares")
SAME(clones, a_clone_runs_beside_the_only_thread, "clones", "first_shares")
SAME(clones, a_clone_exits_that_shares_its_parents_data, "clones", "shares_and_exits")
SAME(clones, a_clone_exits_beside_the_only_thread, "clones", "first_shares_and_exits")
SAME(clones, a_clone_sets_a_handler_for_its_parent, "clones", "shares_handlers")
SAME(clones, a_clone_sets_a_handler_for_the_only_thread, "clones", "first_shares_handlers")
SAME(clones, clones_by_number, "clones", "by_number")
SAME(clones, clones_by_number_of_a_process_with_one_thread, "clones", "first_by_number")
SAME(clones, clones_that_are_refused, "clones", "refused")
SAME(clones, clones_that_are_refused_to_a_process_with_one_thread, "clones", "first_refused")

Test(clones, verbose_tells_of_a_thread_that_shares_its_data)
{
	const char *const env[] = { "GMP_VERBOSE=1", NULL };
	const char *const cases[] = { "shares", "first_shares" };
	const char *const words[] = { "it runs without a P", "running without the scheduler" };

	for (int i = 0; i < 2; i++) {
		struct run r = { .env = env };

		run_victim(&r, 1, "clones", cases[i], NULL);
		cr_assert(run_ok(&r));
		cr_assert(strstr(r.err, words[i]), "%s: %s", cases[i], r.err);
		run_free(&r);
	}
}

/* The child exits before its parent makes 42 threads, one after the other at one P. */
Test(clones, the_last_words_are_not_the_clones)
{
	const char *const env[] = { "GMP_STATS=1", NULL };
	struct run r = { .env = env };
	const char *handoffs;

	run_victim(&r, 1, "clones", "shares_and_exits", NULL);
	cr_assert(run_ok(&r));
	cr_expect_eq(count_lines_with(r.err, "gmp: stats: "), 1, "%s", r.err);
	handoffs = strstr(r.err, "handoffs=");
	cr_assert(handoffs);
	cr_expect_gt(atoi(handoffs + 9), 40, "%s", r.err);
	run_free(&r);
}

/*
 * Whose turn it is in a line of yielders nobody tells us, but its order is learned: once round it
 * takes one turn of 64 looks a pass, and not one of half of the others in between.
 */
Test(spins, a_pass_of_a_line_is_not_looked_for_by_half_of_the_others)
{
	struct run r = { 0 };
	int passes, looks;

	run_victim(&r, 1, "spins", "looks", NULL);
	cr_assert(run_ok(&r));
	cr_assert_eq(sscanf(r.out, "%d passes, %d looks", &passes, &looks), 2, "%s", r.out);
	cr_expect_lt(looks, 2 * 64 * passes, "%s", r.out);
	run_free(&r);
}

SAME(sandbox, a_thread_in_strict_mode_reads_and_writes, "sandbox", "strict")
SAME(sandbox, a_thread_enters_strict_mode_by_number, "sandbox", "strict_by_number")
SAME(sandbox, a_filter_refuses_barriers_and_signals_of_late, "sandbox", "refused")
SAME(sandbox, a_filter_refuses_barriers_and_signals_from_the_start, "sandbox", "refused_first")

SAME(sandbox, filters_are_asked_for_to_be_refused, "sandbox", "asked")
SAME(sandbox, a_filter_kills_for_calls_of_the_library_of_late, "sandbox", "forbidden")
SAME(sandbox, a_filter_kills_for_calls_of_the_library_from_the_start, "sandbox", "forbidden_first")
SAME(sandbox, children_are_locked_in_like_a_browsers, "sandbox", "forbidden_to_children")

SAME(sandbox, a_thread_dispatches_its_own_system_calls, "sandbox", "dispatched")
SAME(sandbox, the_only_thread_does_and_makes_others, "sandbox", "dispatched_first")
SAME(sandbox, a_thread_may_not_read_a_clock, "sandbox", "without_clocks")

SAME(sandbox, a_program_is_born_with_the_filter_of_systemds_services, "sandbox", "inherited")

SAME(sandbox, a_program_starts_threads_where_there_is_no_proc, "elsewhere", "chroot_first")
SAME(sandbox, a_program_with_threads_goes_where_there_is_no_proc, "elsewhere", "chroot_late")
SAME(sandbox, a_thread_goes_where_there_is_no_proc, "elsewhere", "chroot_by_a_thread")
SAME(sandbox, proc_is_of_another_namespace, "elsewhere", "other_namespace")

Test(sandbox, verbose_tells_that_the_library_is_gone)
{
	const char *const env[] = { "GMP_VERBOSE=1", "GMP_STATS=1", NULL };
	static const struct {
		const char *victim;
		bool gone;
	} cases[] = { { "forbidden", true },
		      { "forbidden_first", true },
		      { "refused", false },
		      { "asked", false } };

	for (int i = 0; i < 4; i++) {
		struct run r = { .env = env };

		run_victim(&r, 1, "sandbox", cases[i].victim, NULL);
		cr_assert(run_ok(&r));
		cr_assert_eq(strstr(r.err, "runs untouched from here on") != NULL, cases[i].gone,
			     "%s: %s", cases[i].victim, r.err);
		run_free(&r);
	}
}

SAME(children, fork_from_a_thread, "family", "fork_plain")
SAME(children, a_forked_child_makes_threads, "family", "fork_with_threads")
SAME(children, a_child_forked_while_the_loader_is_busy_makes_threads, "family",
     "fork_in_the_loader")
SAME(children, fork_by_a_program_that_is_alone_again, "family", "fork_alone")
SAME(children, a_forked_child_forks, "family", "fork_twice")
SAME(children, children_made_without_libc, "family", "fork_raw")
SAME(children, many_threads_fork_at_once, "family", "fork_storm")
SAME(children, vfork_then_exec_or_exit, "family", "vfork_exec")
SAME(children, posix_spawn_system_popen, "family", "spawn_and_shell")
SAME(children, a_child_executes_a_threaded_program, "family", "exec_self")
SAME(children, a_thread_executes_another_program, "family", "exec_from_thread")
SAME(children, threads_execute_while_others_are_preempted, "family", "exec_storm")
SAME_SLICED(children, threads_execute_by_number_while_others_are_preempted, "family",
	    "exec_storm_by_number")
SAME(children, a_child_becomes_a_daemon, "family", "daemon_child")

static const char *const talkative[] = { "GMP_STATS=1", "GMP_MAXTHREADS=4", "GMP_TRACEBACK=1",
					 "GMP_SCHEDTRACE=1", NULL };
SAME_WITH(talkative, 2, children, a_daemon_has_its_data_where_stderr_was, "family", "data_at_2")

SAME(children, a_handler_forks_in_a_blocked_call, "between", "fork_in_a_call")
SAME(children, a_handler_forks_while_its_thread_waits_for_a_p, "between", "fork_while_parked")
SAME(children, a_program_that_joined_its_threads_is_alone, "between", "alone_again")

SAME(signals, a_handler_ends_a_read_in_the_queue, "queues", "read")
SAME(signals, a_jump_leaves_a_blocked_read, "signals", "jump_out_of_read")
SAME(signals, handlers_block_in_handlers, "signals", "nested")
SAME(signals, handlers_block_on_an_alternate_stack, "signals", "nested_on_alternate_stack")
SAME(signals, a_handler_runs_at_once_while_its_thread_waits_for_a_p, "signals",
     "handler_while_parked")
SAME(signals, a_program_gets_its_own_sigurg, "urgent", "own_sigurg")
SAME(signals, a_program_takes_up_sigurg_late, "urgent", "late_sigurg")
SAME(signals, a_program_that_blocks_sigurg_fetches_its_own, "fetches", "blocked")
SAME(signals, a_program_blocks_sigurg_by_number, "signals", "sigurg_blocked_by_number")
SAME_SLICED(signals, a_program_that_blocks_everything_keeps_its_sigurg, "fetches", "unnamed")
SAME_SLICED(signals, such_a_program_blocks_everything_by_number, "fetches", "unnamed_by_number")
SAME_SLICED(signals, such_a_program_jumps_to_where_everything_was_blocked, "fetches",
	    "unnamed_by_jump")
SAME(signals, a_program_holds_sigurg_and_fetches_its_own, "fetches", "held")
SAME(signals, a_program_that_blocks_everything_fetches_sigurg, "fetches", "by_waiting")
SAME(signals, such_a_program_fetches_it_by_number, "fetches", "by_number")
SAME(signals, such_a_program_has_a_descriptor_for_it, "fetches", "by_descriptor")
SAME(signals, a_program_sets_its_handler_by_sigset, "urgent", "sigset")
SAME(signals, a_program_sets_its_handler_by_number, "urgent", "by_number")
SAME(signals, masks_read_back_as_they_were_set, "urgent", "masks")
SAME(signals, urgent_data_is_told_of, "urgent", "out_of_band")
SAME(signals, sigurg_is_read_from_a_descriptor, "urgent", "signalfd")
SAME(signals, a_program_uses_every_real_time_signal, "urgent", "all_real_time_signals")
SAME(signals, real_time_signals_queue, "urgent", "real_time_burst")
SAME(signals, a_sigurg_that_a_program_ignores_cuts_no_call_short, "urgent", "ignored_sigurg")
SAME(signals, children_of_vfork_reset_their_own, "urgent", "children_reset")
SAME(signals, children_of_vfork_block_their_own, "urgent", "children_block")
SAME(signals, hogs_that_block_all_signals_take_turns, "signals", "all_signals_blocked")
SAME(signals, hogs_that_block_all_signals_by_number_take_turns, "signals",
     "all_signals_blocked_raw")
SAME(signals, a_preemption_leaves_a_stack_of_the_program_alone, "signals", "own_stack_pointer")
SAME(signals, threads_share_one_alternate_stack, "signals", "shared_alternate_stack")
SAME(signals, the_world_is_stopped_by_handlers_that_sleep, "stopworld", "asleep")
SAME(signals, the_world_is_stopped_by_handlers_that_spin, "stopworld", "spinning")
SAME(signals, interval_timers_arrive_beside_hogs, "signals", "interval_timer")

SAME(signals, no_call_is_cut_short_by_a_preemption, "signals", "no_stray_eintr")

SAME_SLICED(slices, end_on_the_smallest_stacks, "slices", "tiny_stacks")
SAME_SLICED(slices, end_in_handlers, "slices", "in_handlers")
SAME_SLICED(slices, end_on_alternate_stacks, "slices", "on_alternate_stacks")
SAME_SLICED(slices, end_beside_alternate_stacks_of_any_size, "slices", "beside_alternate_stacks")
SAME_SLICED(slices, end_beside_alternate_stacks_that_are_freed, "slices",
	    "beside_freed_alternate_stacks")
SAME_SLICED(slices, end_on_the_stacks_of_fibers, "slices", "on_the_stacks_of_fibers")
SAME_SLICED(slices, end_in_malloc, "slices", "in_malloc")
SAME_SLICED(slices, end_in_the_loader, "slices", "in_the_loader")
SAME_SLICED(slices, end_while_children_of_vfork_compute, "slices", "in_children_of_vfork")
SAME_SLICED(slices, end_in_cleanups_and_destructors, "slices", "at_its_end")
SAME_SLICED(slices, end_in_cancelled_threads, "slices", "in_a_cancellation")
SAME_SLICED(slices, cut_no_call_short_that_nobody_announced, "slices", "before_unseen_calls")

SAME_SLICED(unseen, sleeps_last_to_their_end, "cut", "to_their_end")
SAME_SLICED(unseen, waits_last_until_they_are_woken, "cut", "until_they_are_woken")
SAME_SLICED(unseen, sleeps_last_until_a_handler_has_run, "cut", "until_a_handler_has_run")
SAME_SLICED(unseen, sleeps_last_until_a_handler_jumps_out, "cut", "until_a_handler_jumps_out")
SAME_SLICED(unseen, sleeps_last_until_they_are_cancelled, "cut", "until_they_are_cancelled")

SAME(whole, every_thread_changes_its_credentials, "whole", "credentials")
SAME(whole, a_library_brings_parts_of_an_old_libc, "whole", "library_with_parts_of_libc")
SAME(whole, a_queue_tells_what_it_was_asked_for_before_the_second_thread, "whole", "told_by_queues")
SAME(whole, functions_that_this_libc_lacks_are_not_found, "whole", "asked_for_young_functions")
SAME_SLICED(whole, libraries_come_and_go_with_their_threads, "whole", "library_with_threads")

SAME(contexts, a_handler_changes_to_one_while_its_thread_is_parked, "contexts", "while_parked")
SAME(contexts, a_handler_changes_to_one_while_its_thread_blocks, "contexts", "in_a_call")

SAME(locks, who_holds_one_is_not_stopped, "locks", "not_stopped_inside")
SAME(locks, a_crowd_passes_through_one_beside_a_hog, "locks", "convoy")
SAME(locks, those_never_given_back_keep_nobody_out, "locks", "never_given_back")
SAME(locks, who_only_tries_meets_none_whose_holder_waits_for_a_p, "locks", "tries")
SAME(locks, who_asks_by_a_try_and_then_waits_is_told_so, "locks", "asks")
SAME(locks, those_shared_with_a_process_without_the_library_count_right, "across", "turns")
SAME(locks, an_owner_in_a_process_without_the_library_dies, "across", "owner_dies")

SAME(streams, lines_of_many_threads_stay_whole, "streams", "one_pipe")
SAME(streams, a_jump_leaves_a_blocked_fgets, "streams", "jump_out_of_fgets")
SAME(streams, a_callback_blocks_by_its_own_gate, "streams", "cookie")

SAME(shapes, a_spinner_waits_for_a_flag, "shapes", "spin_on_flag")
SAME(shapes, a_spinner_that_yields_waits_for_a_flag, "shapes", "spin_with_yield")
SAME(shapes, spinners_hand_a_word_round, "shapes", "spin_round")
SAME(shapes, spinners_that_yield_hand_a_word_round, "shapes", "yield_round")
SAME_UP_TO(4, spins, more_spinners_than_ps_meet, "spins", "barrier")
SAME_UP_TO(4, spins, more_yielding_spinners_than_ps_meet, "spins", "barrier_that_yields")
SAME_UP_TO(4, spins, a_line_of_more_than_ps_moves, "spins", "line")
SAME_UP_TO(4, spins, active_teams_of_libgomp_meet, "spins", "openmp")
SAME_UP_TO(4, spins, who_has_slept_unannounced_is_found_spinning_as_soon, "spins", "after_a_sleep")
SAME_UP_TO(4, spins, active_teams_of_libomp_meet, "spins_libomp", "openmp")
SAME(shapes, spinlocks_count_right, "shapes", "spinlock")
SAME(shapes, two_thousand_blocked_readers_cost_a_hog_nothing, "shapes", "two_thousand_readers")
SAME(shapes, failed_calls_keep_their_errno, "shapes", "errno")
SAME(shapes, the_vdso_is_left_alone, "shapes", "vdso")
SAME(shapes, a_single_thread_has_no_company, "shapes", "single")
SAME(shapes, an_idle_process_uses_no_cpu, "shapes", "idle")
SAME(shapes, a_close_by_the_first_thread_is_the_last, "shapes", "close_is_the_last")
SAME(shapes, first_calls_need_no_loader_lock, "shapes", "loader_lock_held")
SAME(shapes, libraries_that_work_before_and_after_us, "early", NULL)
SAME(shapes, a_program_with_gnu_mp, "gnump", NULL)
