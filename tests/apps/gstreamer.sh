# gst-launch: pipelines whose queues are threads, and a tee that joins them again.

app()
{
	export GST_REGISTRY="$PWD/registry" GST_DEBUG_NO_COLOR=1 HOME="$PWD"
	for n in 1 2 3; do
		under gst-launch-1.0 -q videotestsrc num-buffers=60 pattern=smpte ! video/x-raw,width=160,height=120,format=I420 ! \
			queue ! videoconvert n-threads=3 ! video/x-raw,format=RGB ! tee name=t t. ! queue ! pngenc ! \
			queue ! filesink location=png t. ! queue ! videoscale n-threads=2 ! video/x-raw,width=80,height=60 ! \
			queue ! filesink location=raw audiotestsrc num-buffers=60 ! queue ! audioconvert ! audioresample ! \
			queue ! wavenc ! queue ! filesink location=wav ||
			fail "gst-launch ended with $?"
		cat png raw wav | cksum
	done
}
