// The standard library's locks are futexes by syscall(2); channels, scoped threads, park, barriers.
use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{mpsc, Arc, Barrier, Condvar, Mutex, RwLock};
use std::thread;
use std::time::{Duration, Instant};

fn fib(n: u64) -> u64 {
    if n < 2 { n } else { fib(n - 1) + fib(n - 2) }
}

fn main() {
    let counter = Mutex::new(0);
    let barrier = Barrier::new(12);
    thread::scope(|s| {
        for _ in 0..12 {
            s.spawn(|| for _ in 0..200 {
                *counter.lock().unwrap() += 1;
                barrier.wait();
            });
        }
    });
    println!("counter {}", counter.lock().unwrap());
    let turn = (Mutex::new(0), Condvar::new());
    thread::scope(|s| {
        for me in 0..5 {
            let turn = &turn;
            s.spawn(move || for _ in 0..200 {
                let mut t = turn.1.wait_while(turn.0.lock().unwrap(), |t| *t % 5 != me).unwrap();
                *t += 1;
                turn.1.notify_all();
            });
        }
    });
    println!("turns {}", turn.0.lock().unwrap());
    let (tx, rx) = mpsc::sync_channel(4);
    for i in 0..8u64 {
        let tx = tx.clone();
        thread::spawn(move || for k in 0..300 { tx.send(i * k).unwrap(); });
    }
    drop(tx);
    println!("channel {}", rx.iter().sum::<u64>());
    let map = RwLock::new(HashMap::new());
    thread::scope(|s| {
        for i in 0..4u64 {
            let map = &map;
            s.spawn(move || for k in 0..300 { map.write().unwrap().insert(k, i + k); });
            s.spawn(move || for k in 0..3000 { map.read().unwrap().get(&(k % 300)); });
        }
    });
    println!("map {}", map.read().unwrap().len());
    let work: Vec<_> = (0..8).map(|i| thread::spawn(move || fib(22 + i))).collect();
    println!("computing {:?}", work.into_iter().map(|t| t.join().unwrap()).collect::<Vec<_>>());
    let parked: Vec<_> = (0..6).map(|_| thread::spawn(|| { thread::park(); 1 })).collect();
    for t in &parked { t.thread().unpark(); }
    println!("parked {}", parked.into_iter().map(|t| t.join().unwrap()).sum::<i32>());
    let early = Arc::new(AtomicUsize::new(0));
    thread::scope(|s| for i in 0..10 {
        let early = &early;
        s.spawn(move || {
            let (d, t) = (Duration::from_millis(i), Instant::now());
            thread::park_timeout(d / 2);
            thread::sleep(d);
            if t.elapsed() < d { early.fetch_add(1, SeqCst); }
        });
    });
    println!("early {}", early.load(SeqCst));
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = listener.local_addr().unwrap();
    thread::spawn(move || for c in listener.incoming() {
        let mut c = c.unwrap();
        thread::spawn(move || { let mut r = c.try_clone().unwrap(); std::io::copy(&mut r, &mut c).unwrap(); });
    });
    let bytes: usize = (0..12).map(|i| thread::spawn(move || {
        let mut c = TcpStream::connect(at).unwrap();
        c.write_all(&vec![1; 5000 + i]).unwrap();
        c.shutdown(std::net::Shutdown::Write).unwrap();
        let mut v = Vec::new();
        c.read_to_end(&mut v).unwrap();
        v.len()
    })).collect::<Vec<_>>().into_iter().map(|t| t.join().unwrap()).sum();
    println!("sockets {}", bytes);
    println!("panic {}", thread::spawn(|| { if fib(5) == 5 { panic!("expected") } }).join().is_err());
}
