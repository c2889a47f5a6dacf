package transcript

import (
	"slices"
	"testing"
	"time"
)

// audioChunks are chunks of 100 ms of a recording, one behind the other.
func audioChunks(from, to time.Duration) (list []chunk) {
	for at := from; at < to; at += 100 * ms {
		list = append(list, chunk{at: at, frames: 100, pcm: make([]byte, 200)})
	}
	return list
}

// What is sent again is in the recording's order, also if a connection is lost while it is: what the connection
// has not answered comes before what was still to be sent again. Beyond the bound the oldest is given up.
func TestSentAgainInOrder(t *testing.T) {
	for name, c := range map[string]struct{ lost, again, want []chunk }{
		"nothing":            {nil, nil, nil},
		"all":                {audioChunks(0, 300*ms), nil, audioChunks(0, 300*ms)},
		"while sent again":   {audioChunks(0, 300*ms), audioChunks(300*ms, 500*ms), audioChunks(0, 500*ms)},
		"as much as is kept": {audioChunks(0, time.Second), nil, audioChunks(0, time.Second)},
		"one more":           {audioChunks(0, time.Second), audioChunks(time.Second, 1100*ms), audioChunks(100*ms, 1100*ms)},
		"none of the oldest": {audioChunks(0, 300*ms), audioChunks(300*ms, 1300*ms), audioChunks(300*ms, 1300*ms)},
	} {
		t.Run(name, func(t *testing.T) {
			s := &source{config: Config{Service: Service{Buffer: time.Second}, Rate: 1000, Channels: []string{ChannelCaller}}, again: c.again}
			s.sendAgain(c.lost)
			if same := func(a, b chunk) bool { return a.at == b.at && a.frames == b.frames }; !slices.EqualFunc(s.again, c.want, same) {
				t.Errorf("sent again:\n%v, want\n%v", places(s.again), places(c.want))
			}
		})
	}
}

func places(list []chunk) (all []time.Duration) {
	for _, c := range list {
		all = append(all, c.at)
	}
	return all
}

// No time of the recording passes in the silence of a pause: what a service hears there was said before.
func TestNoTimePassesInAPause(t *testing.T) {
	config := Config{Service: DefaultService(), Rate: 1000, Channels: []string{ChannelCaller}}
	s := &source{config: config, end: 3 * time.Second}
	p := pending{config: config, free: func([]byte) {}}
	p.add(chunk{at: 2 * time.Second, frames: 1000, pcm: make([]byte, 2000)})
	p.add(s.pause())
	p.add(chunk{at: 3 * time.Second, frames: 100, pcm: make([]byte, 200)})
	for frame, want := range map[int64]time.Duration{500: 2500 * ms, 1000: 3 * time.Second, 1999: 3 * time.Second, 2000: 3 * time.Second, 2050: 3050 * ms} {
		if got := p.position(frame); got != want {
			t.Errorf("frame %d is at %v, want %v", frame, got, want)
		}
	}
}
