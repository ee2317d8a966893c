package server

// owners says of each held connection whose it is and how much it has sent: 16
// bytes for each, by descriptor. The zero value says nothing of any.
type owners struct {
	kept bool // there is something to say
	list []owner
}

type owner struct {
	tenant *Tenant
	sent   int64 // bytes
}

func (o *owners) set(fd int, t *Tenant) {
	if !o.kept {
		return
	}
	if missing := fd + 1 - len(o.list); missing > 0 {
		o.list = append(o.list, make([]owner, missing)...)
	}
	o.list[fd] = owner{tenant: t}
}

// of returns the tenant whose connection it is.
func (o *owners) of(fd int) *Tenant {
	if fd >= len(o.list) {
		return nil
	}
	return o.list[fd].tenant
}

func (o *owners) forget(fd int) {
	if fd < len(o.list) {
		o.list[fd] = owner{}
	}
}

// heard counts bytes and says whether they are more than may come; 0: any number.
func (o *owners) heard(fd, bytes int, most int64) bool {
	if !o.kept || most == 0 {
		return false
	}
	o.list[fd].sent += int64(bytes)
	return o.list[fd].sent > most
}
