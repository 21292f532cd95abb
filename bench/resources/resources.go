package resources

import (
	"context"
	"runtime"
	"syscall"

	"github.com/rollcall-dev/rollcall/bench/wire"
)

// Heap collects garbage and returns how many bytes of the heap are alive.
func Heap(context.Context, *wire.Args) ([]int64, error) {
	// What a finalizer or a pool holds is gone after the second collection.
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return []int64{int64(m.HeapAlloc)}, nil
}

// CPU returns the processor time that this program has used, in nanoseconds.
func CPU(context.Context, *wire.Args) ([]int64, error) {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return nil, err
	}
	return []int64{u.Utime.Nano() + u.Stime.Nano()}, nil
}
