// Package capture finds ClientHellos in files that people have at hand: raw bytes, hex dumps, base64, and
// packet captures in pcap and pcapng.
//
// A file is foreign input. What is read of it is bounded, whatever it claims of itself, and a file that is
// damaged half-way gives what was found before the damage together with the error.
package capture

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"time"

	"github.com/parley-tls/parley/follow"
	"github.com/parley-tls/parley/hello"
)

// Limits on what is read of one file.
const (
	maxText  = 4 << 20 // bytes of a file that is no packet capture: a hello has at most 128 KiB
	MaxFound = 10000   // ClientHellos that one capture gives
)

// Found is one ClientHello and where it came from. Source, Destination and Time are zero unless the file
// is a packet capture.
type Found struct {
	Hello       *hello.ClientHello
	Source      netip.AddrPort // the client, or the last machine that translated its address
	Destination netip.AddrPort
	Time        time.Time // of the packet that completed it
	Packet      int       // number of that packet in the file, from 1
	Retry       bool      // a second hello of its connection: the answer to a HelloRetryRequest
}

// ErrNone is wrapped where a file can be read but holds no ClientHello.
var ErrNone = errors.New("no ClientHello")

// ReadFile reads the ClientHellos in a file, in the order in which they were complete. An error names the
// file, the place and the reason; hellos found before it are returned with it.
func ReadFile(path string) ([]Found, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return Read(path, f)
}

// Bytes reads the ClientHellos in b, the content of a file of that name.
func Bytes(name string, b []byte) ([]Found, error) { return Read(name, bytes.NewReader(b)) }

// Read reads the ClientHellos that r gives; name is for the error.
func Read(name string, r io.Reader) ([]Found, error) {
	found, err := read(bufio.NewReaderSize(r, 1<<16))
	if err != nil {
		return found, fmt.Errorf("%s: %w", name, err)
	}
	return found, nil
}

func read(r *bufio.Reader) ([]Found, error) {
	r, err := unpack(r)
	if err != nil {
		return nil, err
	}
	head, err := r.Peek(4)
	if err != nil && err != io.EOF {
		return nil, err
	}
	if isPcap(head) || isPcapNG(head) {
		return readPackets(r, isPcapNG(head), 0)
	}
	b, err := io.ReadAll(io.LimitReader(r, maxText+1))
	if err != nil {
		return nil, err
	}
	if len(b) > maxText {
		return nil, fmt.Errorf("no packet capture, and too long for a single hello: the limit is %d bytes", maxText)
	}
	h, err := decode(b)
	if err != nil {
		return nil, err
	}
	return []Found{{Hello: h}}, nil
}

// decode reads one hello from bytes or from text that stands for bytes.
func decode(b []byte) (*hello.ClientHello, error) {
	if len(bytes.TrimSpace(b)) == 0 {
		return nil, errors.New("an empty file: a ClientHello is expected, as bytes, hex, base64, pcap or pcapng")
	}
	if !isText(b) {
		return parse(b, "")
	}
	raw, hexErr := decodeHex(string(b))
	if hexErr == nil {
		return parse(raw, "hex: ")
	}
	if raw, ok := decodeBase64(b); ok {
		return parse(raw, "base64: ")
	}
	return nil, hexErr
}

// parse reads a hello and says at which byte a truncated one ends.
func parse(b []byte, form string) (*hello.ClientHello, error) {
	h, err := hello.ParseClientHello(b)
	switch {
	case err == nil:
		return h, nil
	case errors.Is(err, hello.ErrIncomplete):
		return nil, fmt.Errorf("%sa truncated ClientHello: it ends after %d bytes, in the middle of a message", form, len(b))
	case hello.Sniff(b) == hello.KindTLS:
	case !follow.StartsHello(b) && !startsMessage(b):
		if k := hello.Sniff(b); k != hello.KindUnknown {
			return nil, fmt.Errorf("%s%w: these bytes are %s", form, ErrNone, k)
		}
		return nil, fmt.Errorf("%s%w: the bytes begin with % x, a hello begins with 16 03 (TLS record), 01 (handshake message) or 80 (SSLv2)", form, ErrNone, b[:min(len(b), 8)])
	}
	return nil, fmt.Errorf("%s%w", form, err)
}

// startsMessage reports whether b can be a ClientHello without its record header.
func startsMessage(b []byte) bool {
	return len(b) >= 6 && b[0] == hello.TypeClientHello && b[1] <= 1 && b[4] == 3 && b[5] <= 4
}
