package dialer

import (
	"testing"
	"testing/synctest"
	"time"
)

// A pause is twice the one before, up to 5 s, and a connection that lasted begins anew.
func TestBackoff(t *testing.T) {
	var b Backoff
	for i, c := range []struct {
		lasted  time.Duration
		attempt int
		pause   time.Duration
	}{
		{0, 1, 200 * time.Millisecond},
		{0, 2, 400 * time.Millisecond},
		{30*time.Second - 1, 3, 800 * time.Millisecond},
		{0, 4, 1600 * time.Millisecond},
		{0, 5, 3200 * time.Millisecond},
		{0, 6, 5 * time.Second},
		{0, 7, 5 * time.Second},
		{30 * time.Second, 1, 200 * time.Millisecond},
		{0, 2, 400 * time.Millisecond},
	} {
		attempt, pause := b.Next(c.lasted)
		if attempt != c.attempt || pause < c.pause || pause > c.pause*6/5 {
			t.Errorf("%d: attempt %d after %v, want %d after about %v", i, attempt, pause, c.attempt, c.pause)
		}
	}
	for range 100 {
		b.Next(0)
	}
	if attempt, pause := b.Next(0); attempt != 103 || pause < 5*time.Second || pause > 6*time.Second {
		t.Errorf("attempt %d after %v", attempt, pause)
	}
}

// Those who lost one peer do not come back at once.
func TestBackoffDiffers(t *testing.T) {
	pauses := map[time.Duration]bool{}
	for range 20 {
		_, pause := new(Backoff).Next(0)
		pauses[pause] = true
	}
	if len(pauses) < 2 {
		t.Errorf("20 have one pause: %v", pauses)
	}
}

func TestPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		if !Pause(time.Minute, nil) || time.Since(began) != time.Minute {
			t.Errorf("over after %v", time.Since(began))
		}
		ended := make(chan struct{})
		time.AfterFunc(time.Second, func() { close(ended) })
		if Pause(time.Minute, ended) || time.Since(began) != time.Minute+time.Second {
			t.Errorf("ended after %v", time.Since(began))
		}
	})
}
