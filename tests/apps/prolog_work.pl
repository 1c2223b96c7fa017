% Results are known in advance.
:- use_module(library(thread)).
:- dynamic fact/2.

fib(N, N) :- N < 2, !.
fib(N, F) :- A is N - 1, B is N - 2, fib(A, X), fib(B, Y), F is X + Y.

main :-
    numlist(1, 18, L),
    concurrent_maplist(fib, L, R),
    format("fib ~w~n", [R]),
    message_queue_create(Q, [max_size(5)]),
    findall(T, (between(1, 4, I), thread_create(maker(Q, I), T)), Makers),
    findall(T, (between(1, 3, _), thread_create(taker(Q, 0), T)), Takers),
    maplist(thread_join, Makers),
    forall(member(_, Takers), thread_send_message(Q, end)),
    maplist(joined, Takers, Sums),
    sum_list(Sums, Sum),
    format("queue ~w~n", [Sum]),
    mutex_create(M),
    nb_setval(x, 0),
    assertz(fact(n, 0)),
    findall(T, (between(1, 8, _), thread_create(forall(between(1, 200, _), with_mutex(M, bump)), T)), Bumpers),
    maplist(thread_join, Bumpers),
    fact(n, N),
    format("mutex ~w~n", [N]),
    thread_self(Me),
    thread_create(catch(await_stop(Me), stop, thread_exit(stopped)), S),
    thread_get_message(ready),
    thread_signal(S, throw(stop)),
    thread_join(S, Status),
    format("signal ~w~n", [Status]),
    first_solution(X, [(X = 1, thread_get_message(never)), X = 2], []),
    format("first ~w~n", [X]),
    catch((thread_create(hurry(Me), _, [alias(hurry)]), repeat, fail), late, true),
    thread_join(hurry),
    format("limit~n").

% Two races of SWI-Prolog 9.0.4 are kept out, for both end in a hang.  call_with_time_limit/2 makes
% a thread (packages/clib/time.c, alarm_loop) that ends with a mutex held when it wakes up as halt
% begins, and halt waits for that mutex: natively in 5 of 6 runs where its wake-up is made 3 ms late,
% under the library in 4 of 11 at one P.  A thread that first_solution/3 stops was left in its sleep(100):
% natively in 1 of 60 runs.
await_stop(T) :- thread_send_message(T, ready), thread_get_message(never).
hurry(T) :- sleep(0.05), thread_signal(T, throw(late)).

maker(Q, I) :- forall(between(1, 200, K), (V is I * K, thread_send_message(Q, V))).
taker(Q, Sum) :- thread_get_message(Q, X), ( X == end -> thread_exit(Sum) ; S is Sum + X, taker(Q, S) ).
joined(T, Sum) :- thread_join(T, exited(Sum)).
bump :- retract(fact(n, N)), N1 is N + 1, assertz(fact(n, N1)).
