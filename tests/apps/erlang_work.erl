%% Every result is known whatever the order of things.
-module(work).
-export([main/0]).

main() ->
    io:format("ring ~p~n", [ring(300, 60)]),
    io:format("all to all ~p~n", [crowd(40)]),
    io:format("computing ~p~n", [lists:sum(parallel(fun(N) -> fib(16 + N rem 5) end, 20))]),
    io:format("sockets ~p~n", [sockets(12)]),
    io:format("files ~p~n", [lists:sum(parallel(fun file/1, 16))]),
    io:format("ports ~p~n", [lists:sum(parallel(fun port/1, 6))]),
    io:format("early timers ~p~n", [lists:sum(parallel(fun timer/1, 50))]),
    io:format("dirty ~p~n", [erlang:phash2(parallel(fun hash/1, 12))]),
    halt(0).

parallel(F, N) ->
    Me = self(),
    [spawn_link(fun() -> Me ! {I, F(I)} end) || I <- lists:seq(1, N)],
    [receive {I, R} -> R end || I <- lists:seq(1, N)].

ring(N, Rounds) ->
    First = self(),
    Last = lists:foldl(fun(_, Next) -> spawn_link(fun() -> pass(Next) end) end, First, lists:seq(1, N)),
    lists:foldl(fun(_, X) -> Last ! X, receive Y -> Y end end, 0, lists:seq(1, Rounds)).

pass(Next) -> receive X -> Next ! X + 1, pass(Next) end.

crowd(N) ->
    Pids = [spawn_link(fun() -> member(N) end) || _ <- lists:seq(1, N)],
    [P ! {all, Pids, self()} || P <- Pids],
    lists:sum([receive {sum, S} -> S end || _ <- Pids]).

member(N) ->
    receive {all, Pids, Boss} -> ok end,
    [P ! {n, I} || P <- Pids, I <- lists:seq(1, 20)],
    Boss ! {sum, lists:sum([receive {n, I} -> I end || _ <- lists:seq(1, 20 * N)])}.

fib(N) when N < 2 -> N;
fib(N) -> fib(N - 1) + fib(N - 2).

sockets(N) ->
    {ok, L} = gen_tcp:listen(0, [binary, {active, false}, {backlog, 64}, {ip, {127, 0, 0, 1}}]),
    {ok, Port} = inet:port(L),
    spawn_link(fun() -> accept(L) end),
    lists:sum(parallel(fun(I) -> client(Port, I) end, N)).

accept(L) ->
    {ok, S} = gen_tcp:accept(L),
    P = spawn(fun() -> receive go -> echo(S) end end),
    ok = gen_tcp:controlling_process(S, P),
    P ! go,
    accept(L).

echo(S) ->
    case gen_tcp:recv(S, 0) of
        {ok, B} -> ok = gen_tcp:send(S, B), echo(S);
        {error, closed} -> ok
    end.

client(Port, I) ->
    {ok, S} = gen_tcp:connect({127, 0, 0, 1}, Port, [binary, {active, false}]),
    B = binary:copy(<<"x">>, 1000 * I),
    R = [begin ok = gen_tcp:send(S, B), {ok, B} = gen_tcp:recv(S, byte_size(B)), 1 end || _ <- lists:seq(1, 20)],
    ok = gen_tcp:close(S),
    lists:sum(R).

file(I) ->
    Name = "file-" ++ integer_to_list(I),
    ok = file:write_file(Name, binary:copy(<<"y">>, I * 1000)),
    {ok, B} = file:read_file(Name),
    ok = file:delete(Name),
    byte_size(B).

port(I) ->
    P = open_port({spawn, "sh -c 'echo " ++ integer_to_list(I) ++ "; exit 3'"}, [exit_status, stream]),
    receive {P, {exit_status, 3}} -> I end.

timer(I) ->
    T = erlang:monotonic_time(millisecond),
    timer:sleep(I),
    case erlang:monotonic_time(millisecond) - T >= I of true -> 0; false -> 1 end.

hash(I) ->
    Z = zlib:gzip(binary:copy(<<I, 1, 2, 3>>, 50000)),
    erlang:md5(zlib:gunzip(Z)).
