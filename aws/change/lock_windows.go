package change

import (
	"errors"
	"os"

	"golang.org/x/sys/windows"
)

// errLocked is that another process holds the lock.
var errLocked = errors.New("locked")

// lockFile takes the lock of f without waiting. The system gives it back when f is closed or the process ends.
func lockFile(f *os.File) error {
	err := windows.LockFileEx(windows.Handle(f.Fd()), windows.LOCKFILE_EXCLUSIVE_LOCK|windows.LOCKFILE_FAIL_IMMEDIATELY, 0, 1, 0, &windows.Overlapped{})
	if errors.Is(err, windows.ERROR_LOCK_VIOLATION) {
		return errLocked
	}
	return err
}
