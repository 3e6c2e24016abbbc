//go:build !linux

package capture

import (
	"context"
	"errors"
)

// ErrPermission is wrapped where the user may not capture.
var ErrPermission = errors.New("no permission to capture")

// Live follows what passes an interface. It is there for Linux only.
func Live(ctx context.Context, device string, each func(*Connection), progress func(*Stats)) (*Stats, error) {
	return nil, errors.New("capturing from an interface works on Linux only: capture to a file (tcpdump -w FILE), and read that")
}
