# Every increment must arrive, whatever waits for whom.
import hashlib
import os
import sqlite3
import threading

THREADS, ROUNDS = 8, 25


def connect(name):
    return sqlite3.connect(name, timeout=60, isolation_level=None)


def work(name, me):
    db = connect(name)
    for i in range(ROUNDS):
        db.execute("begin immediate")
        db.execute("update n set v = v + 1")
        db.execute("insert into log values (?, ?)", (me, i))
        db.execute("commit")
        db.execute("select count(*), sum(i) from log").fetchone()
    db.close()


def crowd(name, first):
    threads = [threading.Thread(target=work, args=(name, first + i)) for i in range(THREADS)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()


for mode in "delete", "wal", "memory":
    name = "db-" + mode
    db = connect(name)
    db.execute("pragma journal_mode = " + mode)
    db.execute("pragma synchronous = off")
    db.execute("create table n (v int)")
    db.execute("create table log (t int, i int)")
    db.execute("insert into n values (0)")
    db.close()
    child = os.fork()
    crowd(name, 100 if child else 0)
    if not child:
        os._exit(0)
    print(mode, os.waitpid(child, 0)[1])
    db = connect(name)
    rows = db.execute("select * from log order by t, i").fetchall()
    print(db.execute("select v from n").fetchone(), hashlib.md5(repr(rows).encode()).hexdigest(),
          db.execute("pragma integrity_check").fetchone())
    db.close()
shared = sqlite3.connect(":memory:", check_same_thread=False, isolation_level=None)
shared.execute("create table n (v int)")
shared.execute("insert into n values (0)")


def bump():
    for _ in range(300):
        shared.execute("update n set v = v + 1")


threads = [threading.Thread(target=bump) for _ in range(6)]
for t in threads:
    t.start()
for t in threads:
    t.join()
print("shared", shared.execute("select v from n").fetchone())
