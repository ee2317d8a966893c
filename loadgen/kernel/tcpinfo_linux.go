package kernel

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// Retransmits returns how many segments a TCP socket has sent again so far, SYNs
// included (tcpi_total_retrans of TCP_INFO, tcp(7)).
func Retransmits(fd int) (uint32, syscall.Errno) {
	info, err := unix.GetsockoptTCPInfo(fd, unix.IPPROTO_TCP, unix.TCP_INFO)
	if err != nil {
		errno, _ := err.(syscall.Errno) //nolint:errorlint // a bare error number, as x/sys returns it
		return 0, errno
	}
	return info.Total_retrans, 0
}
