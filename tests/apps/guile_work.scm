;; Threads, futures, condition variables, under a conservative collector with marker threads.
(use-modules (ice-9 threads) (ice-9 futures) (srfi srfi-1))
(define (fib n) (if (< n 2) n (+ (fib (- n 1)) (fib (- n 2)))))
(format #t "par-map ~a\n" (par-map fib (iota 24)))
(format #t "futures ~a\n" (fold + 0 (map touch (map (lambda (i) (future (fib (+ 15 (modulo i 6))))) (iota 30)))))
(define m (make-mutex))
(define c (make-condition-variable))
(define turn 0)
(for-each join-thread
  (map (lambda (me)
         (call-with-new-thread
           (lambda ()
             (do ((i 0 (+ i 1))) ((= i 100))
               (with-mutex m
                 (let loop () (unless (= me (modulo turn 5)) (wait-condition-variable c m) (loop)))
                 (set! turn (+ turn 1))
                 (broadcast-condition-variable c))))))
       (iota 5)))
(format #t "turns ~a\n" turn)
(format #t "garbage ~a\n"
  (par-map (lambda (n) (let loop ((i 0) (keep '())) (if (= i 200) (length keep) (loop (+ i 1) (iota (* n 300)))))) (iota 8)))
(format #t "sleepers ~a\n" (n-par-map 6 (lambda (n) (usleep (* n 1000)) n) (iota 12)))
