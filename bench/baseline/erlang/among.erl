%% Messages wander among many processes: each sends what it gets on to another one.
%% Reads lines with a count, answers each with the nanoseconds it took.
%% With "start" it says once how many nanoseconds all took to be there, and how many bytes each takes.
-module(among).
-export([main/1]).

main([Mode, Count]) ->
    io:setopts([binary]),
    N = list_to_integer(Count),
    erlang:garbage_collect(),
    Before = erlang:memory(processes),
    Started = erlang:monotonic_time(nanosecond),
    Parent = self(),
    Pids = [spawn(fun() -> init(Parent, Id) end) || Id <- lists:seq(1, N)],
    [receive {up, Pid} -> ok end || Pid <- Pids],
    Took = erlang:monotonic_time(nanosecond) - Started,
    case Mode of
        "start" ->
            io:format("~b ~b~n", [Took, (erlang:memory(processes) - Before) div N]),
            halt(0);
        "rounds" ->
            persistent_term:put(pids, list_to_tuple(Pids)),
            loop(N)
    end.

init(Parent, Id) ->
    Parent ! {up, self()},
    wander({Id, 60, [], undefined}, 0).

wander({Id, KeepAlive, Subscriptions, _}, Handled) ->
    receive
        {token, Parent, Message, Seed, 0} ->
            Parent ! {done, Seed},
            wander({Id, KeepAlive, Subscriptions, Message}, Handled + 1);
        {token, Parent, Message, Seed, Hops} ->
            Pids = persistent_term:get(pids),
            Next = next(Seed),
            element(Next rem tuple_size(Pids) + 1, Pids) ! {token, Parent, Message, Next, Hops - 1},
            wander({Id, KeepAlive, Subscriptions, Message}, Handled + 1)
    end.

next(Seed) -> (Seed * 1664525 + 1013904223) band 16#ffffffff.

loop(N) ->
    case io:get_line("") of
        eof -> halt(0);
        Line ->
            Work = binary_to_integer(string:trim(Line)),
            Tokens = min(1000, N * 16),
            Hops = max(1, Work div Tokens) - 1,
            Pids = persistent_term:get(pids),
            Started = erlang:monotonic_time(nanosecond),
            [element(Token rem N + 1, Pids) ! {token, self(), {7, <<"hello world">>, true, 1.5}, Token * 7919, Hops}
                || Token <- lists:seq(1, Tokens)],
            [receive {done, _} -> ok end || _ <- lists:seq(1, Tokens)],
            Took = erlang:monotonic_time(nanosecond) - Started,
            %% As long as the work that was asked for would have taken: tokens make whole rounds only.
            io:format("~b~n", [Took * Work div (Tokens * (Hops + 1))]),
            loop(N)
    end.
