// One P for a goroutine that computes and one that makes short blocking calls.
package main

import (
	"fmt"
	"sync/atomic"
	"time"
)

var turns uint64

func turnsPerSecond(d time.Duration) float64 {
	began, first := time.Now(), atomic.LoadUint64(&turns)
	time.Sleep(d)
	return float64(atomic.LoadUint64(&turns)-first) / time.Since(began).Seconds()
}

func main() {
	fmt.Println("What share of the only P does a hog keep beside a goroutine of short sleeps?")
	go func() {
		for {
			atomic.StoreUint64(&turns, turns+1)
		}
	}()
	alone := turnsPerSecond(effort(3))
	var nap int64 = int64(time.Second)
	go func() {
		for {
			nanosleep(time.Duration(atomic.LoadInt64(&nap)))
		}
	}()
	for _, n := range []time.Duration{100 * time.Microsecond, time.Millisecond, 5 * time.Millisecond} {
		atomic.StoreInt64(&nap, int64(n))
		time.Sleep(1100 * time.Millisecond)
		name := map[bool]string{true: "100us", false: fmt.Sprintf("%dms", n.Milliseconds())}[n < time.Millisecond]
		figure("share_"+name+"_pct", 100*turnsPerSecond(effort(4))/alone)
	}
}
