// Two goroutines compute on one P; a third comes back from a call of 50 ms now and then.
package main

import (
	"fmt"
	"time"
)

func main() {
	fmt.Println("How late is a goroutine back from a 50 ms call beside two hogs on one P?")
	for i := 0; i < 2; i++ {
		go func() {
			for {
			}
		}()
	}
	var late []float64
	const call = 50 * time.Millisecond
	for end := time.Now().Add(effort(16)); time.Now().Before(end); {
		began := time.Now()
		nanosleep(call)
		late = append(late, float64(time.Since(began)-call)/1e6)
	}
	figureSamples("late", "ms", late)
}
