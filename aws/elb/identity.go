package elb

import "github.com/parley-tls/parley/policy"

// Certified is everything that the listener can present, to whatever client; nil where the kind of a key is not known, or it has
// no certificate: what one that is not known can serve would be missing.
func (l *Listener) Certified() *policy.Identity {
	var id policy.Identity
	for i := range l.Certificates {
		c, ok := l.Certificates[i].value()
		if !ok {
			return nil
		}
		id.Certificates = append(id.Certificates, c)
	}
	if len(id.Certificates) == 0 {
		return nil
	}
	return &id
}
