package hello

import (
	"testing"

	"github.com/parley-tls/parley/suite"
)

// TestFlightReadsOnAfterRetry: GnuTLS sends ChangeCipherSpec right after its HelloRetryRequest, and the
// ServerHello after that is still in the clear; after a ServerHello nothing is.
func TestFlightReadsOnAfterRetry(t *testing.T) {
	message := func(retry bool) []byte {
		h := &ServerHello{LegacyVersion: suite.TLS12, Random: make([]byte, 32), Suite: 0x1301, Retry: retry,
			Extensions: []Extension{{Type: ExtSupportedVersions, Data: []byte{3, 4}}}}
		b, err := h.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		return AppendRecords(nil, RecordHandshake, suite.TLS12, b)
	}
	change := []byte{RecordChangeCipherSpec, 3, 3, 0, 1, 1}
	var f Flight
	for _, b := range [][]byte{message(true), change, message(false), change, message(false)} {
		if err := f.Add(b); err != nil {
			t.Fatal(err)
		}
	}
	if got := f.Take(); len(got) != 2 || f.Encrypted != 1 {
		t.Errorf("%d messages and %d encrypted records, want 2 and 1", len(got), f.Encrypted)
	}
}
