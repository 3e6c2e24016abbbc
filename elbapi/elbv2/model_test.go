package elbv2_test

import (
	"testing"

	"github.com/parley-tls/parley/elbapi/elbv2"
	"github.com/parley-tls/parley/elbapi/modeltest"
)

func TestServiceModel(t *testing.T) { modeltest.Check(t, elbv2.API(), "elbv2") }
