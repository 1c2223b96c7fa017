# qemu: a thread a virtual CPU, a main loop of ppoll, coroutines by swapcontext and sigaltstack;
# qemu-img with many requests under way at a time.

app()
{
	# A boot sector: says OK on the serial line, counts to 20 million, ends the machine with status
	# 33 (0x10 << 1 | 1).
	printf '\272\370\003\260O\356\260K\356f\271\0\055\061\001fIu\374\272\364\0\260\020\356\364\353\375' >boot
	truncate -s 510 boot
	printf '\125\252' >>boot
	truncate -s 1M boot
	under qemu-system-x86_64 -accel tcg,thread=multi -smp 2 -m 64 -display none -serial stdio -monitor none \
		-drive file=boot,format=raw,snapshot=on -device isa-debug-exit,iobase=0xf4
	rc=$?
	[ $rc -eq 33 ] || fail "qemu: $rc"
	echo
	corpus 8000000 raw
	under qemu-img convert -f raw -O qcow2 -W -m 8 raw image || fail "convert: $?"
	under qemu-img compare -f raw -F qcow2 raw image || fail "compare: $?"
}
