%% One process asks, another answers.
%% Reads lines with a count, answers each with nanoseconds: elapsed, median, 99th percentile.
-module(ping_pong).
-export([main/1]).

main([Placement]) ->
    io:setopts([binary]),
    loop(list_to_existing_atom(Placement)).

loop(Placement) ->
    case io:get_line("") of
        eof -> halt(0);
        Line ->
            Count = binary_to_integer(string:trim(Line)),
            Times = round(Placement, Count),
            Sorted = list_to_tuple(lists:sort(Times)),
            io:format("~b ~b ~b~n", [lists:sum(Times), at(Sorted, 0.5), at(Sorted, 0.99)]),
            loop(Placement)
    end.

at(Sorted, Share) ->
    element(min(tuple_size(Sorted), trunc(tuple_size(Sorted) * Share) + 1), Sorted).

round(Placement, Count) ->
    Parent = self(),
    Responder = spawn_opt(fun respond/0, on(Placement, 2)),
    spawn_opt(
        fun() -> Parent ! {times, call(Responder, Count, erlang:monotonic_time(nanosecond), [])} end,
        on(Placement, 1)
    ),
    receive {times, Times} -> Responder ! stop, Times end.

on(two_schedulers, Scheduler) -> [{scheduler, Scheduler}];
on(unbound, _) -> [].

call(_, 0, _, Times) -> Times;
call(Responder, Count, Last, Times) ->
    Responder ! {self(), {Count, <<"hello world">>, true, 1.5}},
    receive Id when is_integer(Id) -> ok end,
    Now = erlang:monotonic_time(nanosecond),
    call(Responder, Count - 1, Now, [Now - Last | Times]).

respond() ->
    receive
        {From, {Id, _, _, _}} -> From ! Id, respond();
        stop -> ok
    end.
