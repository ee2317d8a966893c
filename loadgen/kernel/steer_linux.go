package kernel

import (
	"fmt"
	"runtime"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// CPUs returns the processors that the process may run on.
func CPUs() ([]int, error) {
	var set unix.CPUSet
	if err := unix.SchedGetaffinity(0, &set); err != nil {
		return nil, fmt.Errorf("processors: %w", err)
	}
	var list []int
	for cpu := 0; len(list) < set.Count(); cpu++ {
		if set.IsSet(cpu) {
			list = append(list, cpu)
		}
	}
	return list, nil
}

// PinTo keeps the calling thread, which must be locked, on one processor.
func PinTo(cpu int) error {
	var set unix.CPUSet
	set.Set(cpu)
	if err := unix.SchedSetaffinity(0, &set); err != nil {
		return fmt.Errorf("pin to processor %d: %w", cpu, err)
	}
	return nil
}

// ShareAddress lets several sockets listen on one address: SO_REUSEPORT
// (socket(7)). All of them must have it before they are bound.
func ShareAddress(fd int) syscall.Errno { return SetInt(fd, unix.SOL_SOCKET, unix.SO_REUSEPORT, 1) }

// SteerByCPU makes a group of listeners that share an address take connections
// by the processor on which the SYN is handled: the i-th that began to listen
// takes those of cpus[i], the first all others. On loopback that is the
// processor of the thread that connects (loopback_xmit in
// drivers/net/loopback.c queues on its own), so that a pinned thread gets back
// what it opened itself. One call for any socket of the group is enough.
func SteerByCPU(fd int, cpus []int) syscall.Errno {
	// SKF_AD_OFF + SKF_AD_CPU of include/uapi/linux/filter.h: the word at this
	// "offset" is the number of the processor.
	const adCPU = 0xfffff000 + 36
	program := []unix.SockFilter{{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: adCPU}}
	for i, cpu := range cpus {
		program = append(program,
			unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, Jf: 1, K: uint32(cpu)},
			unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: uint32(i)})
	}
	program = append(program, unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: 0})
	return attachFilter(fd, unix.SO_ATTACH_REUSEPORT_CBPF, program)
}

// Deafen makes a socket drop everything that comes from now on, as if the host
// behind it had vanished: a socket filter that keeps no byte.
func Deafen(fd int) syscall.Errno {
	return attachFilter(fd, unix.SO_ATTACH_FILTER, []unix.SockFilter{{Code: unix.BPF_RET | unix.BPF_K, K: 0}})
}

func attachFilter(fd, option int, program []unix.SockFilter) syscall.Errno {
	p := unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]}
	errno := setsockopt(fd, unix.SOL_SOCKET, option, unsafe.Pointer(&p), unsafe.Sizeof(p))
	runtime.KeepAlive(program)
	return errno
}
