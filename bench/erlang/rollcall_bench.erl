%% A node that is measured: global or pg, told what to do by the benchmark in
%% lines of words on its standard input. The Go package wire describes the
%% protocol, and node/verbs.go what each verb does; those that are here do the
%% same with the means of Erlang.
-module(rollcall_bench).
-export([main/1]).

%% The program ends when its standard input does.
main([Kind]) ->
    ok = logger:set_primary_config(level, none),
    Kind =:= pg andalso begin {ok, _} = pg:start(pg) end,
    spawn(fun() ->
        ets:new(?MODULE, [named_table, public]),
        put_state(kind, Kind),
        serve(open_port({fd, 0, 1}, [binary, eof, {line, 1 bsl 20}]))
    end).

serve(Port) ->
    receive
        {Port, {data, {eol, Line}}} ->
            Self = self(),
            spawn(fun() -> Self ! {reply, answer(Line)} end),
            serve(Port);
        {Port, eof} ->
            halt(0, [{flush, false}]);
        {reply, Reply} ->
            port_command(Port, Reply),
            serve(Port)
    end.

answer(Line) ->
    [Id, Verb | Words] = string:lexemes(Line, " "),
    try verb(binary_to_list(Verb), [word(W) || W <- Words]) of
        Numbers -> [Id, " ok", [[" ", integer_to_list(N)] || N <- Numbers], "\n"]
    catch
        Class:Reason ->
            Text = io_lib:format("~0p", [{Class, Reason}]),
            [Id, " error ", string:replace(Text, "\n", " ", all), "\n"]
    end.

word(W) ->
    try binary_to_integer(W) catch error:badarg -> W end.

put_state(Key, Value) -> true = ets:insert(?MODULE, {Key, Value}).

state(Key) -> [{Key, Value}] = ets:lookup(?MODULE, Key), Value.

now_ns() -> os:system_time(nanosecond).

%% --- the verbs

verb("alone", []) -> [];
verb("open", [_Name, _Cluster | Seeds]) ->
    [pong = net_adm:ping(binary_to_atom(S)) || S <- Seeds],
    ok = global:sync(),
    [0];
verb("ping", [Node]) -> pong = net_adm:ping(binary_to_atom(Node)), [];
verb("reached", []) -> [length(nodes()) + 1];
verb("cut", Nodes) -> cut([binary_to_atom(N) || N <- Nodes]);
verb("mend", []) -> mend();

verb("hold", [Prefix, Holders]) -> hold(Prefix, Holders), [];
verb("fill", [_Mode, Prefix, From, Count, Holders]) -> fill(Prefix, From, Count, Holders);
verb("sequence", [_Mode, Prefix, From, Count, Gap]) -> sequence(Prefix, From, Count, Gap);
verb("end-each", [Prefix, Gap]) -> end_each(Prefix, Gap);
verb("drop", [Prefix]) -> drop(Prefix);
verb("churn", [Prefix, Count]) -> churn(Prefix, Count);
verb("count", []) -> [count(state(kind))];
verb("await-count", [Op, Want]) -> await_count(Op, Want);
verb("holder", [Prefix, I]) -> [holder(name(Prefix, I))];

verb("observe", [What, Prefix, From, Count]) -> observe(What, Prefix, From, Count);
verb("observed", []) -> ask(state(observer));
verb("view-watch", [Prefix, Count]) -> view_watch(Prefix, Count);
verb("view", []) -> ask(state(view));

verb("lookup", [Prefix, Count, Readers, Writers, Millis]) -> lookup(Prefix, Count, Readers, Writers, Millis);
verb("join", [Group, Label, Count]) -> join(Group, Label, Count);
verb("leave", [Label]) -> leave(Label);
verb("members", [Group, Readers, Millis]) -> members(Group, Readers, Millis);

verb("heap", []) ->
    [erlang:garbage_collect(P) || P <- processes()],
    timer:sleep(50),
    [erlang:memory(total)];
verb("cpu", []) ->
    {Millis, _} = erlang:statistics(runtime),
    [Millis * 1000000];
verb("sent", []) ->
    Sent = [begin {ok, [{send_oct, N}]} = inet:getstat(Port, [send_oct]), N end
            || {_, Port} <- erlang:system_info(dist_ctrl), is_port(Port)],
    [lists:sum(Sent), 0].

