package transcript

import (
	"errors"
	"testing"
)

// What is missing without a loss has been dropped. A loss, and being told to stop, are reasons of their own.
func TestMissingHasAReason(t *testing.T) {
	for name, c := range map[string]struct {
		came, answered int64
		loss           error
		stopped        bool
		want           error
	}{
		"nothing is missing": {8000, 8000, nil, false, nil},
		"dropped":            {8000, 4000, nil, false, errDropped},
		"lost":               {8000, 4000, errNoAnswer, false, errNoAnswer},
		"stopped":            {8000, 4000, nil, true, nil},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, FormatVosk, 1, func(b *testbed) {
				b.connected()
				b.ear.Finish()
				b.session.source.came.Store(c.came)
				b.session.answered, b.session.state.Err = c.answered, c.loss
				if c.stopped {
					close(b.session.stopping)
				}
				b.session.conclude()
				if state := b.session.State(); !errors.Is(state.Err, c.want) || c.want == nil && state.Err != nil || b.ear.Closed() == 0 {
					b.Errorf("%+v", state)
				}
			})
		})
	}
}
