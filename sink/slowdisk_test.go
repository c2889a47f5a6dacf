package sink

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"tapdeck/sink/internal/sinktest"
	"tapdeck/sink/track"
)

// A disk that stalls for longer than a call lasts: the socket is read to its Close frame, all of
// its audio is kept, in its place, and an alarm names the disk.
func TestDiskStalls(t *testing.T) {
	for step, stall := range map[string]time.Duration{
		"create": 5 * time.Second, "write": 8 * time.Second, "writeat": 4 * time.Second,
	} {
		t.Run(step, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ln := newPipeListener()
				disk := &sinktest.BadDisk{Match: testID + ".wav", Step: step}
				disk.StallOnce(stall)
				b := serveOn(t, testConfig(t), ln, ln.dial, disk)
				r := b.expect(testCall(testID))
				s := b.connect(r)
				pcm := speech(1, 8000*6)
				began := time.Now()
				s.play(pcm)
				s.hangUp()
				if took := time.Since(began); took > 6100*time.Millisecond {
					t.Errorf("the socket of 6 s was read for %v", took)
				}
				if st := awaitGone(t, r, 1); st.LastEnd != EndClosed || st.Err != nil {
					t.Errorf("state %+v", st)
				}
				record := b.finish(r)
				if got, _ := readWAV(t, b.path(record.WAV)); !bytes.Equal(got, pcm) {
					t.Errorf("%d of %d bytes were kept", len(got), len(pcm))
				}
				if record.MissingMS != 0 || len(record.Gaps) != 0 || !slices.Contains(record.Alarms, AlarmSlowDisk) {
					t.Errorf("missing_ms %d, gaps %v, alarms %v", record.MissingMS, record.Gaps, record.Alarms)
				}
				lines := b.logs.FilterMessage("stream alarm").All()
				if len(lines) != 1 || lines[0].ContextMap()["directory"] != b.path("") {
					t.Errorf("alarm lines %v", lines)
				}
			})
		})
	}
}

// What a hung disk would keep of a recording is bounded, and what is over it is silence of the
// same length, in its place.
func TestDiskStallsTooLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ln := newPipeListener()
		disk := &sinktest.BadDisk{Match: testID + ".wav", Step: "create"}
		disk.StallOnce(10 * time.Second)
		b := serveOn(t, testConfig(t), ln, ln.dial, disk)
		b.sink.room = track.NewRoom(64 << 10)
		r := b.expect(testCall(testID))
		h := collect(r.Tap(TapOptions{}))
		s := b.connect(r)
		pcm := speech(1, 8000*20)
		s.play(pcm)
		s.hangUp()
		record := b.finish(r)
		if h.check(t, pcm); len(h.gaps) > 0 { // who listens does not depend on the disk
			t.Errorf("the tap has gaps: %+v", h.gaps)
		}
		got, _ := readWAV(t, b.path(record.WAV))
		if len(record.Gaps) != 1 || record.Gaps[0].Reason != "disk" || record.AudioMS != 20_000 {
			t.Fatalf("gaps %+v of %d ms", record.Gaps, record.AudioMS)
		}
		gap := record.Gaps[0]
		from, to := 16*gap.AtMS, 16*(gap.AtMS+gap.MS)
		want := slices.Concat(pcm[:from], make([]byte, to-from), pcm[to:])
		if !bytes.Equal(got, want) {
			t.Errorf("%d bytes are not what was said, but for the gap at %d ms of %d ms", len(got), gap.AtMS, gap.MS)
		}
		if gap.AtMS < 3000 || gap.MS < 5000 || record.MissingMS != gap.MS {
			t.Errorf("gap %+v, missing_ms %d; 64 KiB are 4 s at most, and the disk stalled for 10 s", gap, record.MissingMS)
		}
		if used := b.sink.room.Used(); used != 0 {
			t.Errorf("%d bytes are held for ever", used)
		}
	})
}

// A disk that doesn't say how much is free holds up neither calls, nor their ends, nor metrics.
func TestSpaceHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ln := newPipeListener()
		disk := &sinktest.BadDisk{Step: "free"}
		b := serveOn(t, testConfig(t), ln, ln.dial, disk)
		r := b.expect(testCall(testID))
		synctest.Wait() // the first measurement is over
		disk.StallOnce(time.Minute)
		elapse(2 * time.Second)
		_ = b.expect(testCall(newID())) // it may be nothing
		elapse(spaceTimeout)
		began := time.Now()
		_, err := b.sink.Expect(testCall(newID()))
		wantError(t, err, ErrDiskHangs)
		_, err = b.sink.SaveRecord(testCall(newID()))
		wantError(t, err, ErrDiskHangs)
		wantError(t, b.sink.Hangs(), ErrDiskHangs)
		if _, err := b.reg.Gather(); err != nil {
			t.Error(err)
		}
		s := b.connect(r) // which was expected before
		s.audio(speech(1, 160))
		s.hangUp()
		b.finish(r)
		if waited := time.Since(began); waited > time.Second {
			t.Errorf("something waited for the disk: %v", waited)
		}
		elapse(time.Minute)
		if _, err := b.sink.Expect(testCall(newID())); err != nil || b.sink.Hangs() != nil {
			t.Errorf("the disk responds again: %v, %v", err, b.sink.Hangs())
		}
		for _, line := range []string{"disk hangs", "disk responds again"} {
			if n := b.logs.FilterMessage(line).Len(); n != 1 {
				t.Errorf("%q is logged %d times", line, n)
			}
		}
	})
}