%% --- what is measured

%% In pg a name is a group with one member.
register_as(global, Name, Pid) -> yes = global:register_name(Name, Pid);
register_as(pg, Name, Pid) -> ok = pg:join(Name, Pid).

unregister_as(global, Name, _) -> global:unregister_name(Name);
unregister_as(pg, Name, Pid) -> ok = pg:leave(Name, Pid).

whereis_of(global, Name) -> global:whereis_name(Name);
whereis_of(pg, Name) ->
    case pg:get_members(Name) of
        [Pid | _] -> Pid;
        [] -> undefined
    end.

%% Who holds a name, all of them.
holders_of(global, Name) ->
    case global:whereis_name(Name) of
        undefined -> [];
        Pid -> [node(Pid)]
    end;
holders_of(pg, Name) -> lists:sort([node(P) || P <- pg:get_members(Name)]).

count(global) -> ets:info(global_names, size);
count(pg) -> ets:info(pg, size).

%% Names of 24 bytes for a prefix of 7, as in the Go node.
name(Prefix, I) -> iolist_to_binary(io_lib:format("~s/~16..0w", [Prefix, I])).

names(Prefix, From, Count) -> [name(Prefix, I) || I <- lists:seq(From, From + Count - 1)].

number(Name) -> binary_to_integer(binary:part(Name, byte_size(Name), -16)).

%% --- the cluster

%% A cut that holds in both directions until it is mended: neither side can
%% connect with the wrong cookie.
cut(Nodes) ->
    put_state(cut, Nodes),
    [erlang:set_cookie(N, 'cut off') || N <- Nodes],
    [erlang:disconnect_node(N) || N <- Nodes],
    [].

mend() ->
    [erlang:set_cookie(N, erlang:get_cookie()) || N <- state(cut)],
    [].

holder(Name) ->
    case holders_of(state(kind), Name) of
        [] -> 0;
        Nodes ->
            %% Several holders make one number: those who see the same ones agree.
            lists:foldl(fun(N, Sum) -> 100 * Sum + node_number(N) end, 0, Nodes)
    end.

node_number(Node) ->
    [Name | _] = string:lexemes(atom_to_list(Node), "_"),
    list_to_integer(string:trim(Name, leading, lists:seq($a, $z))).

%% --- names

process() -> spawn_opt(fun idle/0, [{min_heap_size, 64}]).

idle() -> receive stop -> ok end.

hold(Prefix, Holders) ->
    case ets:lookup(?MODULE, {held, Prefix}) of
        [{_, Pids}] -> Pids;
        [] ->
            Pids = [process() || _ <- lists:seq(1, Holders)],
            put_state({held, Prefix}, Pids),
            Pids
    end.

release(Prefix) ->
    Pids = state({held, Prefix}),
    ets:delete(?MODULE, {held, Prefix}),
    Pids.

%% How many names of a prefix there are.
more_names(Prefix, Count) -> put_state({names, Prefix}, names_held(Prefix) + Count).

names_held(Prefix) ->
    case ets:lookup(?MODULE, {names, Prefix}) of
        [{_, N}] -> N;
        [] -> 0
    end.

%% Pairs of names and holders, name number i with holder i modulo their number.
pairs(Prefix, From, Count, 0) -> pairs(Prefix, From, Count, Count);
pairs(Prefix, From, Count, Holders) ->
    Pids = list_to_tuple(hold(Prefix, Holders)),
    more_names(Prefix, Count),
    [{name(Prefix, I), element(1 + I rem tuple_size(Pids), Pids)} || I <- lists:seq(From, From + Count - 1)].

fill(Prefix, From, Count, Holders) ->
    Kind = state(kind),
    Pairs = pairs(Prefix, From, Count, Holders),
    Began = now_ns(),
    [register_as(Kind, N, P) || {N, P} <- Pairs],
    [Began, now_ns()].

sequence(Prefix, From, Count, Gap) ->
    Kind = state(kind),
    lists:append([begin
        Began = now_ns(),
        register_as(Kind, N, P),
        Ended = now_ns(),
        pause(Gap),
        [Began, Ended]
    end || {N, P} <- pairs(Prefix, From, Count, Count)]).

pause(0) -> ok;
pause(Micros) -> timer:sleep(max(1, Micros div 1000)).

