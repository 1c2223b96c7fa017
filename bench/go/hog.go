// One P for a goroutine that computes and one that makes short blocking calls.
package main

import (
	"fmt"
	"sync/atomic"
	"time"
)

const turn = 50 * time.Millisecond

var (
	turns uint64
	nap   int64 // 0: none
	goOn  = make(chan bool, 1)
)

// Of the hog's, a second, beside naps of so long.
func turnsPerSecond(d time.Duration) float64 {
	atomic.StoreInt64(&nap, int64(d))
	if d != 0 {
		select {
		case goOn <- true:
		default:
		}
	}
	time.Sleep(turn / 10)
	began, first := time.Now(), atomic.LoadUint64(&turns)
	time.Sleep(turn)
	return float64(atomic.LoadUint64(&turns)-first) / time.Since(began).Seconds()
}

func main() {
	fmt.Println("What share of the only P does a hog keep beside a goroutine of short sleeps?")
	go func() {
		for {
			atomic.StoreUint64(&turns, turns+1)
		}
	}()
	go func() {
		for {
			if d := time.Duration(atomic.LoadInt64(&nap)); d != 0 {
				nanosleep(d)
			} else {
				<-goOn
			}
		}
	}()
	for _, n := range []time.Duration{100 * time.Microsecond, time.Millisecond, 5 * time.Millisecond} {
		alone, beside := 0.0, 0.0
		for end := time.Now().Add(effort(5)); time.Now().Before(end); {
			alone += turnsPerSecond(0)
			beside += turnsPerSecond(n) + turnsPerSecond(n)
			alone += turnsPerSecond(0)
		}
		name := map[bool]string{true: "100us", false: fmt.Sprintf("%dms", n.Milliseconds())}[n < time.Millisecond]
		figure("share_"+name+"_pct", 100*beside/alone)
	}
}
