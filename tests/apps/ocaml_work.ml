(* Threads under the master lock, which a tick thread and every blocking call hand on. *)
let threads n f = List.init n (fun i -> Thread.create f i) |> List.iter Thread.join

let rec fib n = if n < 2 then n else fib (n - 1) + fib (n - 2)

let () =
  let m = Mutex.create () and c = Condition.create () and turn = ref 0 in
  threads 5 (fun me ->
      for _ = 1 to 100 do
        Mutex.lock m;
        while !turn mod 5 <> me do Condition.wait c m done;
        incr turn;
        Condition.broadcast c;
        Mutex.unlock m
      done);
  Printf.printf "turns %d\n%!" !turn;
  let r = Array.make 8 0 in
  threads 8 (fun i -> r.(i) <- fib (20 + i));
  Array.iter (Printf.printf "%d ") r;
  let ch = Event.new_channel () and sum = ref 0 in
  threads 2 (fun i ->
      for k = 1 to 300 do
        if i = 0 then Event.sync (Event.send ch k) else sum := !sum + Event.sync (Event.receive ch)
      done);
  Printf.printf "\nevents %d\n%!" !sum;
  let pipes = Array.init 6 (fun _ -> Unix.pipe ()) and got = Array.make 6 0 in
  threads 12 (fun i ->
      let r, w = pipes.(i / 2) and b = Bytes.make 100 'x' in
      if i mod 2 = 0 then begin
        for _ = 1 to 200 do ignore (Unix.write w b 0 100) done;
        Unix.close w
      end else
        let rec all n = match Unix.read r b 0 77 with 0 -> n | k -> all (n + k) in
        got.(i / 2) <- all 0);
  Printf.printf "pipes %d\n%!" (Array.fold_left ( + ) 0 got);
  threads 6 (fun i -> ignore (List.init (10000 * i) (fun x -> string_of_int x)); Gc.full_major (); Thread.delay 0.003);
  match Unix.fork () with
  | 0 -> Thread.join (Thread.create (fun () -> Unix._exit 7) ())
  | pid -> (match Unix.waitpid [] pid with _, Unix.WEXITED n -> Printf.printf "fork %d\n" n | _ -> print_endline "fork?")
