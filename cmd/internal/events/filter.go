package events

import (
	"errors"
	"slices"
	"strings"

	"tapdeck/controller"
)

// Filter chooses events. The zero Filter chooses all.
type Filter struct {
	// Call is a call's id, in which upper and lower case are the same; empty are all calls.
	Call string
	// Types are patterns, as CheckType permits them; none are all types.
	Types []string
}

// CheckType says whether a pattern, a type or the begin of one and a *, chooses any of the types that
// there are. Its error is the rule.
func CheckType(pattern string) error {
	var all []string
	for kind := range kinds {
		if isType(pattern, string(kind)) {
			return nil
		}
		all = append(all, string(kind))
	}
	slices.Sort(all)
	return errors.New("must be " + strings.Join(all, ", ") + ", or the begin of one of them with a * behind")
}

func isType(pattern, kind string) bool {
	begin, isBegin := strings.CutSuffix(pattern, "*")
	return pattern == kind || isBegin && strings.HasPrefix(kind, begin)
}

func (f *Filter) matches(call string, kind controller.EventKind) bool {
	return (f.Call == "" || strings.EqualFold(f.Call, call)) &&
		(len(f.Types) == 0 || slices.ContainsFunc(f.Types, func(pattern string) bool { return isType(pattern, string(kind)) }))
}
