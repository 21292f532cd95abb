package conductor

import "syscall"

// withParent has the kernel kill the program when the benchmark dies, for the
// programs that do not notice the end of their standard input.
func withParent() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}
