//go:build unix

package change

import (
	"errors"
	"os"
	"syscall"
)

// errLocked is that another process holds the lock.
var errLocked = errors.New("locked")

// lockFile takes the lock of f without waiting. The system gives it back when f is closed or the process ends.
func lockFile(f *os.File) error {
	err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return errLocked
	}
	return err
}
