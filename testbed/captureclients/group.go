package main

import (
	"os/exec"
	"syscall"
)

// ownGroup puts a client into a process group of its own: browsers start helpers.
func ownGroup(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

// endGroup ends a client and its helpers.
func endGroup(cmd *exec.Cmd) { syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
