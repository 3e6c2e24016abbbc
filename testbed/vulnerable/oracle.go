package vulnerable

import (
	"bytes"
	"errors"
	"io"
	"math/big"
	"time"

	"github.com/parley-tls/parley/suite"
)

// decrypt takes the secret out of an RSA key exchange. A block that is malformed gives a random secret (RFC 5246
// section 7.4.7.1), unless the server is an oracle.
func (c *connection) decrypt(sealed []byte) (secret []byte, late alert, err error) {
	if len(sealed) != c.key.Size() {
		return nil, 0, alert(suite.AlertDecodeError)
	}
	block := new(big.Int).Exp(new(big.Int).SetBytes(sealed), c.key.D, c.key.N).FillBytes(make([]byte, c.key.Size()))
	secret, placed, sound := c.unpad(block)
	c.mu.Lock()
	c.exchanges++
	n := c.exchanges
	c.mu.Unlock()
	if !sound {
		secret = randomBytes(48)
	}
	switch c.flaws.Oracle {
	case AlertOracle:
		if !sound {
			return nil, 0, alert(suite.AlertHandshakeFailure)
		}
	case WeakOracle:
		if !placed {
			return nil, 0, alert(suite.AlertHandshakeFailure)
		}
	case HeadOracle:
		if block[0] != 0 || block[1] != 2 {
			return nil, 0, alert(suite.AlertHandshakeFailure)
		}
	case LateAlertOracle:
		if !sound {
			return secret, alert(suite.AlertIllegalParameter), nil
		}
	case CloseOracle:
		if !sound {
			return nil, 0, errors.New("a malformed block")
		}
	case SilenceOracle:
		if !sound {
			c.conn.SetReadDeadline(time.Now().Add(time.Minute))
			io.Copy(io.Discard, c.conn)
			return nil, 0, errors.New("a malformed block")
		}
	case UnsteadyOracle:
		if n%4 == 1 {
			return nil, 0, alert(suite.AlertHandshakeFailure)
		}
	case FirstRoundOracle:
		if n <= 10 && !sound {
			return nil, 0, alert(suite.AlertHandshakeFailure)
		}
	}
	return secret, 0, nil
}

// unpad reads the block type 2 of PKCS #1 v1.5. placed reports whether a secret of 48 bytes stands at its end, sound
// whether it also begins with the client's version.
func (c *connection) unpad(block []byte) (secret []byte, placed, sound bool) {
	at := bytes.IndexByte(block[2:], 0) + 2
	secret = block[len(block)-48:]
	placed = block[0] == 0 && block[1] == 2 && at == len(block)-49
	sound = placed && secret[0] == byte(c.hello.Version>>8) && secret[1] == byte(c.hello.Version)
	return secret, placed, sound
}
