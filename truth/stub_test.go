package truth

import (
	"testing"
	"time"
)

type report struct{}

func (report) add(t *testing.T, e endpoint, s *subject, p *picture, d time.Duration) {}
func (report) text() string                                                          { return "" }
