package switchsim

import (
	"strconv"
	"strings"
	"sync"
	"time"

	"tapdeck/controller/switchsim/audiostream"
)

// schedule is the switch's list of tasks. Each has a group, by which it can be deleted:
// that of a scheduled hangup is the channel's id (F29). Its times are real time.
type schedule struct {
	mu    sync.Mutex
	last  int
	tasks map[int]*task
}

type task struct {
	group string
	timer *time.Timer
}

// add has run called once, after d, and returns the task's number.
func (s *schedule) add(d time.Duration, group string, run func()) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last++
	id := s.last
	if s.tasks == nil {
		s.tasks = make(map[int]*task)
	}
	s.tasks[id] = &task{group: group, timer: time.AfterFunc(d, func() {
		if s.remove(id) {
			run()
		}
	})}
	return id
}

func (s *schedule) remove(id int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	t, exists := s.tasks[id]
	if exists {
		t.timer.Stop()
		delete(s.tasks, id)
	}
	return exists
}

// removeGroup returns how many tasks it has deleted.
func (s *schedule) removeGroup(group string) (deleted int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, t := range s.tasks {
		if t.group == group {
			t.timer.Stop()
			delete(s.tasks, id)
			deleted++
		}
	}
	return deleted
}

// Tasks returns how many scheduled tasks of a group wait for their time.
func (s *Switch) Tasks(group string) (n int) {
	s.schedule.mu.Lock()
	defer s.schedule.mu.Unlock()
	for _, t := range s.schedule.tasks {
		if t.group == group {
			n++
		}
	}
	return n
}

// delay reads [+]SECONDS: from now, or since 1970.
func delay(when string) time.Duration {
	if seconds, relative := strings.CutPrefix(when, "+"); relative {
		return time.Duration(audiostream.Number(seconds)) * time.Second
	}
	return time.Until(time.Unix(int64(audiostream.Number(when)), 0))
}

// schedHangup executes sched_hangup [+]SECONDS UUID [CAUSE].
func (s *Switch) schedHangup(argument string) string {
	f := strings.Fields(argument)
	if len(f) < 2 {
		return "-USAGE: [+]<time> <uuid> [<cause>]\n"
	}
	c := s.call(f[1])
	if c == nil {
		return "-ERR No such channel!\n"
	}
	c.schedHangup(strings.Join(append(f[:1:1], f[2:]...), " "))
	return "+OK\n"
}

// schedHangup is the application sched_hangup [+]SECONDS [CAUSE].
func (c *Call) schedHangup(data string) {
	when, cause, _ := strings.Cut(strings.TrimSpace(data), " ")
	if cause == "" {
		cause = "ALLOTTED_TIMEOUT"
	}
	c.sw.schedule.add(delay(when), c.uuid, func() { c.hangup(causeOf(cause), "sched_hangup") })
}

// schedAPI executes sched_api [+]SECONDS GROUP COMMAND (F98).
func (s *Switch) schedAPI(argument string) string {
	when, rest, _ := strings.Cut(argument, " ")
	group, command, ok := strings.Cut(rest, " ")
	if !ok {
		return "-ERR Invalid syntax. USAGE: [+@]<time> <group_name> <command_string>[&]\n"
	}
	id := s.schedule.add(delay(when), group, func() { s.api(nil, command) })
	return "+OK Added: " + strconv.Itoa(id) + "\n"
}

// schedDel executes sched_del, of a task by its number or of a group.
func (s *Switch) schedDel(which string) string {
	deleted := 0
	if id, err := strconv.Atoi(which); err != nil {
		deleted = s.schedule.removeGroup(which)
	} else if s.schedule.remove(id) {
		deleted = 1
	}
	return "+OK Deleted: " + strconv.Itoa(deleted) + "\n"
}

// appSchedCancel is the application sched_cancel [GROUP]: without one, the channel's (F29).
func (c *Call) appSchedCancel(group string) {
	if group == "" {
		group = c.uuid
	}
	c.sw.schedDel(group)
}
