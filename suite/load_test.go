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

// TestVersionsOfGOST: the MGM suites (RFC 9367) are of TLS 1.3 alone, those of RFC 9189 of TLS 1.2.
func TestVersionsOfGOST(t *testing.T) {
	for code, want := range map[Code]Version{0xC103: TLS13, 0xC106: TLS13, 0xC100: TLS12, 0xC102: TLS12} {
		if s := ByCode(code); s.MinVersion != want || s.MaxVersion != want {
			t.Errorf("%s: %s to %s, want %s", s.IANA, s.MinVersion, s.MaxVersion, want)
		}
	}
}
