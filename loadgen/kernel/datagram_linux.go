package kernel

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// DatagramSocket opens a UDP socket of the family.
func DatagramSocket(family int) (fd int, errno syscall.Errno) {
	r, _, e := syscall.RawSyscall(unix.SYS_SOCKET, uintptr(family), unix.SOCK_DGRAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	return int(r), e
}

// ReceiveFrom takes the next datagram and writes its sender to from. What does
// not fit into p is lost: n is never above its length. EAGAIN says that none
// has come.
func ReceiveFrom(fd int, p []byte, from *Sockaddr) (n int, errno syscall.Errno) {
	from.len = uint32(unsafe.Sizeof(from.raw))
	r, _, e := syscall.RawSyscall6(unix.SYS_RECVFROM, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)),
		unix.MSG_DONTWAIT, uintptr(unsafe.Pointer(&from.raw)), uintptr(unsafe.Pointer(&from.len)))
	if e != 0 {
		return 0, e
	}
	return int(r), 0
}

// SendTo sends a datagram to an address; without a wait, so that EAGAIN says
// that the socket's buffer is full.
func SendTo(fd int, p []byte, to *Sockaddr) syscall.Errno {
	_, _, e := syscall.RawSyscall6(unix.SYS_SENDTO, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)),
		unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL, uintptr(unsafe.Pointer(&to.raw)), uintptr(to.len))
	return e
}

// GrowBuffers makes a socket's receive and send buffers as large as they may
// be, up to size bytes each (socket(7)): beyond net.core.rmem_max and wmem_max
// with CAP_NET_ADMIN on the host, else up to these.
func GrowBuffers(fd, size int) {
	for _, o := range [][2]int{{unix.SO_RCVBUFFORCE, unix.SO_RCVBUF}, {unix.SO_SNDBUFFORCE, unix.SO_SNDBUF}} {
		if SetInt(fd, unix.SOL_SOCKET, o[0], size) != 0 {
			_ = SetInt(fd, unix.SOL_SOCKET, o[1], size) // cut to the limit by the kernel, never refused
		}
	}
}