// A disk that says how much is free, but takes nothing: no new call is accepted once half of
// what may wait for it does, so that those that run lose nothing.
func TestTooMuchWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ln := newPipeListener()
		disk := &sinktest.BadDisk{Match: testID + ".wav", Step: "write"}
		b := serveOn(t, testConfig(t), ln, ln.dial, disk)
		b.sink.room = track.NewRoom(64 << 10)
		r := b.expect(testCall(testID))
		s := b.connect(r)
		disk.StallOnce(time.Minute)
		pcm := speech(1, 8000*3)
		s.play(pcm[:16000])
		if _, err := b.sink.Expect(testCall(newID())); err != nil {
			t.Errorf("after a second: %v", err)
		}
		s.play(pcm[16000:])
		_, err := b.sink.Expect(testCall(newID()))
		wantError(t, err, ErrDiskHangs)
		wantError(t, b.sink.Hangs(), ErrDiskHangs)
		elapse(time.Minute) // idle_timeout ends the socket
		if _, err := b.sink.Expect(testCall(newID())); err != nil {
			t.Errorf("the disk has taken all: %v", err)
		}
		s.awaitEnd()
		b.finish(r)
	})
}

// Of a disk that hangs in both ways the error is the same at each look.
func TestHangsInBothWays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSpace(nil, nil, nil)
		if s.now() == 0 || s.hangs() != nil {
			t.Errorf("moment %d, %v", s.now(), s.hangs())
		}
		s.asked.Store(s.now())
		s.stuck.Store(s.now())
		elapse(spaceTimeout)
		for range 10 {
			if err := s.hangs(); !errors.Is(err, ErrDiskHangs) || err.Error() != "disk hangs: it has not said how much is free for 5s" {
				t.Fatal(err)
			}
		}
		s.asked.Store(0)
		if err := s.hangs(); !errors.Is(err, ErrDiskHangs) || err.Error() != "disk hangs: it has not taken what is written for 5s" {
			t.Error(err)
		}
	})
}

// A disk whose writes hang is seen as one that hangs, but not if only one file does.
func TestWritesHang(t *testing.T) {
	for name, others := range map[string]bool{"all": false, "one file": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ln := newPipeListener()
				disk := &sinktest.BadDisk{Match: testID + ".wav", Step: "write"}
				b := serveOn(t, testConfig(t), ln, ln.dial, disk)
				r, other := b.expect(testCall(testID)), b.expect(testCall(newID()))
				s, o := b.connect(r), b.connect(other)
				disk.StallOnce(20 * time.Second)
				pcm := speech(1, 8000*10)
				if others {
					go o.play(pcm)
				}
				s.play(pcm)
				if err := b.sink.Hangs(); errors.Is(err, ErrDiskHangs) == others {
					t.Errorf("after 10 s: %v", err)
				}
				if _, err := b.sink.Expect(testCall(newID())); errors.Is(err, ErrDiskHangs) == others {
					t.Errorf("after 10 s: %v", err)
				}
				if n := b.logs.FilterMessage("disk hangs").Len(); n == 0 != others {
					t.Errorf("after 10 s: %d lines", n)
				}
				s.hangUp()
				elapse(15 * time.Second)
				if err := b.sink.Hangs(); err != nil {
					t.Errorf("the disk has taken all: %v", err)
				}
				o.hangUp()
				b.finish(r)
				b.finish(other)
			})
		})
	}
}

// A disk hangs until it responds, also when nobody waits for what it has taken any more.
func TestDiskHangsOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ln := newPipeListener()
		disk := &sinktest.BadDisk{Match: testID + ".wav", Step: "write"}
		b := serveOn(t, testConfig(t), ln, ln.dial, disk)
		r := b.expect(testCall(testID))
		s := b.connect(r)
		disk.StallOnce(2 * time.Minute)
		s.play(speech(1, 8000*3))
		s.hangUp()
		wantError(t, r.Finish(t.Context()), ErrDiskHangs)
		elapse(20 * time.Second)
		wantError(t, b.sink.Refuses(), ErrDiskHangs)
		if _, err := r.Save(endedCall(r, "completed")); err != nil && !errors.Is(err, ErrDiskHangs) {
			t.Error(err)
		}
		elapse(2 * time.Minute)
		if err := b.sink.Refuses(); err != nil {
			t.Errorf("the disk has responded: %v", err)
		}
	})
}

// A record that can't be saved because the disk hangs holds up the call's end for no longer
// than PublishTimeout.
func TestSaveRecordIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ln := newPipeListener()
		disk := &sinktest.BadDisk{Match: ".json", Step: "create"}
		disk.StallOnce(time.Minute)
		b := serveOn(t, testConfig(t), ln, ln.dial, disk)
		began := time.Now()
		_, err := b.sink.SaveRecord(testCall(testID))
		wantError(t, err, ErrDiskHangs)
		if waited := time.Since(began); waited > b.sink.cfg.Load().PublishTimeout {
			t.Errorf("it waited for %v", waited)
		}
		elapse(time.Minute) // the abandoned goroutine ends
	})
}

// A recovery whose disk hangs ends with its context all the same.
func TestRecoverIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := testConfig(t)
		sinktest.Crashed(t, cfg.Directory, testID, speech(1, 8000))
		ln := newPipeListener()
		disk := &sinktest.BadDisk{Match: ".wav.part", Step: "open"}
		disk.StallOnce(time.Hour)
		b := serveOn(t, cfg, ln, ln.dial, disk)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := b.sink.Recover(ctx)
		wantError(t, err, ErrDiskHangs)
		elapse(time.Hour)
	})
}
