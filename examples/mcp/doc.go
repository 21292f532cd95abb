// Command mcp is the demo of rollcall: three programs on one machine share a
// registry, and six MCP servers find their clients through it, while servers
// die, a node is killed and the network is cut in two.
//
// # Usage
//
//	go run .          # a transcript for people
//	go run . -json    # one JSON object: {"held": ..., "steps": [...]}
//
// It exits with 0 when everything held, with 1 when something did not, and with
// 2 when it could not begin. It leaves nothing running, also when it is
// interrupted or killed.
//
// # How it is made
//
// The program that is started conducts: it starts itself three times as a node
// and tells the nodes what to do.
//
//   - servers: the six MCP servers, and the client calls;
//   - node: what a node does with its registry, one function for each command;
//   - wire: the protocol between conductor and nodes, lines of JSON;
//   - conductor: starting, asking and ending nodes;
//   - story: what happens and what has to hold;
//   - stage: the transcript and the report.
//
// A reader who wants to see how a program uses rollcall reads node; one who wants
// to see what rollcall does reads story.
package main
