package kernel

import "unsafe"

// Raw returns where the address is and how many bytes it has, for a call that is
// made by a ring (package uring). It is valid as long as sa stays where it is.
func (sa *Sockaddr) Raw() (addr unsafe.Pointer, size uint32) {
	return unsafe.Pointer(&sa.raw), sa.len
}

// Room returns where a ring's call may write an address, and its size, which says
// how much room there is until then.
func (sa *Sockaddr) Room() (addr unsafe.Pointer, size *uint32) {
	sa.len = uint32(unsafe.Sizeof(sa.raw))
	return unsafe.Pointer(&sa.raw), &sa.len
}
