# Interpreter threads of perl: each is a clone of the whole interpreter, so birth and death are
# heavy, and every shared variable is guarded by a recursive mutex and a condition variable.
use strict;
use warnings;
use threads;
use threads::shared;
use Thread::Queue;
use Thread::Semaphore;
use IO::Socket::INET;
use Time::HiRes qw(usleep time);

$| = 1;

# Four workers, bounded queue in, queue out.
my ($jobs, $done) = (Thread::Queue->new, Thread::Queue->new);
$jobs->limit = 10;
my @workers = map {
	threads->create(sub {
		while (defined(my $n = $jobs->dequeue)) {
			$done->enqueue(($n * $n) % 10007);
		}
		return threads->tid > 0;
	})
} 1 .. 4;
$jobs->enqueue($_) for 1 .. 500;
$jobs->end;
my $alive = grep { $_->join } @workers;
my $sum = 0;
$sum += $done->dequeue for 1 .. 500;
print "queue: $alive workers, sum $sum\n";

# A counter under a lock, a ring of threads that wait for their turn.
my ($count, $turn) : shared = (0, 0);
my $ring = 6;
my @ring = map {
	my $me = $_;
	threads->create(sub {
		for my $lap (1 .. 30) {
			lock($turn);
			cond_wait($turn) until $turn % $ring == $me;
			$turn++;
			cond_broadcast($turn);
			{ lock($count); $count += $me; }
		}
	})
} 0 .. $ring - 1;
$_->join for @ring;
print "ring: turn $turn, count $count\n";

# Timed waits run out, semaphores bound.
my $never : shared;
my $seats = Thread::Semaphore->new(2);
my @late = map {
	threads->create(sub {
		$seats->down;
		lock($never);
		my $signalled = cond_timedwait($never, time + 0.02);
		$seats->up;
		return $signalled ? 1 : 0;
	})
} 1 .. 6;
print "timed waits signalled: ", (join ",", map { $_->join } @late), "\n";

# A thread per connection on both sides.
my $server = IO::Socket::INET->new(Listen => 16, LocalAddr => '127.0.0.1', Proto => 'tcp')
	or die "listen: $!";
my $port = $server->sockport;
my $acceptor = threads->create(sub {
	my @serving;
	for (1 .. 6) {
		my $c = $server->accept or die "accept: $!";
		push @serving, threads->create(sub {
			while (defined(my $line = <$c>)) { print $c scalar reverse($line), "\n"; }
		});
		close $c;
	}
	$_->join for @serving;
});
my @clients = map {
	my $me = $_;
	threads->create(sub {
		my $s = IO::Socket::INET->new(PeerAddr => "127.0.0.1:$port") or die "connect: $!";
		my $good = 0;
		for my $i (1 .. 30) {
			print $s "message $i of $me\n";
			my $empty = <$s>;	# the reversed line begins with its line end
			my $line = <$s>;
			$good++ if $empty eq "\n" && $line eq reverse("message $i of $me") . "\n";
		}
		return $good;
	})
} 1 .. 6;
print "echoed: ", (join ",", map { $_->join } @clients), "\n";
$acceptor->join;

# Children beside running threads.
my $stop : shared = 0;
my $busy = threads->create(sub { my $x = 0; $x++ until $stop; return $x > 0; });
my @out = map { scalar `echo child $_` } 1 .. 5;
chomp @out;
my $pid = fork;
if (!$pid) { require POSIX; POSIX::_exit(7); }
waitpid $pid, 0;
print "children: @out, forked one: ", $? >> 8, ", system: ", system("exit 4") >> 8, "\n";
$stop = 1;
print "busy thread: ", $busy->join ? "ran" : "did not run", "\n";
