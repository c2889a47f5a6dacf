package track

import "time"

const (
	// rateWindow is the time over which the rate is judged; rateWindows in a row decide.
	rateWindow  = time.Second
	rateWindows = 2
	// More audio than longShare of the time is too much, less than slowShare too little.
	longShare = 1.1
	slowShare = 0.6
	// surplusAfter is how much too early audio may be until it is held back.
	surplusAfter = 80 * time.Millisecond
)

// rateWatch compares a socket's audio to the time that it comes in. It looks at the least
// lateness of each second, so that what a stall held up is not too much when it comes; a pause
// begins it anew.
type rateWatch struct {
	began  time.Time     // of the present window, zero before any audio
	at     int64         // position in the recording then
	first  time.Duration // the lateness with which it began
	low    time.Duration // the least in it
	before time.Duration // the least in the window before
	known  bool          // there is one
	right  bool          // some window had not too much
	even   bool          // some window had neither too much nor too little
	long   int           // windows in a row with too much
	slow   int           // windows in a row with too little
	from   int64         // position at which the first of them began
}

// note notes how late a batch of audio came, and whether after a pause. at is the position in
// the recording behind it.
func (r *rateWatch) note(late time.Duration, now time.Time, at int64, paused bool) {
	if paused {
		r.pause()
	}
	if r.began.IsZero() {
		r.began, r.at, r.first, r.low = now, at, late, late
		return
	}
	r.low = min(r.low, late)
	if passed := now.Sub(r.began); passed >= rateWindow {
		r.close(passed)
		r.began, r.at, r.before, r.first, r.low, r.known = now, at, r.low, late, late, true
	}
}

// pause begins it anew.
func (r *rateWatch) pause() { *r = rateWatch{right: r.right, even: r.even} }

func (r *rateWatch) close(passed time.Duration) {
	if !r.known { // nothing that was queued before it came, nor came too early
		r.right = r.right || float64(r.first-r.low) <= (longShare-1)*float64(passed)
		return
	}
	share := 1 - float64(r.low-r.before)/float64(passed)
	if r.long+r.slow == 0 {
		r.from = r.at
	}
	switch {
	case share > longShare:
		r.long, r.slow = r.long+1, 0
	case share < slowShare:
		r.long, r.slow = 0, r.slow+1
	default:
		r.long, r.slow, r.right, r.even = 0, 0, true, true
	}
}

// tooMuch and tooLittle say that the rate has been wrong for a while.
func (r *rateWatch) tooMuch() bool   { return r.long >= rateWindows }
func (r *rateWatch) tooLittle() bool { return r.slow >= rateWindows }

// surplus says that audio comes before its time.
func (r *rateWatch) surplus(late time.Duration) bool {
	return r.known && late < r.before-surplusAfter
}
