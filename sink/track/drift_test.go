package track

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// feedDrifting gives a track audio whose clock runs so much slower than ours.
func feedDrifting(t *testing.T, tr *Track, began time.Time, lasts time.Duration, ppm float64) time.Time {
	t.Helper()
	const packet = 60 * time.Millisecond
	pcm := tone(60)
	at := began
	for i := range int(lasts / packet) {
		at = began.Add(time.Duration(float64(i+1) * float64(packet) * (1 + ppm/1e6)))
		tr.Empty(at)
		if err := tr.Audio(pcm, at); err != nil {
			t.Fatal(err)
		}
		tr.Message(len(pcm))
		tr.EndBatch(at)
		if tr.TooMuch() || tr.WrongRate() {
			t.Fatalf("the rate is wrong after %v", at.Sub(began))
		}
	}
	return at
}

// Time without audio that is hardly more than what a fast clock has brought too early is no gap.
func TestPauseAfterAFastClock(t *testing.T) {
	tr, _ := newTrack(t, mono8)
	began := time.Unix(1000, 0)
	tr.Connect(began)
	at := feedDrifting(t, tr, began, 2*time.Hour, -50) // 360 ms too early at last
	at = feedDrifting(t, tr, at.Add(400*time.Millisecond), 12*time.Second, -50)
	tr.CallEnded(at)
	if err := tr.Disconnect(at, true); err != nil {
		t.Fatal(err)
	}
	if s := tr.Sound(); len(s.Gaps) > 0 || s.AudioMS != (2*time.Hour+12*time.Second).Milliseconds() {
		t.Errorf("%+v", s)
	}
}

// Clocks that drift apart by 50 ppm lose nothing in hours, and what comes after a reconnect is
// in its place in the call's time.
func TestClockDrift(t *testing.T) {
	for name, ppm := range map[string]float64{"slow": 50, "fast": -50} {
		t.Run(name, func(t *testing.T) {
			tr, _ := newTrack(t, mono8)
			began := time.Unix(1000, 0)
			tr.Connect(began)
			at := feedDrifting(t, tr, began, 2*time.Hour, ppm)
			if err := tr.Disconnect(at, true); err != nil {
				t.Fatal(err)
			}
			s := tr.Sound()
			if s.MissingMS != 0 || len(s.Gaps) > 0 || s.AudioMS != (2*time.Hour).Milliseconds() {
				t.Errorf("%+v", s)
			}
			const away = 1000
			at = at.Add(away * time.Millisecond)
			tr.Connect(at)
			at = feedDrifting(t, tr, at, 12*time.Second, ppm)
			tr.CallEnded(at)
			if err := tr.Disconnect(at, true); err != nil {
				t.Fatal(err)
			}
			s = tr.Sound()
			drift := int64(ppm / 1e6 * 2 * 3600 * 1000)
			if diff := cmp.Diff([]Gap{{AtMS: 7200_000, MS: away + drift, Reason: GapReconnect}}, s.Gaps); diff != "" {
				t.Errorf("gaps (-want +got):\n%s", diff)
			}
			if d := s.AudioMS - at.Sub(began).Milliseconds(); max(d, -d) > 2 || tr.TooLittle() {
				t.Errorf("the file lasts %d ms, the call %v", s.AudioMS, at.Sub(began))
			}
		})
	}
}
