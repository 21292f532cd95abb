package wire

// The commands of a node, with the types of their arguments and results.
const (
	// DoOpen opens the registry: OpenArgs, Opened.
	DoOpen = "open"
	// DoStatus says whom the node sees: None, Status.
	DoStatus = "status"
	// DoServe starts a process that is an MCP server: ServeArgs, Process.
	DoServe = "serve"
	// DoAttend starts a process that does nothing but live: AttendArgs, Process.
	DoAttend = "attend"
	// DoStop ends a process: ProcessArgs, None.
	DoStop = "stop"
	// DoRegister gives a process a name: RegisterArgs, Holder.
	DoRegister = "register"
	// DoTakeOver gives a process a name as soon as it is free: RegisterArgs, Holder.
	DoTakeOver = "takeover"
	// DoWhereis looks a name up: NameArgs, Found.
	DoWhereis = "whereis"
	// DoAwait waits until a name has a holder: AwaitArgs, Holder.
	DoAwait = "await"
	// DoJoin puts a process into a group: JoinArgs, None.
	DoJoin = "join"
	// DoMembers lists a group: GroupArgs, Members.
	DoMembers = "members"
	// DoCall sends a message to the holder of a name: CallArgs, Answer.
	DoCall = "call"
	// DoTool sends tools/call to an MCP server: ToolArgs, Answer.
	DoTool = "tool"
	// DoRead sends resources/read to an MCP server: ReadArgs, Answer.
	DoRead = "read"
	// DoPrompt sends prompts/get to an MCP server: PromptArgs, Answer.
	DoPrompt = "prompt"
	// DoBlock cuts the traffic with other nodes: BlockArgs, None.
	DoBlock = "block"
	// DoHeal lets all traffic flow again: None, None.
	DoHeal = "heal"
	// DoWhy explains who holds a name: NameArgs, Why.
	DoWhy = "why"
	// DoTold lists which processes of this node were told that they lost a name:
	// None, Told.
	DoTold = "told"
	// DoBench measures calls of the registry: BenchArgs, Bench.
	DoBench = "bench"
	// DoSpread registers names one after the other, once somebody watches them:
	// SpreadArgs, Moments.
	DoSpread = "spread"
	// DoWatch watches the names of DoSpread: SpreadArgs, Moments.
	DoWatch = "watch"
)

// None is what a command takes or returns that needs nothing.
type None struct{}

// OpenArgs names the cluster, the node and the addresses of nodes to join.
type OpenArgs struct {
	Cluster string   `json:"cluster"`
	Node    string   `json:"node"`
	Seeds   []string `json:"seeds,omitempty"`
}

// Opened says where the node listens for other nodes.
type Opened struct {
	Addr string `json:"addr"`
}

// Status is a node's view of the cluster.
type Status struct {
	// Nodes are those that this node can reach, itself among them, sorted.
	Nodes []string `json:"nodes"`
	// Serving says that the node knows what the others knew when it joined.
	Serving bool `json:"serving"`
	// Digest is equal on two nodes exactly when they show the same.
	Digest uint64 `json:"digest"`
	// Heals are the ends of the netsplits that the node has seen, the oldest first.
	Heals []Heal `json:"heals"`
}

// Heal is the end of a netsplit as a node saw it.
type Heal struct {
	// Nodes had been cut off from this node and came back.
	Nodes        []string `json:"nodes"`
	LastedMillis int64    `json:"lasted_ms"`
	// Conflicts are the names that both sides had given away, sorted, and Losers
	// the processes that lost one.
	Conflicts []string `json:"conflicts"`
	Losers    []string `json:"losers"`
}

// ServeArgs names the MCP server to start, as in servers.Catalog.
type ServeArgs struct {
	Server string `json:"server"`
}

// AttendArgs holds the value that the process registers with.
type AttendArgs struct {
	Value string `json:"value"`
}

// Process is a process of a node.
type Process struct {
	// PID identifies the process in the whole cluster.
	PID string `json:"pid"`
	// Value goes with its claims and memberships: a server's URL.
	Value string `json:"value"`
}

// ProcessArgs names a process of the node.
type ProcessArgs struct {
	PID string `json:"pid"`
}

