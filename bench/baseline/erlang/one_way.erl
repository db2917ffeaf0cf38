%% One process sends, another counts; the clock stops when the last message has been received.
%% Reads lines with a count, answers each with the nanoseconds it took.
-module(one_way).
-export([main/1]).

-define(CREDIT, 1024).

main([Payload, Placement]) ->
    io:setopts([binary]),
    loop(list_to_existing_atom(Payload), list_to_existing_atom(Placement)).

loop(Payload, Placement) ->
    case io:get_line("") of
        eof -> halt(0);
        Line ->
            Count = binary_to_integer(string:trim(Line)),
            io:format("~b~n", [round(Payload, Placement, Count)]),
            loop(Payload, Placement)
    end.

round(Payload, Placement, Count) ->
    Parent = self(),
    Receiver = spawn_opt(fun() -> receive_from(Parent, Count) end, on(Placement, 2)),
    Started = erlang:monotonic_time(nanosecond),
    Sender = spawn_opt(fun() -> send(Payload, Receiver, Count, ?CREDIT) end, on(Placement, 1)),
    Receiver ! {sender, Sender},
    receive done -> erlang:monotonic_time(nanosecond) - Started end.

on(two_schedulers, Scheduler) -> [{scheduler, Scheduler}];
on(unbound, _) -> [].

%% Half of the credit is renewed at a time.
send(_, _, 0, _) -> ok;
send(Payload, Receiver, Count, 0) ->
    receive credit -> send(Payload, Receiver, Count, ?CREDIT div 2) end;
send(small, Receiver, Count, Credit) ->
    Receiver ! {Count, <<"hello world">>, true, 1.5},
    send(small, Receiver, Count - 1, Credit - 1);
send(record, Receiver, Count, Credit) ->
    Receiver ! {Count, 7},
    send(record, Receiver, Count - 1, Credit - 1).

receive_from(Parent, Count) ->
    receive {sender, Sender} -> take(Parent, Sender, Count, 0) end.

take(Parent, _, 0, _) -> Parent ! done;
take(Parent, Sender, Count, ?CREDIT div 2) ->
    Sender ! credit,
    take(Parent, Sender, Count, 0);
take(Parent, Sender, Count, Unrenewed) ->
    receive
        {_, _, _, _} -> ok;
        {_, _} -> ok
    end,
    take(Parent, Sender, Count - 1, Unrenewed + 1).
