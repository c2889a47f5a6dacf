//go:build !linux

package doctor

// disk can't be told on this system.
func (x *examination) disk() {
	x.report(finding(Unknown, "free disk", "not known on this operating system", ""))
}