// RegisterArgs names what to register, and for which process.
type RegisterArgs struct {
	Name string `json:"name"`
	PID  string `json:"pid"`
}

// NameArgs holds a name.
type NameArgs struct {
	Name string `json:"name"`
}

// AwaitArgs holds a name and the holder that does not count, if any.
type AwaitArgs struct {
	Name string `json:"name"`
	Not  string `json:"not,omitempty"`
}

// Holder is the process that holds a name.
type Holder struct {
	Name  string `json:"name"`
	PID   string `json:"pid"`
	Node  string `json:"node"`
	Value string `json:"value"`
}

// Found is a look-up's result.
type Found struct {
	OK     bool   `json:"ok"`
	Holder Holder `json:"holder"`
}

// JoinArgs names a group and the process that joins it.
type JoinArgs struct {
	Group string `json:"group"`
	PID   string `json:"pid"`
}

// GroupArgs holds a group's name.
type GroupArgs struct {
	Group string `json:"group"`
}

// Members lists a group's members, sorted by PID.
type Members struct {
	Members []Member `json:"members"`
}

// Member is a process in a group.
type Member struct {
	PID   string `json:"pid"`
	Node  string `json:"node"`
	Value string `json:"value"`
}

// CallArgs is an operation for the holder of a name.
type CallArgs struct {
	Name      string  `json:"name"`
	Operation string  `json:"operation"`
	A         float64 `json:"a"`
	B         float64 `json:"b"`
}

// ToolArgs is a tools/call.
type ToolArgs struct {
	URL       string         `json:"url"`
	Tool      string         `json:"tool"`
	Arguments map[string]any `json:"arguments"`
}

// ReadArgs is a resources/read.
type ReadArgs struct {
	URL string `json:"url"`
	URI string `json:"uri"`
}

// PromptArgs is a prompts/get.
type PromptArgs struct {
	URL       string            `json:"url"`
	Prompt    string            `json:"prompt"`
	Arguments map[string]string `json:"arguments"`
}

// Answer is what a server or a process answered, and how long it took.
type Answer struct {
	Text   string `json:"text"`
	Micros int64  `json:"us"`
}

// BlockArgs holds the addresses of the nodes to be cut off from.
type BlockArgs struct {
	Addrs []string `json:"addrs"`
}

// Why explains who holds a name.
type Why struct {
	// Winner is the PID of the process that holds the name.
	Winner string `json:"winner"`
	// Rule is the policy that settles conflicts.
	Rule string `json:"rule"`
	// Claims are those that met in the name's last conflict, if there was one.
	Claims []Claim `json:"claims"`
}

// Claim is a process that registered a name, and when.
type Claim struct {
	PID        string `json:"pid"`
	Node       string `json:"node"`
	Value      string `json:"value"`
	UnixMillis int64  `json:"unix_ms"`
}

// Told lists who was told that it lost a name, one entry for each telling.
type Told struct {
	Losses []Loss `json:"losses"`
}

// Loss is one telling: the process lost the name to the winner, by the rule.
type Loss struct {
	Name   string `json:"name"`
	PID    string `json:"pid"`
	Reason string `json:"reason"`
	Winner string `json:"winner"`
	Rule   string `json:"rule"`
}

// BenchArgs says what to measure with. Far is a name held on another node whose
// process answers calls.
type BenchArgs struct {
	Far string `json:"far"`
}

// Bench holds what was measured.
type Bench struct {
	// WhereisNanos is the median time of one look-up in nanoseconds.
	WhereisNanos float64 `json:"whereis_ns"`
	Optimistic   Timing  `json:"optimistic"`
	Arbitrated   Timing  `json:"arbitrated"`
	Call         Timing  `json:"call"`
}

// Timing sums up how long something took, in microseconds.
type Timing struct {
	Median float64 `json:"median_us"`
	P99    float64 `json:"p99_us"`
	// Rounds is how often it was done.
	Rounds int `json:"rounds"`
}

// SpreadArgs says how many names to register, and what their names begin with.
type SpreadArgs struct {
	Prefix string `json:"prefix"`
	Count  int    `json:"count"`
}

// Moments are points in time, in nanoseconds since 1970 by the machine's clock,
// which all nodes of the demo share.
type Moments struct {
	UnixNanos []int64 `json:"unix_ns"`
}
