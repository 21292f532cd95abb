// Package transporttest holds the suite that every transport passes, and a handler
// that records what a transport tells it.
//
// # Usage
//
// A package that implements transport.Transport has one test:
//
//	func TestTransport(t *testing.T) {
//		transporttest.Run(t, func(tb testing.TB, nodes int) *transporttest.Cluster {
//			network := memory.NewNetwork(memory.Config{})
//			return &transporttest.Cluster{
//				Transport: func(int) transport.Transport { return network.Transport() },
//			}
//		})
//	}
//
// What a transport's harness can do beyond that (cut links, kill programs, keep
// clusters apart) it says by setting more fields of Cluster; cases that need what
// is not there are skipped.
//
// Recorder stands alone: any test that needs a transport.Handler may use it to wait
// for calls, and to have their grammar checked.
//
// # Concurrency
//
// The cases run one after the other, for each looks for goroutines that are left.
// Callers run no test in parallel with Run.
//
// # Failure
//
// Each case says what it expected, why that matters to a registry, and what the
// handlers heard instead.
package transporttest
