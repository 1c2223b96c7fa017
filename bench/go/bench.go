// Common to the Go counterparts of the benchmarks; the same output as bench/bench.c.
package main

import (
	"fmt"
	"math"
	"os"
	"sort"
	"strconv"
	"syscall"
	"time"
)

func figure(name string, value float64) { fmt.Printf("%s %.3f\n", name, value) }

func figureSamples(name, unit string, s []float64) {
	sort.Float64s(s)
	for _, at := range []struct {
		name string
		part float64
	}{{"p50", 0.5}, {"p99", 0.99}, {"max", 1}} {
		figure(name+"_"+at.name+"_"+unit, s[int(math.Floor(float64(len(s)-1)*at.part))])
	}
}

func effort(full float64) time.Duration {
	if part, err := strconv.ParseFloat(os.Getenv("BENCH_EFFORT"), 64); err == nil {
		full *= part
	}
	return time.Duration(full * 1e9)
}

func burn(d time.Duration) {
	for end := time.Now().Add(d); time.Now().Before(end); {
	}
}

// A pipe that the runtime's poller knows nothing of: a read is a blocking system call.
func pipe() (r, w int) {
	var p [2]int
	if err := syscall.Pipe(p[:]); err != nil {
		panic(err)
	}
	return p[0], p[1]
}

func get(fd int) {
	var b [1]byte
	if n, err := syscall.Read(fd, b[:]); n != 1 {
		panic(err)
	}
}

func put(fd int) {
	if n, err := syscall.Write(fd, []byte{0}); n != 1 {
		panic(err)
	}
}

func nanosleep(d time.Duration) {
	t := syscall.NsecToTimespec(int64(d))
	syscall.Nanosleep(&t, nil)
}
