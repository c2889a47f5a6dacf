package events

// queue holds events in the order in which they came.
type queue struct {
	events []*Event // the oldest first
	bytes  int
}

func (q *queue) push(e *Event) {
	q.events = append(q.events, e)
	q.bytes += e.size()
}

// pop returns the oldest event, nil if there is none.
func (q *queue) pop() *Event {
	if len(q.events) == 0 {
		return nil
	}
	e := q.events[0]
	q.events[0] = nil // the array lives on
	q.events = q.events[1:]
	q.bytes -= e.size()
	return e
}

// exceeds says whether there are more events than count, or they hold more than bytes. A single
// event never does.
func (q *queue) exceeds(count, bytes int) bool {
	return len(q.events) > count || q.bytes > bytes && len(q.events) > 1
}
