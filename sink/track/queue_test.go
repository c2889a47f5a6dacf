package track

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"tapdeck/wav"
)

// gate is a file whose writes wait until it is opened.
type gate struct {
	File
	open chan struct{}
}

func (g *gate) Write(p []byte) (int, error) {
	<-g.open
	return g.File.Write(p)
}

// What waits for a disk is bounded by the recording's own bound and by what all share; what is
// over it is silence of the same length, and what waited is written in order.
func TestQueueIsBounded(t *testing.T) {
	for name, room := range map[string]int64{"own": 1 << 30, "shared": queueBytes / 2} {
		t.Run(name, func(t *testing.T) {
			f, err := os.Create(filepath.Join(t.TempDir(), "x.wav"))
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			g := &gate{f, make(chan struct{})}
			disk := diskOf(func() (File, error) { return g, nil }, mono8)
			disk.Room, disk.Go = NewRoom(room), func(write func()) { go write() }
			tr := New(disk, mono8, 24*time.Hour)
			at := time.Unix(1000, 0)
			tr.Connect(at)
			most := min(queueBytes, room)
			pcm := tone(1000)
			seconds := int(2*most) / len(pcm)
			for range seconds {
				at = feed(t, tr, at, pcm)
			}
			close(g.open)
			tr.queue.handOver(written)
			tr.queue.wait()
			at = feed(t, tr, at, pcm)
			if err := tr.Disconnect(at, true); err != nil {
				t.Fatal(err)
			}
			if complete, err := tr.Finish(nil); !complete || err != nil {
				t.Fatal(complete, err)
			}
			sound := tr.Sound()
			if len(sound.Gaps) != 1 || sound.Gaps[0].Reason != GapDisk || sound.AudioMS != int64(1000*(seconds+1)) || sound.MissingMS != sound.Gaps[0].MS {
				t.Fatalf("sound %+v", sound)
			}
			kept := 16 * sound.Gaps[0].AtMS
			if kept < most*3/4 || kept > most { // in blocks, some of them partly filled
				t.Errorf("%d bytes waited, the bound is %d", kept, most)
			}
			file, err := os.ReadFile(f.Name())
			if err != nil {
				t.Fatal(err)
			}
			_, got, err := wav.Parse(file)
			want := bytes.Repeat(pcm, seconds)
			clear(want[kept:])
			if want = append(want, pcm...); err != nil || !bytes.Equal(got, want) {
				t.Errorf("%d bytes are not the %d expected (%v)", len(got), len(want), err)
			}
			if used := disk.Room.Used(); used != 0 {
				t.Errorf("%d bytes are held for ever", used)
			}
		})
	}
}

// A file that panics, or can't be made, is the track's error; nobody waits for ever, and no
// memory is held.
func TestQueueFails(t *testing.T) {
	for name, open := range map[string]func() (File, error){
		"panic":     func() (File, error) { panic("no such disk") },
		"not there": func() (File, error) { return nil, os.ErrPermission },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				disk := diskOf(open, mono8)
				disk.Go = func(write func()) {
					go func() {
						defer func() { _ = recover() }()
						write()
					}()
				}
				tr := New(disk, mono8, 24*time.Hour)
				tr.Connect(time.Now())
				for range 100 {
					_ = tr.Audio(tone(1000), time.Now())
					_ = tr.Flush()
					synctest.Wait()
				}
				complete, err := tr.Finish(nil)
				if complete || (!errors.Is(err, ErrPanic) && !errors.Is(err, os.ErrPermission)) {
					t.Errorf("complete %v, err %v", complete, err)
				}
				if used := disk.Room.Used(); used != 0 {
					t.Errorf("%d bytes are held for ever", used)
				}
			})
		})
	}
}

// A disk that stalls and responds by turns makes no list without end, and a Sound that is being
// written elsewhere doesn't change.
func TestLossesAreListedToABound(t *testing.T) {
	f, err := os.Create(filepath.Join(t.TempDir(), "x.wav"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	disk := diskOf(func() (File, error) { return f, nil }, mono8)
	tr := New(disk, mono8, 24*time.Hour)
	tr.Connect(time.Unix(1000, 0))
	at := feed(t, tr, time.Unix(1000, 0), tone(1000))
	pcm := tone(20)
	for i := range maxGaps + 10 {
		tr.lose(160)
		early := tr.Sound()
		tr.lose(160) // goes on, and is the same gap
		if last := len(early.Gaps) - 1; i < maxGaps && early.Gaps[last].MS != 20 {
			t.Fatalf("gap %+v, want 20 ms", early.Gaps[last])
		}
		if err := tr.write(pcm); err != nil {
			t.Fatal(err)
		}
	}
	sound := tr.Sound()
	if last := len(sound.Gaps) - 1; len(sound.Gaps) != maxGaps || sound.Gaps[last].MS != 40 {
		t.Errorf("%d gaps, the last %+v", len(sound.Gaps), sound.Gaps[last])
	}
	_ = tr.Disconnect(at, true)
	if complete, err := tr.Finish(nil); !complete || err != nil {
		t.Error(complete, err)
	}
}
