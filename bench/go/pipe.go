// Two goroutines pass a byte to and fro by blocking calls while four compute, all on two Ps.
package main

import (
	"fmt"
	"time"
)

func main() {
	fmt.Println("How fast do two goroutines answer each other over pipes, alone and beside 4 hogs?")
	r1, w1 := pipe()
	r2, w2 := pipe()
	go func() {
		for {
			get(r1)
			put(w2)
		}
	}()
	measure := func(name string, total float64) {
		var trip []float64
		first := time.Now()
		began := first
		for began.Sub(first) < effort(total) {
			put(w1)
			get(r2)
			now := time.Now()
			trip = append(trip, float64(now.Sub(began))/1e3)
			began = now
		}
		figure(name+"_per_s", float64(len(trip))/began.Sub(first).Seconds())
		figureSamples(name, "us", trip)
	}
	measure("alone", 3)
	for i := 0; i < 4; i++ {
		go func() {
			for {
			}
		}()
	}
	measure("hogs", 12)
}
