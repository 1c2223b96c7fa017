# git where it has threads: grep, pack-objects, index-pack, preloading of the index; and checkout.workers,
# which are processes.

cd_git()
{
	under git -c core.preloadIndex=true -c grep.threads=6 -c pack.threads=4 -c index.threads=4 \
		-c checkout.workers=4 -c checkout.thresholdForParallelism=1 -C repo "$@" ||
		fail "git $1 ended with $?"
}

app()
{
	export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_SYSTEM=/dev/null HOME="$PWD"
	export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@localhost GIT_AUTHOR_DATE='2024-01-01T00:00:00Z'
	export GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@localhost GIT_COMMITTER_DATE='2024-01-01T00:00:00Z'
	git init -q repo
	corpus 3000000 repo/all
	(cd repo && split -b 1500 -a 3 all f- && rm all)
	cd_git add .
	cd_git commit -q -m one
	for f in repo/f-*[aeio]; do echo more >>"$f"; done
	cd_git status --porcelain | cksum
	cd_git commit -q -a -m two
	cd_git rev-parse HEAD
	cd_git grep --threads 8 -c e | cksum
	cd_git grep --threads 8 -E 'a.*t[0-9]|more' HEAD | cksum
	cd_git repack -q -a -d -f --threads=4
	under git -C repo index-pack --threads=4 -o x.idx "$(cd repo && ls .git/objects/pack/*.pack)" >pack ||
		fail "index-pack ended with $?"
	cd_git fsck --full
	cd_git checkout -q HEAD~1
	cd_git status --porcelain | wc -l
	under git clone -q --no-local repo copy || fail "clone ended with $?"
	cat copy/f-* | cksum
}
