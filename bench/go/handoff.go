// The P's way from a goroutine that blocks to one that waits for it.
package main

import (
	"fmt"
	"time"
)

func main() {
	fmt.Println("How long until a ready goroutine runs when the only P's holder blocks?")
	r, w := pipe()
	ready := make(chan bool, 1)
	var left time.Time
	var lateness []float64
	go func() {
		for range ready {
			lateness = append(lateness, float64(time.Since(left))/1e3)
			put(w)
		}
	}()
	measure := func(name string, block func(), busy time.Duration, total float64) {
		lateness = nil
		for end := time.Now().Add(effort(total)); time.Now().Before(end); {
			burn(busy)
			ready <- true
			left = time.Now()
			block()
		}
		figureSamples(name, "us", lateness)
	}
	measure("read_hot", func() { get(r) }, 0, 3)
	measure("read_cold", func() { get(r) }, 40*time.Millisecond, 12)
	measure("nanosleep", func() { nanosleep(time.Millisecond); get(r) }, 0, 3)
}
