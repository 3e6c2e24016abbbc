package elb

import "github.com/parley-tls/parley/policy"

// Presents is all that the listener can present, whatever name is asked for; nil where AWS told of no certificate, or not of
// the keys of all: what one that is not known can serve would be missing.
func (l *Listener) Presents() *policy.Identity {
	id := &policy.Identity{}
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
	return id
}
