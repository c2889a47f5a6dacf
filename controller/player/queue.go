package player

// A piece of audio has room for what was queued first, within these bounds: what is queued later is
// appended there.
const (
	minBlockBytes = 640
	maxBlockBytes = 4 << 10
)

// piece is what waits in a queue: some audio, or a file.
type piece struct {
	at   int64  // position of its begin
	pcm  []byte // 16-bit little-endian mono
	file string // what playback is given
	done func(Played)
}

func (p *piece) end() int64 {
	if p.file != "" {
		return p.at + 1
	}
	return p.at + int64(len(p.pcm))
}

// queue is what has not been cut, in order. Audio is kept in blocks, so that neither its begin nor
// its end is ever copied, and what was read is given back.
type queue struct {
	pieces []piece
	bytes  int   // of audio
	end    int64 // position behind it: bytes, and files, that were ever queued
}

func (q *queue) append(pcm []byte) {
	for len(pcm) > 0 {
		last := len(q.pieces) - 1
		if last < 0 || q.pieces[last].file != "" || len(q.pieces[last].pcm) == cap(q.pieces[last].pcm) {
			q.add(piece{pcm: make([]byte, 0, max(minBlockBytes, min(len(pcm), maxBlockBytes)))})
			last = len(q.pieces) - 1
		}
		block := &q.pieces[last].pcm
		n := min(len(pcm), cap(*block)-len(*block))
		*block = append(*block, pcm[:n]...)
		pcm = pcm[n:]
		q.bytes += n
		q.end += int64(n)
	}
}

// add adds a piece, whose audio is counted by append.
func (q *queue) add(p piece) {
	p.at = q.end
	q.end = p.end()
	q.pieces = append(q.pieces, p)
}

// begin is the position of its first piece.
func (q *queue) begin() int64 {
	if len(q.pieces) == 0 {
		return q.end
	}
	return q.pieces[0].at
}

// audio is how many bytes of audio come before the first file, up to most; more says that something follows
// them.
func (q *queue) audio(most int) (bytes int, more bool) {
	for _, p := range q.pieces {
		if p.file != "" || bytes >= most {
			return min(bytes, most), true
		}
		bytes += len(p.pcm)
	}
	return min(bytes, most), bytes > most
}

// read moves audio from the queue's front to dst, which is as long as there is audio at most.
func (q *queue) read(dst []byte) {
	for len(dst) > 0 {
		n := copy(dst, q.pieces[0].pcm)
		dst = dst[n:]
		q.skip(0, n)
	}
}

// skip takes so many bytes off the front of a piece, which is removed if that is all.
func (q *queue) skip(i, bytes int) {
	q.bytes -= bytes
	q.pieces[i].pcm = q.pieces[i].pcm[bytes:]
	q.pieces[i].at += int64(bytes)
	if len(q.pieces[i].pcm) == 0 {
		q.remove(i)
	}
}

// remove moves the few pieces before i, of which there are none but files.
func (q *queue) remove(i int) {
	copy(q.pieces[1:i+1], q.pieces[:i])
	q.pieces[0] = piece{}
	q.pieces = q.pieces[1:]
	if len(q.pieces) == 0 {
		q.pieces = nil
	}
}

// shift removes the first piece.
func (q *queue) shift() piece {
	first := q.pieces[0]
	q.bytes -= len(first.pcm)
	q.remove(0)
	return first
}

// drop drops the oldest audio until no more than most bytes are left, and returns how many went.
func (q *queue) drop(most int) (dropped int) {
	for i := 0; q.bytes > most; {
		if q.pieces[i].file != "" {
			i++
			continue
		}
		n := min(len(q.pieces[i].pcm), q.bytes-most)
		q.skip(i, n)
		dropped += n
	}
	return dropped
}

// clear empties the queue and returns what was in it.
func (q *queue) clear() []piece {
	all := q.pieces
	q.pieces, q.bytes = nil, 0
	return all
}
