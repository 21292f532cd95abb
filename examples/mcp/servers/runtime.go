package servers

import (
	"context"
	"encoding/json"
	"os"
	"runtime"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// RuntimeURI is the URI of the one resource of the server "runtime".
const RuntimeURI = "runtime:///facts"

// Facts is what the server "runtime" tells about the program it runs in. It is
// read anew for each request.
type Facts struct {
	Process      int    `json:"process"`
	Go           string `json:"go"`
	System       string `json:"system"`
	Processors   int    `json:"processors"`
	Goroutines   int    `json:"goroutines"`
	HeapBytes    uint64 `json:"heap_bytes"`
	UptimeMillis int64  `json:"uptime_ms"`
}

// newRuntime returns a server with one resource whose content is live.
func newRuntime() *mcp.Server {
	started := time.Now()
	server := newServer("runtime", "Runtime facts")
	server.AddResource(&mcp.Resource{
		URI: RuntimeURI, Name: "facts", MIMEType: "application/json",
		Description: "Facts about the program that this server runs in, as of now.",
	}, func(_ context.Context, request *mcp.ReadResourceRequest) (*mcp.ReadResourceResult, error) {
		text, err := json.Marshal(factsSince(started))
		if err != nil {
			return nil, err
		}
		return textResource(request.Params.URI, "application/json", string(text)), nil
	})
	return server
}

// factsSince gathers the facts of this moment.
func factsSince(started time.Time) Facts {
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	return Facts{
		Process:      os.Getpid(),
		Go:           runtime.Version(),
		System:       runtime.GOOS + "/" + runtime.GOARCH,
		Processors:   runtime.NumCPU(),
		Goroutines:   runtime.NumGoroutine(),
		HeapBytes:    memory.HeapAlloc,
		UptimeMillis: time.Since(started).Milliseconds(),
	}
}
