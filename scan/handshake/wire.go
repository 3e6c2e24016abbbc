package handshake

import (
	"errors"
	"fmt"
	"net"

	"github.com/parley-tls/parley/hello"
	"github.com/parley-tls/parley/probe"
)

// wire reads records from a connection, within bounds.
type wire struct {
	conn     net.Conn
	in       []byte // not yet a whole record
	received int
	records  int
	buf      [4096]byte
}

var errTooMuch = fmt.Errorf("more than %d bytes or %d records", probe.MaxAnswer, hello.MaxRecords)

// errGarbled wraps what makes bytes no TLS.
type errGarbled struct{ error }

// next returns the next record and its header.
func (w *wire) next() (header []byte, r hello.Record, err error) {
	for {
		r, rest, err := hello.NextRecord(w.in)
		if err == nil {
			if w.records++; w.records > hello.MaxRecords {
				return nil, r, errGarbled{errTooMuch}
			}
			header = w.in[:5]
			w.in = rest
			return header, r, nil
		}
		if !errors.Is(err, hello.ErrIncomplete) {
			return nil, r, errGarbled{err}
		}
		if w.received > probe.MaxAnswer {
			return nil, r, errGarbled{errTooMuch}
		}
		n, err := w.conn.Read(w.buf[:])
		w.received += n
		w.in = append(w.in, w.buf[:n]...)
		if n == 0 && err != nil {
			return nil, r, err
		}
	}
}
