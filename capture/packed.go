package capture

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
)

// gzipMagic begins a gzip file (RFC 1952, section 2.3.1). Captures are often kept packed, and Wireshark reads them so.
var gzipMagic = []byte{0x1F, 0x8B}

// unpack gives what a gzip file holds, or the file itself where it is none. Offsets in warnings then count unpacked bytes.
func unpack(r *bufio.Reader) (*bufio.Reader, error) {
	if head, _ := r.Peek(len(gzipMagic)); !bytes.Equal(head, gzipMagic) {
		return r, nil
	}
	z, err := gzip.NewReader(r)
	if err != nil {
		return nil, fmt.Errorf("no sound gzip file: %w", err)
	}
	return bufio.NewReaderSize(&packed{z}, 1<<16), nil
}

// packed says of an error that it is the packing's.
type packed struct{ *gzip.Reader }

func (p *packed) Read(b []byte) (int, error) {
	n, err := p.Reader.Read(b)
	switch err {
	case nil, io.EOF:
	case io.ErrUnexpectedEOF:
		err = fmt.Errorf("the gzip file ends before its end")
	default:
		err = fmt.Errorf("the gzip file is damaged: %w", err)
	}
	return n, err
}

// IsCapture reports whether a file that begins so is a packet capture, pcap or pcapng, packed by gzip or not. Four bytes tell
// of an unpacked one, some kilobytes of a packed one.
func IsCapture(head []byte) bool {
	if bytes.HasPrefix(head, gzipMagic) {
		z, err := gzip.NewReader(bytes.NewReader(head))
		if err != nil {
			return false
		}
		head = make([]byte, 4)
		if _, err := io.ReadFull(z, head); err != nil {
			return false
		}
	}
	return len(head) >= 4 && (isPcap(head[:4]) || isPcapNG(head[:4]))
}
