# Every result is known whatever the order of things.
$VERBOSE = nil
Thread.abort_on_exception = true

queue, out = SizedQueue.new(8), Queue.new
makers = 4.times.map { |i| Thread.new { 300.times { |k| queue << i * 300 + k } } }
takers = 3.times.map { Thread.new { while (x = queue.pop) != :end; out << x * 2; end } }
makers.each(&:join)
3.times { queue << :end }
takers.each(&:join)
puts "queue #{out.size.times.sum { out.pop }}"

lock, cond, turn = Mutex.new, ConditionVariable.new, 0
5.times.map do |me|
  Thread.new do
    100.times do
      lock.synchronize do
        cond.wait(lock) while turn % 5 != me
        turn += 1
        cond.broadcast
      end
    end
  end
end.each(&:join)
puts "turns #{turn}"

pipes = 6.times.map { IO.pipe }
writers = pipes.map { |_, w| Thread.new { 200.times { |i| w.write("line #{i}\n") }; w.close } }
readers = pipes.map { |r, _| Thread.new { r.read.lines.size } }
writers.each(&:join)
puts "pipes #{readers.sum(&:value)}"

late = 8.times.map { |i| Thread.new { t = Process.clock_gettime(Process::CLOCK_MONOTONIC); sleep 0.01 * i; Process.clock_gettime(Process::CLOCK_MONOTONIC) - t < 0.01 * i } }
puts "early sleeps #{late.count(&:value)}"
killed = 5.times.map { Thread.new { sleep } }
Thread.pass until killed.all?(&:stop?)
killed.each(&:kill)
puts "killed #{killed.count { |t| t.join.nil? == false }}"

children = 4.times.map { |i| Thread.new { IO.popen(["sh", "-c", "cat; exit #{i}"], "r+") { |p| p.write "x" * 5000; p.close_write; p.read.size } + $?.exitstatus } }
puts "children #{children.sum(&:value)}"
pid = fork { Thread.new { exit!(7) }.join }
puts "fork #{Process.wait2(pid)[1].exitstatus}"

fib = ->(n, f) { n < 2 ? n : f.(n - 1, f) + f.(n - 2, f) }
puts "computing #{4.times.map { |i| Thread.new { fib.(18 + i, fib) } }.sum(&:value)}"
r = 3.times.map { |i| Ractor.new(i) { |n| s = 0; 200_000.times { |k| s = (s * 31 + k + n) % 1_000_003 }; s } }
puts "ractors #{r.map(&:take).inspect}"
