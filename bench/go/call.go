// The price of Go's bracket: a bracketed system call less a bare one, and cheap calls.
package main

import (
	"fmt"
	"sort"
	"sync"
	"syscall"
	"time"
)

const batch = 2000

func measure(call func()) []float64 {
	var s []float64
	for end := time.Now().Add(effort(2)); time.Now().Before(end); {
		began := time.Now()
		for i := 0; i < batch; i++ {
			call()
		}
		s = append(s, float64(time.Since(began))/batch)
	}
	return s
}

func median(call func()) float64 {
	s := measure(call)
	sort.Float64s(s)
	return s[len(s)/2]
}

func main() {
	fmt.Println("What does Go's bracket cost, alone and round cheap calls?")
	null, _ := syscall.Open("/dev/null", syscall.O_RDONLY, 0)
	event, _, _ := syscall.RawSyscall(syscall.SYS_EVENTFD2, 0, 0, 0)
	var b [8]byte
	var mutex sync.Mutex
	bracketed := median(func() { syscall.Syscall(syscall.SYS_GETPPID, 0, 0, 0) })
	bare := median(func() { syscall.RawSyscall(syscall.SYS_GETPPID, 0, 0, 0) })
	figure("bracket_p50_ns", bracketed-bare)
	figureSamples("null", "ns", measure(func() { syscall.Read(null, b[:1]) }))
	figureSamples("eventfd_pair", "ns", measure(func() {
		b[0] = 1
		syscall.Write(int(event), b[:])
		syscall.Read(int(event), b[:])
	}))
	figureSamples("mutex", "ns", measure(func() { mutex.Lock(); mutex.Unlock() }))
}
