package scan

import (
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"time"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
	"golang.org/x/crypto/ocsp"

	"github.com/parley-tls/parley/hello"
	"github.com/parley-tls/parley/suite"
)

// concludeStatus looks for a stapled OCSP response and for certificate timestamps in all answers: some servers staple
// only once they have fetched a response, which the first connection makes them do.
func (f *features) concludeStatus() {
	st, ct := &f.report.OCSPStapling, &f.report.CertificateTransparency
	ct.Certificate, ct.Extension, ct.OCSP = []SCT{}, []SCT{}, []SCT{}
	asked := 0
	var chains [][][]byte
	for _, a := range f.heard {
		if !taken(a.Result) || a.Resumed || len(a.Chain) == 0 || !a.Asked.HasExtension(hello.ExtStatusRequest) {
			continue
		}
		asked++
		chains = append(chains, a.Chain)
		if a.Status != nil && st.Response == nil {
			st.Feature, st.Bytes = Feature{State: Yes}, len(a.Status)
			st.Response, st.Error = readOCSP(a.Status, parseChain(a.Chain), time.Now())
			ct.OCSP = ocspTimestamps(a.Status)
		}
		data, ok := a.LeafExtension(hello.ExtSCT)
		if a.Version < suite.TLS13 {
			data, ok = a.Extension(hello.ExtSCT)
		}
		if l, err := parseSCTs(data); ok && err == nil && len(ct.Extension) == 0 {
			ct.Extension = l
		}
	}
	if asked == 0 {
		why := Feature{NotTested, "no certificate was presented on a connection that asked for its status"}
		if f.newest < suite.TLS10 && f.newest != 0 {
			why = notApplicable("no version with extensions is accepted")
		}
		st.Feature, ct.Feature = why, why
		return
	}
	if st.State == "" {
		st.State = No
	}
	for _, c := range chains {
		if l := certificateTimestamps(c[0]); len(l) > 0 {
			ct.Certificate = l
			break
		}
	}
	ct.Feature = yesNo(len(ct.Certificate)+len(ct.Extension)+len(ct.OCSP) > 0)
}

// revocationReasons are CRLReason (RFC 5280 section 5.3.1).
var revocationReasons = map[int]string{ocsp.Unspecified: "unspecified", ocsp.KeyCompromise: "keyCompromise", ocsp.CACompromise: "cACompromise",
	ocsp.AffiliationChanged: "affiliationChanged", ocsp.Superseded: "superseded", ocsp.CessationOfOperation: "cessationOfOperation",
	ocsp.CertificateHold: "certificateHold", ocsp.RemoveFromCRL: "removeFromCRL", ocsp.PrivilegeWithdrawn: "privilegeWithdrawn", ocsp.AACompromise: "aACompromise"}

// readOCSP reads a response for the leaf of a chain. The second result says what is wrong with it.
func readOCSP(der []byte, chain []*x509.Certificate, now time.Time) (*OCSPResponse, string) {
	if len(chain) == 0 {
		return nil, "the certificate that it is for cannot be read"
	}
	var issuer *x509.Certificate
	if len(chain) > 1 {
		issuer = chain[1]
	}
	signature, wrong := "not-checked", ""
	r, err := ocsp.ParseResponseForCert(der, chain[0], issuer)
	switch {
	case err == nil && issuer != nil:
		signature = "valid"
	case err != nil:
		wrong = err.Error()
		var status ocsp.ResponseError
		if errors.As(err, &status) {
			return nil, fmt.Sprintf("the responder says: %s", status.Status)
		}
		var bad error
		if r, bad = ocsp.ParseResponse(der, nil); bad != nil {
			return nil, bad.Error()
		}
		if r.SerialNumber.Cmp(chain[0].SerialNumber) != 0 {
			wrong = "it is for another certificate"
		} else if issuer != nil {
			signature = "invalid"
		}
	}
	out := &OCSPResponse{Status: map[int]string{ocsp.Good: "good", ocsp.Revoked: "revoked"}[r.Status], SerialNumber: serial(r.SerialNumber), ProducedAt: r.ProducedAt,
		ThisUpdate: r.ThisUpdate, NextUpdate: r.NextUpdate, Expired: !r.NextUpdate.IsZero() && now.After(r.NextUpdate), Signature: signature}
	if out.Status == "" {
		out.Status = "unknown"
	}
	if r.Status == ocsp.Revoked {
		out.RevokedAt, out.RevocationReason = r.RevokedAt, revocationReasons[r.RevocationReason]
	}
	return out, wrong
}

// The extensions that hold certificate timestamps (RFC 6962 section 3.3).
const (
	oidSCTs     = "1.3.6.1.4.1.11129.2.4.2" // in a certificate
	oidOCSPSCTs = "1.3.6.1.4.1.11129.2.4.5" // in an OCSP response
)

// certificateTimestamps reads those in a certificate.
func certificateTimestamps(der []byte) []SCT {
	c, err := x509.ParseCertificate(der)
	if err != nil {
		return nil
	}
	for _, e := range c.Extensions {
		if e.Id.String() == oidSCTs {
			return wrappedSCTs(e.Value)
		}
	}
	return nil
}

func ocspTimestamps(der []byte) []SCT {
	r, err := ocsp.ParseResponse(der, nil)
	if err != nil {
		return []SCT{}
	}
	for _, e := range r.Extensions {
		if e.Id.String() == oidOCSPSCTs {
			if l := wrappedSCTs(e.Value); l != nil {
				return l
			}
		}
	}
	return []SCT{}
}

// wrappedSCTs reads a list that is wrapped in an OCTET STRING.
func wrappedSCTs(der []byte) []SCT {
	s := cryptobyte.String(der)
	var list cryptobyte.String
	if !s.ReadASN1(&list, asn1.OCTET_STRING) {
		return nil
	}
	l, err := parseSCTs(list)
	if err != nil {
		return nil
	}
	return l
}

var errSCTs = errors.New("malformed list of certificate timestamps")

// parseSCTs reads a SignedCertificateTimestampList (RFC 6962 section 3.3). Timestamps of other versions than 1 are
// passed over.
func parseSCTs(data []byte) ([]SCT, error) {
	s := cryptobyte.String(data)
	var list cryptobyte.String
	if !s.ReadUint16LengthPrefixed(&list) || !s.Empty() {
		return nil, errSCTs
	}
	var out []SCT
	for !list.Empty() {
		var item cryptobyte.String
		if !list.ReadUint16LengthPrefixed(&item) {
			return nil, errSCTs
		}
		var version uint8
		var log []byte
		var millis uint64
		if !item.ReadUint8(&version) {
			return nil, errSCTs
		}
		if version != 0 { // v1
			continue
		}
		if !item.ReadBytes(&log, 32) || !item.ReadUint64(&millis) {
			return nil, errSCTs
		}
		out = append(out, SCT{LogID: base64.StdEncoding.EncodeToString(log), Timestamp: time.UnixMilli(int64(min(millis, 1<<52))).UTC()})
	}
	return out, nil
}