end_each(Prefix, Gap) ->
    [begin
        At = now_ns(),
        exit(P, kill),
        pause(Gap),
        At
    end || P <- begin ets:delete(?MODULE, {names, Prefix}), release(Prefix) end].

%% The names are gone when there are as many fewer; some may have been lost before.
drop(Prefix) ->
    Kind = state(kind),
    Left = max(0, count(Kind) - names_held(Prefix)),
    Pids = release(Prefix),
    ets:delete(?MODULE, {names, Prefix}),
    Began = now_ns(),
    [exit(P, kill) || P <- Pids],
    await(Kind, fun(N) -> N =< Left end),
    [Began, now_ns()].

churn(Prefix, Count) ->
    Kind = state(kind),
    Pid = process(),
    Began = now_ns(),
    churn(Kind, Prefix, Pid, 0, Count),
    Ended = now_ns(),
    exit(Pid, kill),
    [Began, Ended].

churn(_, _, _, Count, Count) -> ok;
churn(Kind, Prefix, Pid, I, Count) ->
    Name = name(Prefix, I),
    register_as(Kind, Name, Pid),
    unregister_as(Kind, Name, Pid),
    churn(Kind, Prefix, Pid, I + 1, Count).

await_count(<<"atleast">>, Want) -> await(state(kind), fun(N) -> N >= Want end);
await_count(<<"atmost">>, Want) -> await(state(kind), fun(N) -> N =< Want end).

await(Kind, Enough) ->
    case Enough(count(Kind)) of
        true -> [now_ns()];
        false -> timer:sleep(1), await(Kind, Enough)
    end.

%% --- what is seen, and when

ask(Pid) ->
    Ref = monitor(process, Pid),
    Pid ! {ask, self()},
    receive
        {Pid, Numbers} -> demonitor(Ref, [flush]), Numbers;
        {'DOWN', Ref, process, Pid, Reason} -> error({observer, Reason})
    end.

tell(Numbers) -> receive {ask, From} -> From ! {self(), Numbers} end.

observe(What, Prefix, From, Count) ->
    Self = self(),
    Kind = state(kind),
    Pid = spawn(fun() -> observer(Kind, What, Prefix, From, Count, Self) end),
    receive {Pid, ready} -> put_state(observer, Pid), [] end.

