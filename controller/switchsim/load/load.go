// Package load places many simulated calls against a controller at a rate, shows how
// they go on, and sums up how they went.
//
// The switch is switchsim's. A [Load] starts one goroutine for its progress and one a
// call, and waits for all of them; [Gather] makes [Figures] of the reports. The package
// knows a controller only by the address of its event socket. It opens no file: whoever
// has the recordings compares them with what was said, in the function that Gather takes.
package load

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"sync"
	"time"

	"tapdeck/controller/switchsim"
)

// Load is a number of calls to place.
type Load struct {
	// Address is the controller's, as a dialplan's socket action has it.
	Address string
	// Calls is how many.
	Calls int
	// Rate is how many begin in a second; 0 is all at once.
	Rate float64
	// Concurrent is how many run at once at most; 0 is no limit.
	Concurrent int
	// Tick is how often the simulated switch sends the audio that is due; 0 is its default.
	Tick time.Duration
	// Spec says what the call with this number, from 0, is like, but for its address.
	Spec func(i int) switchsim.CallSpec
	// Progress is where it is shown how the calls go on.
	Progress io.Writer
}

// Run places the calls, waits for all of them and returns their reports in the order in
// which they were placed. The error is of the first call that could not be placed: it is
// the last that was tried, because the others would be no better.
func (l *Load) Run(ctx context.Context) ([]switchsim.Report, error) {
	sw := switchsim.New(switchsim.Config{Tick: l.Tick})
	show := newProgress(l.Progress)
	showing, stop := context.WithCancel(ctx)
	var wg sync.WaitGroup
	wg.Go(func() { show.run(showing) })
	reports, err := l.place(ctx, sw, show)
	stop()
	wg.Wait()
	sw.Wait()
	return reports, err
}

func (l *Load) place(ctx context.Context, sw *switchsim.Switch, show *progress) (reports []switchsim.Report, err error) {
	var begin <-chan time.Time
	if l.Rate > 0 {
		ticker := time.NewTicker(time.Duration(float64(time.Second) / l.Rate))
		defer ticker.Stop()
		begin = ticker.C
	}
	slots := make(chan struct{}, cmp.Or(l.Concurrent, l.Calls))
	placed, n := make([]switchsim.Report, l.Calls), 0
	var wg sync.WaitGroup
	for i := range l.Calls {
		if i > 0 && begin != nil && !pass(ctx, begin, nil) || !pass(ctx, nil, slots) {
			break
		}
		spec := l.Spec(i)
		spec.Address, spec.Progress = l.Address, show.note
		call, failed := sw.Dial(ctx, spec)
		if failed != nil {
			err = fmt.Errorf("place call to %q: %w", spec.Address, failed)
			break
		}
		n++
		wg.Go(func() {
			placed[i] = call.Wait()
			<-slots
		})
	}
	wg.Wait()
	return placed[:n], err
}

// pass waits until the next call may begin, or a slot is free; it returns false once ctx
// is done.
func pass(ctx context.Context, begin <-chan time.Time, slots chan<- struct{}) bool {
	select {
	case <-begin:
		return true
	case slots <- struct{}{}:
		return true
	case <-ctx.Done():
		return false
	}
}
