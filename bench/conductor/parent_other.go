//go:build !linux

package conductor

import "syscall"

// withParent does nothing where the kernel does not offer it.
func withParent() *syscall.SysProcAttr { return nil }
