package suite

import "testing"

// TestRecordsAreWhole reads every record: loading panics on a broken one.
func TestRecordsAreWhole(t *testing.T) {
	last := Code(0)
	for i, s := range All() {
		if i > 0 && s.Code <= last {
			t.Errorf("%s is out of order or twice", s.Code)
		}
		last = s.Code
		if s.Signalling {
			continue
		}
		if s.Encryption == "" || s.Mode == "" || s.MAC == "" || s.PRF == "" || s.MinVersion > s.MaxVersion {
			t.Errorf("%s: parts missing: %+v", s.IANA, s)
		}
		if s.AEAD() && s.MinVersion < TLS12 {
			t.Errorf("%s: authenticated encryption before TLS 1.2", s.IANA)
		}
	}
}
