// Worker threads that share memory, libuv's thread pool (crypto, zlib, files), timers and sockets.
const { Worker, isMainThread, parentPort, workerData } = require('worker_threads');
const crypto = require('crypto');
const fs = require('fs');
const net = require('net');
const os = require('os');
const path = require('path');
const zlib = require('zlib');
const { promisify } = require('util');

function sum(from, to) {
	let h = 1;
	for (let i = from; i < to; i++)
		h = (Math.imul(h, 48271) + i) >>> 0;
	return h;
}

function worker() {
	const { shared, number } = workerData;
	const a = new Int32Array(shared);
	Atomics.add(a, 1, 1);
	Atomics.notify(a, 1);
	while (Atomics.load(a, 0) === 0)
		Atomics.wait(a, 0, 0);
	for (let i = 0; i < 20000; i++)
		Atomics.add(a, 2, 1);
	parentPort.on('message', (m) => {
		if (m === 'end')
			return parentPort.close();
		parentPort.postMessage([number, m, sum(m, m + 200000)]);
	});
	parentPort.postMessage('ready');
}

function workers(n, jobs) {
	return new Promise((done, fail) => {
		const shared = new SharedArrayBuffer(12);
		const a = new Int32Array(shared);
		const answers = new Map();
		let next = 0, ended = 0;
		for (let i = 0; i < n; i++) {
			const w = new Worker(__filename, { workerData: { shared, number: i } });
			w.on('error', fail);
			w.on('message', (m) => {
				if (m !== 'ready')
					answers.set(m[1], m[2]);
				w.postMessage(next < jobs ? next++ : 'end');
			});
			w.on('exit', (code) => {
				if (code)
					fail(new Error(`worker ended with ${code}`));
				else if (++ended === n)
					done([a[2], [...answers].sort((x, y) => x[0] - y[0]).map((x) => x[1])]);
			});
		}
		Atomics.store(a, 0, 1);
		Atomics.notify(a, 0);
	});
}

async function pool() {
	const pbkdf2 = promisify(crypto.pbkdf2), gzip = promisify(zlib.gzip), gunzip = promisify(zlib.gunzip);
	const data = Buffer.alloc(1 << 20, 'a thread pool of four ');
	const dir = fs.mkdtempSync(path.join(process.cwd(), 'pool-'));
	const one = async (i) => {
		const key = (await pbkdf2('secret', 'salt' + i, 2000, 16, 'sha256')).toString('hex');
		const file = path.join(dir, String(i));
		await fs.promises.writeFile(file, await gzip(data.subarray(0, 1000 * i + 1)));
		const back = await gunzip(await fs.promises.readFile(file));
		return key + ' ' + crypto.createHash('md5').update(back).digest('hex');
	};
	return Promise.all(Array.from({ length: 40 }, (_, i) => one(i)));
}

function sockets(n) {
	return new Promise((done, fail) => {
		const server = net.createServer((s) => s.pipe(s));
		let bytes = 0, ended = 0;
		server.listen(0, '127.0.0.1', () => {
			for (let i = 0; i < n; i++) {
				const c = net.connect(server.address().port, '127.0.0.1');
				c.on('error', fail);
				c.on('data', (d) => { bytes += d.length; });
				c.on('end', () => { if (++ended === n) server.close(() => done(bytes)); });
				c.end(Buffer.alloc(20000 + i, 'x'));
			}
		});
	});
}

async function main() {
	const hash = (x) => crypto.createHash('sha1').update(JSON.stringify(x)).digest('hex');
	const [added, answers] = await workers(4, 40);
	console.log('workers', added, answers.length, hash(answers));
	console.log('pool', hash(await pool()));
	console.log('sockets', await sockets(30));
	const few = await Promise.all([workers(2, 6), workers(3, 6), pool()]);
	console.log('together', hash(few));
}

if (isMainThread)
	main().catch((e) => { console.error(e); process.exit(1); });
else
	worker();