%% pg tells who monitors a scope.
observer(pg, What, Prefix, From, Count, Parent) ->
    {Ref, _} = pg:monitor_scope(),
    Parent ! {self(), ready},
    Event = case What of <<"up">> -> join; <<"gone">> -> leave end,
    Size = byte_size(Prefix),
    Seen = collect(Ref, Event, Prefix, Size, Count, #{}),
    tell([maps:get(I, Seen) || I <- lists:seq(From, From + Count - 1)]);
%% global tells nobody: the observer looks again and again.
observer(global, What, Prefix, From, Count, Parent) ->
    Parent ! {self(), ready},
    tell([spin(What, N) || N <- names(Prefix, From, Count)]).

collect(_, _, _, _, Left, Seen) when map_size(Seen) =:= Left -> Seen;
collect(Ref, Event, Prefix, Size, Left, Seen) ->
    receive
        {Ref, Event, <<Prefix:Size/binary, "/", _/binary>> = Name, _} ->
            At = now_ns(),
            I = number(Name),
            case Seen of
                #{I := _} -> collect(Ref, Event, Prefix, Size, Left, Seen);
                _ -> collect(Ref, Event, Prefix, Size, Left, Seen#{I => At})
            end;
        {Ref, _, _, _} -> collect(Ref, Event, Prefix, Size, Left, Seen)
    end.

spin(What, Name) ->
    case {What, global:whereis_name(Name)} of
        {<<"up">>, undefined} -> erlang:yield(), spin(What, Name);
        {<<"gone">>, Pid} when is_pid(Pid) -> erlang:yield(), spin(What, Name);
        _ -> now_ns()
    end.

view_watch(Prefix, Count) ->
    case ets:lookup(?MODULE, view) of
        [{_, Old}] -> exit(Old, kill);
        [] -> ok
    end,
    Kind = state(kind),
    Names = names(Prefix, 0, Count),
    Self = self(),
    Pid = spawn(fun() ->
        Ref = case Kind of pg -> {R, _} = pg:monitor_scope(), R; global -> none end,
        Self ! {self(), ready},
        watch(Kind, Names, Ref, 0, digest(Kind, Names))
    end),
    receive {Pid, ready} -> put_state(view, Pid), [] end.

digest(Kind, Names) -> erlang:phash2([holders_of(Kind, N) || N <- Names]).

watch(pg, Names, Ref, Last, _) ->
    receive
        {Ref, _, _, _} -> watch(pg, Names, Ref, now_ns(), 0);
        {ask, From} ->
            From ! {self(), [Last, digest(pg, Names)]},
            watch(pg, Names, Ref, Last, 0)
    end;
%% Looking takes an eighth of the time at most, so as not to be what is measured.
watch(global, Names, Ref, Last, Before) ->
    Began = now_ns(),
    Digest = digest(global, Names),
    Ended = now_ns(),
    Changed = case Digest of Before -> Last; _ -> Ended end,
    receive
        {ask, From} ->
            From ! {self(), [Changed, Digest]},
            watch(global, Names, Ref, Changed, Digest)
    after max(2, 8 * (Ended - Began) div 1000000) ->
        watch(global, Names, Ref, Changed, Digest)
    end.

%% --- reading and groups

%% What one call takes as one of the readers sees it, in picoseconds.
timed(Readers, Millis, Read) ->
    Self = self(),
    Pids = [spawn_link(fun() ->
        Began = erlang:monotonic_time(nanosecond),
        Calls = Read(Began + Millis * 1000000),
        Self ! {self(), erlang:monotonic_time(nanosecond) - Began, Calls}
    end) || _ <- lists:seq(1, Readers)],
    Done = [receive {P, Time, Calls} -> {Time, Calls} end || P <- Pids],
    [lists:sum([T || {T, _} <- Done]) * 1000 div lists:sum([C || {_, C} <- Done])].

lookup(Prefix, Count, Readers, Writers, Millis) ->
    Kind = state(kind),
    Names = [N || {_, N} <- lists:sort([{erlang:phash2(N), N} || N <- names(Prefix, 0, Count)])],
    Before = count(Kind),
    Busy = [spawn(fun() -> write(Kind, W) end) || W <- lists:seq(1, Writers)],
    Took = timed(Readers, Millis, fun(Until) -> look(Kind, Names, Names, 256, Until, 0) end),
    [exit(P, stop) || P <- Busy],
    await(Kind, fun(N) -> N =< Before end),
    Took.

look(Kind, Names, Rest, 0, Until, Calls) ->
    case erlang:monotonic_time(nanosecond) >= Until of
        true -> Calls + 256;
        false -> look(Kind, Names, Rest, 256, Until, Calls + 256)
    end;
look(Kind, Names, [], Left, Until, Calls) -> look(Kind, Names, Names, Left, Until, Calls);
look(Kind, Names, [N | Rest], Left, Until, Calls) ->
    true = is_pid(whereis_of(Kind, N)),
    look(Kind, Names, Rest, Left - 1, Until, Calls).

%% The names go with the writer, which holds them itself.
write(Kind, W) -> write(Kind, names("writer" ++ integer_to_list(W), 0, 1000), []).

write(Kind, Names, []) -> write(Kind, Names, Names);
write(Kind, Names, [N | Rest]) ->
    register_as(Kind, N, self()),
    unregister_as(Kind, N, self()),
    write(Kind, Names, Rest).

join(Group, Label, Count) ->
    Pids = hold(<<"group/", Label/binary>>, Count),
    Began = now_ns(),
    [ok = pg:join(Group, P) || P <- Pids],
    [Began, now_ns()].

leave(Label) ->
    Pids = release(<<"group/", Label/binary>>),
    Refs = [monitor(process, P) || P <- Pids],
    [exit(P, kill) || P <- Pids],
    [receive {'DOWN', R, _, _, _} -> ok end || R <- Refs],
    %% A call to the server comes after the ends that it was told of.
    _ = sys:get_state(pg),
    [].

members(Group, Readers, Millis) ->
    timed(Readers, Millis, fun(Until) -> read(Group, Until, 0) end).

read(Group, Until, Calls) ->
    true = length(pg:get_members(Group)) > 0,
    case erlang:monotonic_time(nanosecond) >= Until of
        true -> Calls + 1;
        false -> read(Group, Until, Calls + 1)
    end.
