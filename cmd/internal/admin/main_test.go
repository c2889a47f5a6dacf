package admin

import (
	"testing"

	"go.uber.org/goleak"
)

// net/http keeps a connection that it refused for half a second, longer than goleak looks.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("net/http.(*conn).closeWriteAndWait"))
}
